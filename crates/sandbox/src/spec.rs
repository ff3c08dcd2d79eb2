//! A `sandbox.yaml`, compiled.

use indexmap::IndexMap;
use koine_connector::expr::{EvalError, Expr, Scope};
use koine_connector::problem::Place;
use serde_json::{Map, Value};

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
    pub collections: IndexMap<String, Collection>,
    pub auth: Option<Auth>,
    pub headers: Option<Computed>,
    pub rate_limit: Option<RateLimit>,
    pub not_found: Reply,
    pub no_route: Option<Reply>,
    pub routes: Vec<Route>,
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
    pub refuse_before: Vec<Refusal>,
    pub find: Option<String>,
    pub list: Option<Listed>,
    pub filter: Option<Expr>,
    pub page: Option<Page>,
    pub refuse: Vec<Refusal>,
    pub effects: Vec<Effect>,
    pub issue_seconds: Option<u64>,
    pub reply: Reply,
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
