//! Requests, and how their answers are read.

use koine_model::Verb;

use crate::expr::Expr;
use crate::template::{Template, TextTemplate};

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
