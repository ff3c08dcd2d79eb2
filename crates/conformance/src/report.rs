//! What came of verifying a connector.

use std::collections::BTreeSet;

use koine_connector::facts::Tolerated;
use regex::Regex;

use crate::check::{self, Against, Deviation, Seen, Source};

/// What came of verifying a connector.
#[derive(Debug)]
pub struct Report {
    /// The connector.
    pub connector: String,
    /// The files that it was held against.
    pub specifications: Vec<String>,
    /// How many exchanges of fixtures were checked.
    pub fixtures: usize,
    /// How many exchanges with the sandbox were checked.
    pub sandbox: usize,
    /// The operations of the specifications that these were, `GET /users/{id}`.
    pub operations: BTreeSet<String>,
    /// Bodies that nothing can be said of, since the specification has no schema for them: operation and part.
    pub unjudged: BTreeSet<String>,
    /// What differs.
    pub deviations: Vec<Found>,
    /// What differs because the specification errs, and how that is known.
    pub tolerated: Vec<(Found, String)>,
    /// What `facts.yaml` tolerates although nothing differs so.
    pub unused: Vec<Tolerated>,
}

/// A deviation, and how often it was seen.
#[derive(Clone, Debug)]
pub struct Found {
    /// The first.
    pub deviation: Deviation,
    /// How many exchanges have it.
    pub times: usize,
}

impl Report {
    /// Whether the connector is as the specification says.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.deviations.is_empty() && self.unused.is_empty()
    }
}

/// `claims` are deviations of `facts.yaml` itself.
pub(crate) fn of(
    connector: &str,
    against: &[Against],
    seen: &[Seen],
    claims: Vec<Deviation>,
    tolerated: Vec<Tolerated>,
) -> Report {
    let mut operations = BTreeSet::new();
    let mut unjudged = BTreeSet::new();
    let mut found: Vec<Found> = claims.into_iter().map(|deviation| Found { deviation, times: 1 }).collect();
    for seen in seen {
        let judged = check::exchange(against, seen);
        operations.extend(judged.operation);
        unjudged.extend(judged.unjudged);
        for deviation in judged.deviations {
            match found.iter_mut().find(|other| is_same(&other.deviation, &deviation)) {
                Some(other) => other.times += 1,
                None => found.push(Found { deviation, times: 1 }),
            }
        }
    }
    let is_fixture = |seen: &&Seen| matches!(seen.source, Source::Fixture { .. });
    let fixtures = seen.iter().filter(is_fixture).count();
    let mut report = Report {
        connector: connector.to_owned(),
        specifications: against.iter().map(|against| against.specification.file.clone()).collect(),
        fixtures,
        sandbox: seen.len() - fixtures,
        operations,
        unjudged,
        deviations: Vec::new(),
        tolerated: Vec::new(),
        unused: Vec::new(),
    };
    let patterns: Vec<_> = tolerated.iter().map(|it| (pattern(&it.operation), pattern(&it.at))).collect();
    let mut used = vec![false; tolerated.len()];
    for found in found {
        let fits = |(operation, at): &(Regex, Regex)| {
            operation.is_match(&found.deviation.operation) && at.is_match(&found.deviation.at)
        };
        let fitting: Vec<_> =
            patterns.iter().enumerate().filter(|(_, it)| fits(it)).map(|(at, _)| at).collect();
        fitting.iter().for_each(|at| used[*at] = true);
        match fitting.first() {
            Some(at) => report.tolerated.push((found, tolerated[*at].why.clone())),
            None => report.deviations.push(found),
        }
    }
    let unused = tolerated.into_iter().zip(used).filter(|(_, used)| !used);
    report.unused = unused.map(|(tolerated, _)| tolerated).collect();
    report
}

/// The same mistake in another exchange, or in another item of a list.
fn is_same(one: &Deviation, other: &Deviation) -> bool {
    let items =
        |at: &str| at.split('/').filter(|part| part.parse::<usize>().is_err()).collect::<Vec<_>>().join("/");
    let kind = |says: &str| says.split(", it is ").next().unwrap_or_default().to_owned();
    let sandbox = |source: &str| source.contains("/sandbox.yaml");
    one.operation == other.operation
        && items(&one.at) == items(&other.at)
        && kind(&one.says) == kind(&other.says)
        && (sandbox(&one.source) == sandbox(&other.source) || !one.at.starts_with("answer"))
}

/// `*` is anything.
fn pattern(text: &str) -> Regex {
    let escaped: Vec<_> = text.split('*').map(regex::escape).collect();
    Regex::new(&format!("^{}$", escaped.join(".*"))).expect("escaped text is a pattern")
}
