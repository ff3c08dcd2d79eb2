//! A connector after compilation: everything parsed, checked and ready to be evaluated.

mod credentials;
mod request;
mod row;

use std::collections::BTreeMap;

use koine_model::NameMap;

use crate::expr::Expr;
use crate::facts::Facts;
use crate::template::{Template, TextTemplate};

pub use credentials::{
    Assertion, Authorization, Client, Consent, CredentialField, CredentialKind, Grant, Login, Proof,
    REDIRECT_URI,
};
pub use request::{BodyFormat, Errors, PageStyle, Pagination, RateLimit, RequestSpec, ResponseFormat};
pub use row::{Call, Choice, Lesser, Parameter, Removal, Resource, Row, Step, Target, Verify, Wait};

/// One vendor, compiled.
#[derive(Debug)]
pub struct Connector {
    /// The folder's name.
    pub name: String,
    /// The name people know.
    pub label: String,
    /// What kind of product it is.
    pub category: String,
    /// The vendor API and version it speaks.
    pub api: String,
    /// Prefix of every path; sees credential fields only.
    pub base_url: TextTemplate,
    /// Further hosts that requests may go to.
    pub hosts: Vec<TextTemplate>,
    /// Headers of every request.
    pub headers: Vec<(String, TextTemplate)>,
    /// Query parameters of every request.
    pub query: Option<Template>,
    /// Kinds of credential, the default first.
    pub credentials: NameMap<CredentialKind>,
    /// The read that tells whether credentials work; the usual one when there is none.
    pub validation: Option<ListCall>,
    /// What is looked up with new credentials, step by step.
    pub post_install: Vec<PostInstall>,
    /// How to notice throttling.
    pub rate_limit: RateLimit,
    /// How to read refusals.
    pub errors: Errors,
    /// Requests by `resource.method`.
    pub requests: BTreeMap<String, RequestSpec>,
    /// Model -> resource -> meaning.
    pub models: BTreeMap<String, BTreeMap<String, Resource>>,
    /// Where all this is known from.
    pub facts: Facts,
    /// How an administrator gets the credential, in Markdown; empty if nobody wrote it down.
    pub setup: String,
}

/// What is looked up once, before an account is active.
#[derive(Debug)]
pub struct PostInstall {
    /// The list that is read.
    pub call: ListCall,
    /// Credential field -> its value, of the vendor's `records`; only fields that hold nothing are filled.
    pub context: NameMap<Expr>,
}

/// A list that is read when an account is connected.
#[derive(Clone, Debug)]
pub struct ListCall {
    /// Unified model.
    pub model: String,
    /// Unified resource.
    pub resource: String,
    /// Unified method, a list.
    pub method: String,
    /// Parameters.
    pub query: serde_json::Map<String, serde_json::Value>,
}
