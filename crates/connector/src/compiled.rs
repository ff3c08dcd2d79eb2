//! A connector after compilation: everything parsed, checked and ready to be evaluated.

mod credentials;

use std::collections::BTreeMap;
use std::sync::Arc;

use koine_model::NameMap;
use koine_model::{Effect, Verb};

use crate::expr::Expr;
use crate::facts::Facts;
use crate::pattern::Pattern;
use crate::template::{Template, TextTemplate};

pub use credentials::{
    Assertion, Authorization, Client, Consent, CredentialField, CredentialKind, Grant, Login, Proof,
    REDIRECT_URI,
};

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

/// How lists are walked.
#[derive(Debug, Clone)]
pub struct Pagination {
    /// The style.
    pub style: PageStyle,
    /// Name of the page-size parameter.
    pub limit_param: Option<String>,
    /// Largest page the vendor accepts.
    pub max_limit: Option<u64>,
    /// Page size when the caller names none.
    pub default_limit: Option<u64>,
    /// Whether the parameters go into the body (GraphQL: the variables) rather than the query.
    pub in_body: bool,
}

/// The styles of walking lists.
#[derive(Debug, Clone)]
pub enum PageStyle {
    /// Follow `Link: <…>; rel="next"`.
    LinkHeader,
    /// A cursor found in the answer.
    Cursor {
        /// Where.
        path: Expr,
        /// The parameter it goes back in.
        param: String,
        /// Whether it is a whole URL.
        is_link: bool,
    },
    /// Page numbers.
    Page {
        /// The parameter.
        param: String,
        /// The first page's number.
        first: u64,
        /// How many pages there are.
        total: Option<Expr>,
    },
    /// Record numbers.
    Offset {
        /// The parameter.
        param: String,
        /// The first record's number.
        first: u64,
        /// How many records there are.
        total: Option<Expr>,
    },
    /// `Range` and `Content-Range` headers.
    Range {
        /// The unit, such as `items`.
        unit: String,
        /// The first record's number.
        first: u64,
    },
    /// Values that expressions compute from page to page; requests see them as `pagination`.
    Dynamic {
        /// Those of the first page.
        initial: Expr,
        /// Those of the page after an answer; nothing ends the list.
        next: Expr,
    },
}

/// How to notice throttling and when to come back.
#[derive(Debug, Default)]
pub struct RateLimit {
    /// Besides 429.
    pub is_limited: Option<Expr>,
    /// Seconds to wait.
    pub retry_after: Option<Expr>,
    /// Epoch second of the reset, or an object with `reset`.
    pub reset: Option<Expr>,
}

/// How to read refusals.
#[derive(Debug, Default)]
pub struct Errors {
    /// The vendor's words.
    pub message: Option<Expr>,
    /// When an answer means that the thing does not exist; by default status 404.
    pub not_found: Option<Expr>,
    /// When an answer is an error whatever its status.
    pub is_error: Option<Expr>,
    /// The status that an error is shown with, where the vendor's own says nothing.
    pub status: Option<Expr>,
}

/// One vendor request.
#[derive(Debug)]
pub struct RequestSpec {
    /// `resource.method`.
    pub name: String,
    /// The verb.
    pub verb: Verb,
    /// The path after the base URL.
    pub path: TextTemplate,
    /// Query parameters written in the path.
    pub path_query: Vec<(String, String)>,
    /// Query parameters.
    pub query: Option<Template>,
    /// Headers.
    pub headers: Vec<(String, TextTemplate)>,
    /// The body.
    pub body: Option<Template>,
    /// How the body is written.
    pub body_format: BodyFormat,
    /// How the answer is read.
    pub response_format: ResponseFormat,
    /// Whether it changes nothing.
    pub reads: bool,
    /// From the body to the record or list.
    pub response_path: Option<Expr>,
    /// How its list is walked.
    pub pagination: Option<Pagination>,
    /// Overrides [`Errors::is_error`].
    pub is_error: Option<Expr>,
    /// Whether sending it twice is harmless.
    pub idempotent: bool,
    /// Whether it goes out without credentials.
    pub no_auth: bool,
}

/// How a body is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyFormat {
    /// JSON.
    Json,
    /// A form.
    Form,
    /// A form in parts, of texts.
    Multipart,
    /// A text as it is; the request's headers name its type.
    Raw,
    /// XML, from a map of one element.
    Xml,
    /// This GraphQL document; the body is its variables.
    GraphQl(String),
}

/// How an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseFormat {
    /// JSON.
    Json,
    /// XML, as JSON.
    Xml,
    /// Text, as one JSON text.
    Text,
    /// Not at all.
    Binary,
}

/// What a vendor resource means in the unified model.
#[derive(Debug, Default)]
pub struct Resource {
    /// Unified field -> expression over one vendor record.
    pub record: NameMap<Expr>,
    /// Methods by name; `find` is not public.
    pub methods: NameMap<Arc<Row>>,
}

/// Which request a row calls.
#[derive(Debug, Clone)]
pub enum Choice {
    /// Always this one.
    Fixed(String),
    /// The expression's text, which must be one of the list.
    Chosen(Expr, Vec<String>),
}

