//! Errors as callers see them: a stable code, a public message, a hint, and the private cause.

use serde_json::{Map, Value};

use crate::Outcome;

/// Why a call failed. The name is stable and goes out in the header `Koine-Error-Code`; a success has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The request cannot be read: JSON, query string, cursor, id.
    InvalidRequest,
    /// A parameter or body field that this vendor needs is missing.
    MissingParameter,
    /// No token, or one that is unknown, revoked or expired.
    Unauthenticated,
    /// The token may not do this.
    NotAllowed,
    /// No such route, model, resource, method, account or record.
    NotFound,
    /// The verb does not exist on this path.
    MethodNotAllowed,
    /// A guard stopped the call, or it contradicts another call.
    Conflict,
    /// The `emails` given are not those of the user found.
    EmailMismatch,
    /// The user found shows no e-mail to compare.
    EmailUnknown,
    /// The body is larger than allowed.
    TooLarge,
    /// The vendor said no; the envelope carries its words.
    Vendor,
    /// The vendor cannot be reached, or its answer makes no sense.
    VendorUnreachable,
    /// An answer was lost and reading could not settle what happened.
    Uncertain,
    /// The address guard refused to send.
    AddressRefused,
    /// A bug or a broken store; the cause is logged, never shown.
    Internal,
    /// The gateway is shutting down or its store does not answer.
    Unavailable,
}

impl ErrorCode {
    /// The HTTP status and the word of the code.
    #[must_use]
    pub fn status_and_name(self) -> (u16, &'static str) {
        match self {
            Self::InvalidRequest => (400, "invalid_request"),
            Self::MissingParameter => (400, "missing_parameter"),
            Self::Unauthenticated => (401, "unauthenticated"),
            Self::NotAllowed => (403, "not_allowed"),
            Self::NotFound => (404, "not_found"),
            Self::MethodNotAllowed => (405, "method_not_allowed"),
            Self::Conflict => (409, "conflict"),
            Self::EmailMismatch => (409, "email_mismatch"),
            Self::EmailUnknown => (409, "email_unknown"),
            Self::TooLarge => (413, "too_large"),
            Self::Vendor => (502, "vendor_error"),
            Self::VendorUnreachable => (502, "vendor_unreachable"),
            Self::Uncertain => (504, "uncertain"),
            Self::AddressRefused => (502, "address_refused"),
            Self::Internal => (500, "internal"),
            Self::Unavailable => (503, "unavailable"),
        }
    }
}

/// The vendor's own refusal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RemoteError {
    /// The status to answer with: the vendor's, unless the connector maps it.
    pub status: u16,
    /// The vendor's body, parsed when it is JSON, else text.
    pub raw: Value,
    /// Vendor headers that may be shown (allow-listed, lower case).
    pub headers: Vec<(String, String)>,
}

/// An error on its way to the caller.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The stable code.
    pub code: ErrorCode,
    /// Names the subject and what to do next; safe to show.
    pub message: String,
    /// Set when the vendor refused.
    pub remote: Option<Box<RemoteError>>,
    /// The outcome header, when the call was a removal.
    pub outcome: Option<Outcome>,
    /// `truto_error_insight` entries.
    pub insight: Box<Map<String, Value>>,
    /// The private cause: logged, never shown.
    #[source]
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error with a public message.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            remote: None,
            outcome: None,
            insight: Box::default(),
            cause: None,
        }
    }

    /// A 400.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }

    /// A 404.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }

    /// A 500 whose cause is kept for the log.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut error = Self::new(ErrorCode::Internal, "the gateway failed; its log has the cause");
        error.cause = Some(cause.into());
        error
    }

    /// Adds the outcome of a removal.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = Some(outcome);
        self
    }

    /// Adds an entry to `truto_error_insight`.
    #[must_use]
    pub fn with_insight(mut self, key: &str, value: Value) -> Self {
        self.insight.insert(key.to_owned(), value);
        self
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.remote.as_ref().map_or(self.code.status_and_name().0, |remote| remote.status)
    }
}
