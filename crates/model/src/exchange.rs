//! One vendor request and its answer, as plain data: what a plan yields and what it is fed.

use serde_json::Value;
use url::Url;

use crate::Secret;

/// The HTTP verbs that a connector may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// A read.
    Get,
    /// A write that is not idempotent by itself.
    Post,
    /// A whole replacement.
    Put,
    /// A partial change.
    Patch,
    /// A removal.
    Delete,
}

impl Verb {
    /// Reads a verb in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_uppercase().as_str() {
            "GET" => Self::Get,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => return None,
        })
    }

    /// The upper-case name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether sending it twice does what sending it once does, by HTTP's own rules.
    #[must_use]
    pub fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post | Self::Patch)
    }
}

/// A request body before it is encoded.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// `application/json`, or the content type that the request's headers name.
    Json(Value),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
    /// A text as it is, such as XML or a form in parts; a content type among the request's headers wins.
    Raw {
        /// Its type.
        content_type: String,
        /// The text.
        text: String,
    },
}

/// What makes a request authentic, kept apart from it so that printing a request prints no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Header name and value.
    pub headers: Vec<(String, Secret)>,
    /// Query parameter name and value.
    pub query: Vec<(String, Secret)>,
}

/// One vendor request without its credentials.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The verb.
    pub verb: Verb,
    /// The whole URL, query included.
    pub url: Url,
    /// Header names (lower case) and values.
    pub headers: Vec<(String, String)>,
    /// The body, if any.
    pub body: Option<Body>,
}

/// A vendor answer, read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Header names (lower case) and values, in the order received.
    pub headers: Vec<(String, String)>,
    /// The body as received.
    pub body: bytes::Bytes,
}

impl Response {
    /// The first header of that lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `None` when it is not JSON (an empty body included).
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        // Looked through for UTF-8 once, not text by text.
        serde_json::from_str(std::str::from_utf8(&self.body).ok()?).ok()
    }
}

/// What came of sending a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A whole answer.
    Received(Response),
    /// The request may have reached the vendor, but its answer did not come back whole. The text says why.
    Lost(String),
    /// The request certainly did not reach the vendor. The text says why.
    NotSent(String),
    /// Our own address guard refused to send. Trying again changes nothing. The text says why.
    Forbidden(String),
}
