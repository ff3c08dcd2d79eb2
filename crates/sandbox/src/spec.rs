//! A `sandbox.yaml`, compiled.

use std::sync::OnceLock;

use indexmap::IndexMap;
use koine_connector::expr::{EvalError, Expr, Scope};
use koine_connector::keypair::KeyPair;
use koine_connector::problem::Place;
use serde_json::{Map, Value};

use crate::case::Case;

/// A value as written, or an expression for it.
#[derive(Clone, Debug)]
pub(crate) enum Computed {
    Literal(Value),
    Expr(Expr),
}

impl Computed {
    /// Nothing becomes null.
    pub(crate) fn eval(&self, scope: &Scope) -> Result<Value, EvalError> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Expr(expr) => Ok(scope.eval(expr)?.unwrap_or(Value::Null)),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Spec {
    pub base_path: String,
    pub context: Map<String, Value>,
    /// Credential fields that hold a private key, made when it is first asked for.
    pub keys: IndexMap<String, OnceLock<KeyPair>>,
    /// The vendor's other addresses: beginning of a URL -> path below the base path that stands for it.
    pub elsewhere: IndexMap<String, String>,
    pub collections: IndexMap<String, Collection>,
    pub auth: Option<Auth>,
    pub headers: Option<Computed>,
    pub rate_limit: Option<RateLimit>,
    pub not_found: Reply,
    pub no_route: Option<Reply>,
    pub routes: Vec<Route>,
    /// By name, in the order of the file.
    pub cases: IndexMap<String, Case>,
}

impl Spec {
    /// The private key in a credential field.
    pub(crate) fn key(&self, field: &str) -> Option<&KeyPair> {
        self.keys.get(field).map(|key| key.get_or_init(KeyPair::generate))
    }

    /// The credential fields of an account that the sandbox accepts, keys included.
    pub(crate) fn whole_context(&self) -> Map<String, Value> {
        let mut context = self.context.clone();
        let keys = self.keys.keys().filter_map(|field| Some((field, self.key(field)?)));
        context.extend(keys.map(|(field, key)| (field.clone(), key.private_pem().into())));
        context
    }
}

#[derive(Debug)]
pub(crate) struct Collection {
    pub place: Place,
    pub key: String,
    pub start: Start,
}

#[derive(Debug)]
pub(crate) enum Start {
    /// Once per person.
    Each(Computed),
    /// Once.
    Items(Computed),
}

#[derive(Debug)]
pub(crate) struct Auth {
    pub accepts: Expr,
    pub refusal: Reply,
}

#[derive(Debug)]
pub(crate) struct RateLimit {
    pub requests: u64,
    pub seconds: u64,
    pub refusal: Reply,
}

#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// A number, or an expression for one.
    pub status: Option<Computed>,
    pub headers: Option<Computed>,
    pub body: Option<Computed>,
    /// Sent as it is.
    pub text: Option<Computed>,
}

#[derive(Debug)]
pub(crate) struct Refusal {
    pub when: Expr,
    pub reply: Reply,
}

#[derive(Debug)]
pub(crate) struct Route {
    pub verb: String,
    /// Segments below the base path; `{name}` is a parameter.
    pub path: Vec<Segment>,
    /// Only requests for which this holds.
    pub when: Option<Expr>,
    pub auth: bool,
    pub assertion: Option<Assertion>,
    pub refuse_before: Vec<Refusal>,
    pub find: Option<String>,
    pub list: Option<Listed>,
    pub filter: Option<Expr>,
    pub page: Option<Page>,
    pub refuse: Vec<Refusal>,
    pub effects: Vec<Effect>,
    pub issue: Option<Issue>,
    pub reply: Reply,
}

/// A new access token.
#[derive(Debug)]
pub(crate) struct Issue {
    /// Its life.
    pub seconds: u64,
    /// What is remembered of it.
    pub grant: Option<Computed>,
}

/// A signed token in the request.
#[derive(Debug)]
pub(crate) struct Assertion {
    /// Where it is.
    pub token: Expr,
    /// The credential field whose key must have signed it.
    pub key: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(String),
    Param(String),
}

#[derive(Debug)]
pub(crate) enum Listed {
    Collection(String),
    Expr(Expr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Page,
    Offset,
    Cursor,
}

#[derive(Debug)]
pub(crate) struct Page {
    pub style: Style,
    pub size: u64,
    pub most: u64,
    pub limit: Option<String>,
    pub param: String,
    pub first: u64,
    pub links: bool,
}

#[derive(Debug)]
pub(crate) struct Effect {
    pub collection: Option<String>,
    pub filter: Option<Expr>,
    pub when: Option<Expr>,
    pub change: Change,
}

#[derive(Debug)]
pub(crate) enum Change {
    Set(Computed),
    Remove,
    Add(Computed),
}
