//! The walk: every way to spoil one exchange, and then every way to spoil a later one; and what must hold.

use std::collections::HashMap;

use koine_connector::plan::Failure;
use koine_model::Outcome;
use koine_sandbox::Case;

use crate::run::{FATES_OF_READS, FATES_OF_WRITES, Fate, Run, Turn, run, settle};

/// How many faults at once a case is walked with: two where somebody is deleted and one elsewhere, or as many as
/// KOINE_WALK_FAULTS says, and never more than the case allows.
pub(crate) fn faults(case: &Case) -> usize {
    let wanted = std::env::var("KOINE_WALK_FAULTS").ok().and_then(|text| text.parse().ok());
    let usual = if case.method == "delete" { 2 } else { 1 };
    wanted.unwrap_or(usual).min(case.most_faults)
}

/// Walks all paths of a case with so many faults at once, and gives how many there were.
pub(crate) fn walk(turn: &Turn<'_>) -> usize {
    let most = faults(turn.case);
    let mut open = vec![Vec::new()];
    let mut paths = 0;
    while let Some(fates) = open.pop() {
        let run = run(turn, &fates);
        check(turn, &fates, &run);
        paths += 1;
        let faults = fates.iter().filter(|fate| **fate != Fate::Fine).count();
        if faults == most {
            continue;
        }
        for (at, exchange) in run.exchanges.iter().enumerate().skip(fates.len()) {
            let choices = if exchange.send.destructive { FATES_OF_WRITES } else { FATES_OF_READS };
            for fate in choices {
                let mut longer = fates.clone();
                longer.resize(at, Fate::Fine);
                longer.push(*fate);
                open.push(longer);
            }
        }
    }
    paths
}

fn check(turn: &Turn<'_>, fates: &[Fate], run: &Run) {
    let done = turn.is_done(&run.vendor);
    let what = || {
        let steps: Vec<_> = run
            .exchanges
            .iter()
            .map(|exchange| format!("{} {:?}", exchange.send.step, exchange.fate))
            .collect();
        format!(
            "{}\n  {}\n  result {:?}\n  outcome {:?}, done at the vendor: {done}",
            turn.case.name,
            steps.join("\n  "),
            run.finished.result,
            run.finished.outcome
        )
    };
    if fates.is_empty() {
        let good = matches!(
            run.finished.outcome,
            Some(Outcome::Removed | Outcome::Deactivated | Outcome::Reactivated)
        );
        assert!(good && done, "without a fault it works: {}", what());
    }
    match (&run.finished.result, run.finished.outcome) {
        (
            Ok(_),
            Some(Outcome::Removed | Outcome::Deactivated | Outcome::Reactivated | Outcome::AlreadyGone),
        ) => {
            assert!(done, "a false success: {}", what());
        }
        (Ok(_), Some(Outcome::Pending)) => assert!(unclear(run), "pending without a reason: {}", what()),
        (Err(Failure::Uncertain(_)), Some(Outcome::Uncertain)) => {
            assert!(unclear(run), "uncertain without a reason: {}", what());
        }
        (Err(Failure::NotFound), None) => assert!(!done, "a false 404: {}", what()),
        (Err(_), Some(Outcome::Refused)) => assert!(!done, "a false failure: {}", what()),
        (Err(_), Some(Outcome::Uncertain)) => assert!(unclear(run), "uncertain without a reason: {}", what()),
        _ => panic!("an end that has no meaning: {}", what()),
    }
    check_sends(turn, run, &what);
    check_settlements(turn, run, &what);
}

/// Whether something happened after which not everything can be known.
fn unclear(run: &Run) -> bool {
    run.exchanges.iter().any(|exchange| exchange.fate != Fate::Fine)
}

/// A destructive request goes out a few times at most, and blindly never.
fn check_sends(turn: &Turn<'_>, run: &Run, what: &dyn Fn() -> String) {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut unseen: HashMap<&str, bool> = HashMap::new();
    for exchange in &run.exchanges {
        let step = exchange.send.step.as_str();
        if !exchange.send.destructive {
            if matches!(exchange.fate, Fate::Fine | Fate::Stale) {
                unseen.clear();
            }
            continue;
        }
        let count = counts.entry(step).or_default();
        *count += 1;
        assert!(*count <= 4, "sent {count} times: {}", what());
        let blind = unseen.get(step).copied().unwrap_or(false);
        let idempotent = turn.stand.connector.requests[step].idempotent;
        assert!(idempotent || !blind, "sent again without having looked: {}", what());
        let may_have_arrived =
            !matches!(exchange.fate, Fate::NotSent | Fate::Throttled | Fate::ThrottledLong);
        unseen.insert(step, may_have_arrived);
    }
}

/// Cut after any destructive exchange, a start finds out the truth by reading.
fn check_settlements(turn: &Turn<'_>, run: &Run, what: &dyn Fn() -> String) {
    for exchange in run.exchanges.iter().filter(|exchange| exchange.send.destructive) {
        let done = turn.is_done(&exchange.vendor);
        let settled = settle(turn, exchange);
        match settled.outcome {
            Some(Outcome::Removed | Outcome::Deactivated | Outcome::Reactivated) => {
                assert!(done, "settled as done, and it is not: {}", what());
            }
            Some(Outcome::Refused) => assert!(!done, "settled as not done, and it is: {}", what()),
            Some(Outcome::Uncertain | Outcome::Pending) => {}
            other => panic!("settled as {other:?}: {}", what()),
        }
    }
}
