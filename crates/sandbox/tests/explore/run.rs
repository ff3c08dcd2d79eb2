//! One plan against one vendor, with a fault or none at every exchange.

use koine_connector::plan::{Ask, Finished, Mode, Next, Plan, Send};
use koine_model::{Answer, Response};
use koine_sandbox::{Case, CaseCall, Vendor};
use serde_json::{Map, Value};

use crate::stand::{Account, Stand};

/// What may happen to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    LostBefore,
    LostAfter,
    NotSent,
    NotFound,
    Conflict,
    Throttled,
    ThrottledLong,
    FailedBefore,
    FailedAfter,
    Stale,
}

/// To a request that changes something.
pub(crate) const FATES_OF_WRITES: &[Fate] = &[
    Fate::LostBefore,
    Fate::LostAfter,
    Fate::NotSent,
    Fate::NotFound,
    Fate::Conflict,
    Fate::Throttled,
    Fate::ThrottledLong,
    Fate::FailedBefore,
    Fate::FailedAfter,
];
/// To a read. A 404 to a read of something that is there would be the vendor's lie; no gateway can tell.
pub(crate) const FATES_OF_READS: &[Fate] =
    &[Fate::LostBefore, Fate::NotSent, Fate::Conflict, Fate::Throttled, Fate::FailedBefore, Fate::Stale];

/// One exchange of a run.
pub(crate) struct Exchange {
    pub send: Send,
    pub fate: Fate,
    /// What a settlement would be given if the gateway died after this exchange.
    pub snapshot: Value,
    /// The vendor right after.
    pub vendor: Vendor,
}

/// How a run went.
pub(crate) struct Run {
    pub exchanges: Vec<Exchange>,
    pub finished: Finished,
    pub vendor: Vendor,
}

/// A case that is about to be run.
pub(crate) struct Turn<'a> {
    pub stand: &'a Stand,
    pub case: &'a Case,
    account: Account,
    call: CaseCall,
}

impl<'a> Turn<'a> {
    /// With the account after its login, and after the case that goes before.
    pub(crate) fn new(stand: &'a Stand, case: &'a Case) -> Self {
        let mut account = stand.account(case);
        if let Some(after) = &case.after {
            let before = run(&Turn::new(stand, &stand.cases[after]), &[]);
            assert!(before.finished.result.is_ok(), "{after}: {:?}", before.finished.result);
            account.vendor = before.vendor;
            // A read from before that would show what this case is to bring about.
            account.vendor.rest();
        }
        let call = case.call(&account.vendor).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        Self { stand, case, account, call }
    }

    /// Whether the effect is there.
    pub(crate) fn is_done(&self, vendor: &Vendor) -> bool {
        let done = self.case.is_done(vendor, &self.call);
        done.unwrap_or_else(|error| panic!("{}: {error}", self.case.name))
    }

    fn plan(&self, mode: Mode, interrupted: Option<&Value>) -> Box<Plan> {
        let CaseCall { id, query, body } = self.call.clone();
        let target = body.get("group_id").or(body.get("user_id")).and_then(Value::as_str);
        let known =
            |key: &str| interrupted.map(|snapshot| snapshot[key].clone()).filter(|own| !own.is_null());
        let ask = Ask {
            id: id.or(target.map(ToOwned::to_owned)),
            raw_query: query.clone(),
            query,
            body,
            context: self.account.context.clone().into(),
            base_url: Some(self.account.base_url.clone()),
            mode,
            known_target: known("target"),
            known_before: known("before").as_ref().map(fields).unwrap_or_default(),
            ..Ask::new(&self.case.model, &self.case.resource, &self.case.method)
        };
        Plan::new(std::sync::Arc::clone(&self.stand.connector), ask, 1_800_000_000)
            .unwrap_or_else(|failure| panic!("{}: {failure:?}", self.case.name))
    }

    fn reads(&self, send: &Send) -> bool {
        self.stand.connector.requests[&send.step].reads
    }
}

fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// Runs the method; `fates` are those of the exchanges in order, and what follows them goes well.
pub(crate) fn run(turn: &Turn<'_>, fates: &[Fate]) -> Run {
    let name = &turn.case.name;
    let mut vendor = turn.account.vendor.clone();
    let mut plan = turn.plan(Mode::Run, None);
    let mut exchanges: Vec<Exchange> = Vec::new();
    loop {
        let send = match plan.next() {
            Next::Done(finished) => return Run { exchanges, finished: *finished, vendor },
            Next::Send(send) => *send,
        };
        assert!(exchanges.len() < 60, "{name}: no end under {fates:?}");
        assert!(send.delay_ms <= 20_000, "{name}: waits {} ms", send.delay_ms);
        let snapshot = plan.snapshot();
        let fate = fates.get(exchanges.len()).copied().unwrap_or(Fate::Fine);
        let answer = exchange(&turn.account, &mut vendor, &send, fate);
        exchanges.push(Exchange { send, fate, snapshot, vendor: vendor.clone() });
        plan.feed(answer);
    }
}

/// What a start after a crash finds out about the run, had it been cut after the exchange.
pub(crate) fn settle(turn: &Turn<'_>, exchange_before: &Exchange) -> Finished {
    let mut plan = turn.plan(Mode::Settle, Some(&exchange_before.snapshot));
    only_reads(turn, &mut plan, &mut exchange_before.vendor.clone())
}

/// A dry run sends reads only, and ends with a plan.
pub(crate) fn dry(turn: &Turn<'_>) {
    let name = &turn.case.name;
    let mut plan = turn.plan(Mode::DryRun, None);
    let finished = only_reads(turn, &mut plan, &mut turn.account.vendor.clone());
    assert!(finished.result.is_ok(), "{name}: {:?}", finished.result);
    assert!(finished.planned.iter().any(|send| send.destructive), "{name}");
}

fn only_reads(turn: &Turn<'_>, plan: &mut Plan, vendor: &mut Vendor) -> Finished {
    for _ in 0..40 {
        match plan.next() {
            Next::Done(finished) => return *finished,
            Next::Send(send) => {
                assert!(turn.reads(&send), "{}: `{}` changes something", turn.case.name, send.step);
                let answer = exchange(&turn.account, vendor, &send, Fate::Fine);
                plan.feed(answer);
            }
        }
    }
    panic!("{}: no end", turn.case.name)
}

fn exchange(account: &Account, vendor: &mut Vendor, send: &Send, fate: Fate) -> Answer {
    match fate {
        Fate::Fine => Answer::Received(account.carry(vendor, send, false)),
        Fate::Stale => Answer::Received(account.carry(vendor, send, true)),
        Fate::LostBefore => Answer::Lost("lost".to_owned()),
        Fate::LostAfter => {
            account.carry(vendor, send, false);
            Answer::Lost("lost".to_owned())
        }
        Fate::NotSent => Answer::NotSent("refused".to_owned()),
        Fate::NotFound => Answer::Received(account.not_found(vendor, send)),
        Fate::Conflict => status(409, r#"{"message": "busy"}"#),
        Fate::Throttled => throttled("1"),
        Fate::ThrottledLong => throttled("600"),
        Fate::FailedBefore => status(503, "busy"),
        Fate::FailedAfter => {
            account.carry(vendor, send, false);
            status(500, "broken")
        }
    }
}

fn status(status: u16, body: &str) -> Answer {
    Answer::Received(Response { status, headers: Vec::new(), body: body.to_owned().into_bytes().into() })
}

fn throttled(seconds: &str) -> Answer {
    let headers = vec![("retry-after".to_owned(), seconds.to_owned())];
    Answer::Received(Response { status: 429, headers, body: Vec::new().into() })
}
