//! What a plan is given, yields and ends with.

use std::sync::Arc;

use koine_model::{Body, CredentialFields, Outcome, Request, Response};
use serde_json::{Map, Value};
use url::Url;

/// What a plan is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Do it.
    Run,
    /// Say what would be done: only reads are yielded.
    DryRun,
    /// A crash cut the call short: find out by reading what became of it.
    Settle,
}

/// A call on one method of one connector, with everything a plan may need.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Unified model.
    pub model: String,
    /// Unified resource.
    pub resource: String,
    /// Unified method; `find` included.
    pub method: String,
    /// The path id.
    pub id: Option<String>,
    /// Parameters, typed.
    pub query: Map<String, Value>,
    /// Parameters as text.
    pub raw_query: Map<String, Value>,
    /// The body without `remote_data`.
    pub body: Map<String, Value>,
    /// Sent untransformed and wins.
    pub remote_query: Map<String, Value>,
    /// Merged untransformed into the vendor body.
    pub remote_data: Map<String, Value>,
    /// Sent in place of the body of the main request.
    pub passthrough: Option<Body>,
    /// Credential fields, secret ones included.
    pub context: CredentialFields,
    /// The operator's base URL for this connector.
    pub base_url: Option<Url>,
    /// Page size wanted.
    pub limit: Option<u64>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Whether success is read back.
    pub verify: bool,
    /// What to do.
    pub mode: Mode,
    /// When settling: the target as it was read before the crash.
    pub known_target: Option<Value>,
    /// When settling: the named answers of steps before the crash.
    pub known_before: Map<String, Value>,
}

impl Ask {
    /// A call of this method with nothing but its name, to be done and read back.
    #[must_use]
    pub fn new(model: &str, resource: &str, method: &str) -> Self {
        Self {
            model: model.to_owned(),
            resource: resource.to_owned(),
            method: method.to_owned(),
            id: None,
            query: Map::new(),
            raw_query: Map::new(),
            body: Map::new(),
            remote_query: Map::new(),
            remote_data: Map::new(),
            passthrough: None,
            context: CredentialFields::default(),
            base_url: None,
            limit: None,
            cursor: None,
            verify: true,
            mode: Mode::Run,
            known_target: None,
            known_before: Map::new(),
        }
    }
}

/// What a plan wants next.
#[derive(Debug)]
pub enum Next {
    /// Wait `delay_ms`, send this, feed the answer.
    Send(Box<Send>),
    /// Nothing more.
    Done(Box<Finished>),
}

/// One request to send.
#[derive(Clone, Debug)]
pub struct Send {
    /// What to send.
    pub request: Arc<Request>,
    /// Milliseconds to wait first.
    pub delay_ms: u64,
    /// The request's name, for the journal and the plan document.
    pub step: String,
    /// Whether it may change something that somebody would miss: the intent must be durable first.
    pub destructive: bool,
    /// Whether it goes out without credentials.
    pub no_auth: bool,
}

/// How a plan ended.
#[derive(Debug)]
pub struct Finished {
    /// The answer or the refusal.
    pub result: Result<Success, Failure>,
    /// What became of a removal; `None` for everything else, and where only the journal can tell.
    pub outcome: Option<Outcome>,
    /// The vendor record read before a write.
    pub target: Option<Value>,
    /// The main step: what was sent last for it, and the answer.
    pub main: Option<Exchange>,
    /// What would be sent (dry runs) in order.
    pub planned: Vec<Send>,
    /// Named answers of steps.
    pub before: Map<String, Value>,
    /// A remark for people: what is known when the outcome is not plain.
    pub detail: Option<String>,
}

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was sent, without credentials.
    pub request: Arc<Request>,
    /// What came back.
    pub response: Response,
}

/// What came out.
#[derive(Debug)]
pub enum Success {
    /// One vendor record.
    Record(Value),
    /// A page of vendor records.
    List {
        /// The records.
        items: Vec<Value>,
        /// Where the next page begins, in the vendor's words.
        next: Option<String>,
        /// Whether the vendor named the page just read as the next one, which ends the list.
        looping: bool,
    },
    /// A write whose record is the target.
    Write,
    /// A dry run.
    Planned,
}

/// Why a plan ended without one.
#[derive(Debug)]
pub enum Failure {
    /// The target (or the record asked for) does not exist.
    NotFound,
    /// A guard of the connector said no.
    Guard(String),
    /// The vendor said no.
    Vendor(Refusal),
    /// The vendor cannot be reached; nothing was sent, or only reads were.
    Unreachable(String),
    /// The answer to a write was lost and reading did not settle it.
    Uncertain(String),
    /// Our address guard refused.
    AddressRefused(String),
    /// The caller's input cannot be used.
    Input(String),
    /// The connector's data is at fault.
    Connector(String),
}

/// The vendor's refusal.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Its answer.
    pub response: Response,
    /// The status to show.
    pub status: u16,
    /// The vendor's words, found by the connector's rule.
    pub message: Option<String>,
    /// Seconds until it makes sense to come back.
    pub retry_after: Option<u64>,
    /// Whether it is throttling.
    pub throttled: bool,
}