/// How one unified method is done.
#[derive(Debug, Default)]
pub struct Row {
    /// The resource half of the request's name.
    pub resource: Option<Choice>,
    /// The method half.
    pub method: Option<Choice>,
    /// The whole path id must match this.
    pub id_pattern: Option<Pattern>,
    /// Default vendor query.
    pub query: Option<Template>,
    /// Computed vendor query.
    pub query_mapping: Option<Expr>,
    /// Default vendor body.
    pub body: Option<Template>,
    /// Computed vendor body.
    pub request_body_mapping: Option<Expr>,
    /// Computed path.
    pub path_mapping: Option<Expr>,
    /// Computed headers.
    pub request_header_mapping: Option<Expr>,
    /// Accepted query parameters.
    pub query_schema: NameMap<Parameter>,
    /// Accepted body fields.
    pub request_body_schema: NameMap<Parameter>,
    /// Picks the record or list.
    pub select: Option<Expr>,
    /// A whole expression instead of the record map, and whether it sees the whole list at once.
    pub response_mapping: Option<(Expr, bool)>,
    /// Overrides single fields of the resource's record map.
    pub record: NameMap<Expr>,
    /// Headers shown to the caller.
    pub response_header_mapping: Option<Expr>,
    /// `{status?, message?}` for a refusal.
    pub error_mapping: Option<Expr>,
    /// Whether list items are shallow.
    pub is_partial: Option<Expr>,
    /// The read before a write.
    pub target: Option<Target>,
    /// The read that shows whom the vendor remembers when the target is not there.
    pub tombstone: Option<Call>,
    /// Steps before the call.
    pub before: Vec<Step>,
    /// Steps after it.
    pub after: Vec<Step>,
    /// Checks after the reads.
    pub guard: Vec<(Expr, String)>,
    /// What success does.
    pub removal: Option<Removal>,
    /// What proves it.
    pub verify: Option<Verify>,
    /// When the vendor does less than was asked.
    pub lesser: Option<Lesser>,
    /// When the destructive answer says that there was nothing to remove.
    pub already_gone: Option<Expr>,
    /// Calls with equal text run one after another.
    pub serialize_on: Option<TextTemplate>,
}

/// One accepted parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// `string`, `boolean`, `number`, `object` or `array`.
    pub kind: String,
    /// Whether this vendor cannot do without.
    pub required: bool,
    /// When it cannot do without.
    pub required_if: Option<Expr>,
    /// Whether another value means somebody or something else; otherwise it only says how.
    pub names_target: bool,
    /// The only values.
    pub values: Vec<String>,
    /// What the whole value must look like.
    pub pattern: Option<Pattern>,
    /// For the documentation.
    pub note: Option<String>,
}

/// One extra request of a row.
#[derive(Debug, Default)]
pub struct Step {
    /// What `before.<name>` calls its answer.
    pub name: Option<String>,
    /// `resource.method`; empty for a step that only waits.
    pub call: Option<Call>,
    /// Only if this holds.
    pub run_if: Option<Expr>,
    /// Whether its answer, not the call's, is the `raw` one.
    pub main: bool,
    /// Whether it changes something; by default, whether its verb is not GET.
    pub destructive: Option<bool>,
    /// Whether a refusal of it is ignored.
    pub optional: bool,
    /// A bounded poll after it.
    pub wait: Option<Wait>,
}

/// A request with its own id and parameters.
#[derive(Debug)]
pub struct Call {
    /// `resource.method`, or an expression that chooses one of several.
    pub request: Choice,
    /// The id; the call's own by default.
    pub id: Option<Expr>,
    /// Query parameters.
    pub query: Option<Template>,
    /// The body.
    pub body: Option<Template>,
    /// Picks from the answer.
    pub select: Option<Expr>,
}

/// The read before a write.
#[derive(Debug)]
pub enum Target {
    /// The `get` row of a resource of the same model, with this id.
    Get(String, Option<Expr>),
    /// A request of its own.
    Call(Call),
}

/// A bounded poll.
#[derive(Debug)]
pub struct Wait {
    /// What to read.
    pub call: Call,
    /// Until this holds.
    pub until: Expr,
    /// Most reads.
    pub tries: u32,
    /// Milliseconds between them.
    pub delay_ms: u64,
}

/// Removal semantics.
#[derive(Debug, Clone)]
pub struct Removal {
    /// What success does.
    pub effect: Effect,
    /// Whether and until when it can be taken back.
    pub reversible: String,
    /// Whether the paid seat becomes free.
    pub seat_freed: String,
    /// What happens to what the person owned.
    pub content: String,
}

/// A refusal that has an effect of its own.
#[derive(Debug)]
pub struct Lesser {
    /// When an answer is one.
    pub when: Expr,
    /// What it does.
    pub effect: Effect,
    /// When the read that proves the removal shows this effect.
    pub shown: Expr,
    /// What people should know.
    pub detail: String,
}

/// The read that proves a removal.
#[derive(Debug)]
pub struct Verify {
    /// What to read.
    pub call: Call,
    /// True when the effect is there.
    pub gone: Expr,
    /// True when the call must be sent again.
    pub repeat_if: Option<Expr>,
    /// Most reads.
    pub tries: u32,
    /// Milliseconds between them.
    pub delay_ms: u64,
}
