//! One exchange against the specifications of its vendor.

mod answer;
mod request;
mod xml;

use koine_connector::facts::SpecificationFile;
use koine_model::{Request, Response};

use crate::specification::{Operation, Specification};

/// An exchange, and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub source: Source,
    pub request: Request,
    pub answer: Option<Response>,
    /// Whether the connector takes the answer for an error that is told inside a success.
    pub tells_error: bool,
    /// Whether it fetches a token; specifications seldom describe where.
    pub is_login: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A fixture, and where the exchange begins in it.
    Fixture { file: String, line: u64 },
    /// A call that the sandbox was given.
    Sandbox { connector: String, call: String },
}

/// One thing in which an exchange differs from the specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The fixture, or the sandbox and the call.
    pub source: String,
    /// Verb and path as the specification writes them, or as they were sent when it has no such operation.
    pub operation: String,
    /// Part of the exchange, and JSON pointer within it: `query limit`, `answer 200 /members/0/id`.
    pub at: String,
    /// What the specification says.
    pub says: String,
    /// What to do.
    pub advice: String,
    /// Where the specification says so.
    pub specification: String,
}

/// A specification, and how a connector's paths become its own.
#[derive(Debug)]
pub(crate) struct Against {
    pub specification: Specification,
    pub rewrite: Vec<(String, String)>,
}

impl Against {
    pub(crate) fn new(specification: Specification, facts: &SpecificationFile) -> Self {
        Self { specification, rewrite: facts.rewrite.clone() }
    }

    fn path(&self, request: &Request) -> String {
        let path = request.url.path();
        let begins =
            |from: &str| path.strip_prefix(from).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let rewritten = self.rewrite.iter().find_map(|(from, to)| Some(format!("{to}{}", begins(from)?)));
        rewritten.unwrap_or_else(|| path.to_owned())
    }

    /// The operation that a request is, the most specific of those that fit.
    fn operation(&self, request: &Request) -> Option<Matched<'_>> {
        let path = self.path(request);
        let same_verb = self.specification.operations.iter().filter(|it| it.verb == request.verb);
        let fitting = same_verb.filter_map(|operation| Some((operation, operation.route.parameters(&path)?)));
        let (operation, parameters) = fitting.min_by_key(|(operation, _)| operation.route.rank())?;
        let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Some(Matched { specification: &self.specification, operation, parameters })
    }
}

/// An operation, and the parameters in the path.
struct Matched<'s> {
    specification: &'s Specification,
    operation: &'s Operation,
    parameters: Vec<(String, String)>,
}

/// What came of one exchange.
pub(crate) struct Judged {
    /// The operation's name, when there is one.
    pub operation: Option<String>,
    /// How the exchange differs from it.
    pub deviations: Vec<Deviation>,
    /// Bodies that the specification has no schema for: operation and part.
    pub unjudged: Vec<String>,
}

/// Holds one exchange against the first specification that has its operation.
pub(crate) fn exchange(against: &[Against], seen: &Seen) -> Judged {
    let Some(matched) = against.iter().find_map(|against| against.operation(&seen.request)) else {
        let deviation = (!seen.is_login).then(|| unknown(against, seen));
        return Judged { operation: None, deviations: deviation.into_iter().collect(), unjudged: Vec::new() };
    };
    let mut found = Findings { matched: &matched, seen, deviations: Vec::new(), unjudged: Vec::new() };
    request::check(&mut found);
    if let Some(response) = &seen.answer {
        answer::check(&mut found, response);
    }
    let Findings { deviations, unjudged, .. } = found;
    Judged { operation: Some(matched.operation.name()), deviations, unjudged }
}

/// No specification has the operation: what comes near it.
fn unknown(against: &[Against], seen: &Seen) -> Deviation {
    let verb = seen.request.verb.as_str();
    let path = against.first().map_or_else(String::new, |against| against.path(&seen.request));
    let all = || against.iter().flat_map(|against| against.specification.operations.iter());
    let of_path: Vec<_> =
        all().filter(|it| it.route.parameters(&path).is_some()).map(Operation::name).collect();
    let near = |it: &&Operation| {
        (it.verb == seen.request.verb, (strsim::sorensen_dice(&it.path, &path) * 1e3) as u64)
    };
    let nearest = all().max_by_key(near).map(Operation::name).unwrap_or_default();
    let says = match of_path.as_slice() {
        [] => format!("the specification has no such path; the nearest is {nearest}"),
        _ => format!("the path is there, but not with {verb}: {}", of_path.join(", ")),
    };
    Deviation {
        source: seen.source.name(),
        operation: format!("{verb} {path}"),
        at: "operation".to_owned(),
        says,
        advice:
            "mend the request in connector.yaml; where the vendor serves the API elsewhere, add `rewrite`"
                .to_owned(),
        specification: against
            .iter()
            .map(|against| against.specification.file.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// What is being found of one exchange.
struct Findings<'a> {
    matched: &'a Matched<'a>,
    seen: &'a Seen,
    deviations: Vec<Deviation>,
    /// Bodies of which the specification does not say what is in them.
    unjudged: Vec<String>,
}

impl Findings<'_> {
    /// Notes a body that there is no schema for.
    fn no_schema(&mut self, at: &str) {
        self.unjudged.push(format!("{}: {at}", self.matched.operation.name()));
    }

    fn add(&mut self, at: impl Into<String>, says: impl Into<String>, advice: impl Into<String>) {
        let operation = self.matched.operation;
        self.deviations.push(Deviation {
            source: self.seen.source.name(),
            operation: operation.name(),
            at: at.into(),
            says: says.into(),
            advice: advice.into(),
            specification: format!("{}#{}", self.matched.specification.file, operation.pointer),
        });
    }
}

impl Source {
    fn name(&self) -> String {
        match self {
            Self::Fixture { file, line } => format!("{file}:{line}"),
            Self::Sandbox { connector, call } => format!("{connector}/sandbox.yaml, {call}"),
        }
    }

    /// What to mend when the answer is wrong.
    fn of_answer(&self) -> &'static str {
        match self {
            Self::Fixture { .. } => "mend the answer in the fixture",
            Self::Sandbox { .. } => "mend the reply in sandbox.yaml",
        }
    }
}
