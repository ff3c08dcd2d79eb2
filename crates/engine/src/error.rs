//! Plan failures as errors for callers.

use koine_connector::plan::{Failure, Refusal};
use koine_model::{Error, ErrorCode, Outcome, RemoteError};
use koine_upstream::TokenError;
use serde_json::{Value, json};

use crate::account::Connection;

/// Vendor headers that may be shown.
const SHOWN: &[&str] = &[
    "retry-after",
    "content-type",
    "content-language",
    "etag",
    "last-modified",
    "x-request-id",
    "request-id",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-rate-limit-limit",
    "x-rate-limit-remaining",
    "x-rate-limit-reset",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
];

pub(crate) fn from_failure(connection: &Connection, failure: Failure, outcome: Option<Outcome>) -> Error {
    let vendor = &connection.connector.label;
    let mut error = match failure {
        Failure::NotFound => Error::not_found(format!("{vendor} has no such record")),
        Failure::Guard(message) => Error::new(ErrorCode::Conflict, message),
        Failure::Vendor(refusal) => from_refusal(vendor, refusal),
        Failure::Unreachable(why) => {
            Error::new(ErrorCode::VendorUnreachable, format!("{vendor} could not be asked: {why}"))
        }
        Failure::Uncertain(why) => Error::new(
            ErrorCode::Uncertain,
            format!(
                "it is not certain what became of this at {vendor}: {why}. Ask again: a repeat reads first"
            ),
        ),
        Failure::AddressRefused(why) => Error::new(
            ErrorCode::AddressRefused,
            format!(
                "{vendor} may not be reached: {why}. The operator can allow the range in KOINE_ALLOW_ADDRESSES"
            ),
        ),
        Failure::Input(why) => Error::invalid(why),
        Failure::Connector(why) => Error::internal(format!("connector {}: {why}", connection.connector.name)),
    };
    error.outcome = outcome;
    error
}

/// No token, so nothing was sent.
pub(crate) fn login_failed(vendor: &str, error: &TokenError) -> Error {
    match error {
        TokenError::Refused { body, .. } if error.is_final() => {
            let message = format!("{vendor} did not accept the login: {body}");
            let remote = RemoteError { status: 401, raw: Value::Null, headers: Vec::new() };
            Error { remote: Some(Box::new(remote)), ..Error::new(ErrorCode::Vendor, message) }
        }
        TokenError::Busy { status, retry_after, body } if *status == 429 || retry_after.is_some() => {
            let message = format!("{vendor} did not accept the login: {body}");
            let headers = retry_after.iter().map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
            let remote = RemoteError { status: 429, raw: Value::Null, headers: headers.collect() };
            Error { remote: Some(Box::new(remote)), ..Error::new(ErrorCode::Vendor, message) }
        }
        TokenError::Unusable(why) => {
            Error::invalid(format!("the credentials for {vendor} cannot be used: {why}"))
        }
        TokenError::Forbidden(why) => {
            Error::new(ErrorCode::AddressRefused, format!("{vendor}'s login may not be reached: {why}"))
        }
        TokenError::App(why) => {
            Error::new(ErrorCode::VendorUnreachable, format!("{vendor} does not accept the OAuth app: {why}"))
        }
        TokenError::Lost(why)
        | TokenError::Refused { body: why, .. }
        | TokenError::Busy { body: why, .. } => {
            Error::new(ErrorCode::VendorUnreachable, format!("{vendor}'s login could not be asked: {why}"))
        }
    }
}

fn from_refusal(vendor: &str, refusal: Refusal) -> Error {
    let raw = refusal
        .response
        .json()
        .unwrap_or_else(|| Value::String(String::from_utf8_lossy(&refusal.response.body).into_owned()));
    let status = if refusal.throttled { 429 } else { refusal.status };
    let told = refusal.message.or_else(|| message_in(&raw)).or_else(|| plain_words(&raw));
    let message = told.unwrap_or_else(|| match refusal.response.status {
        status @ 400.. => format!("{vendor} answered {status}"),
        status => format!("{vendor} answered {status}, but not with what was asked for"),
    });
    let mut headers: Vec<(String, String)> =
        refusal.response.headers.iter().filter(|(name, _)| SHOWN.contains(&name.as_str())).cloned().collect();
    headers.retain(|(name, _)| name != "content-type");
    if let Some(seconds) = refusal.retry_after {
        headers.retain(|(name, _)| name != "retry-after");
        headers.push(("retry-after".to_owned(), seconds.to_string()));
    }
    let mut error = Error::new(ErrorCode::Vendor, message);
    error =
        error.with_insight("remote_error", json!({"description": format!("{vendor} refused the request")}));
    if refusal.throttled {
        error =
            error.with_insight("rate_limit_error", json!({"description": format!("{vendor} is throttling")}));
    } else if status == 403 {
        let value = json!({"description": format!("the credentials may not do this at {vendor}"), "value": {"missing_scopes": []}});
        error = error.with_insight("forbidden_error", value);
    }
    error.remote = Some(Box::new(RemoteError { status, raw, headers }));
    error
}

/// The first text under a usual name, also inside `error` and `errors[0]`.
fn message_in(raw: &Value) -> Option<String> {
    const NAMES: &[&str] = &[
        "message",
        "msg",
        "errorMessage",
        "error_message",
        "description",
        "error_description",
        "detail",
        "details",
        "summary",
        "title",
        "error",
    ];
    let text = |value: &Value| {
        let found = NAMES.iter().find_map(|name| value.get(name)?.as_str());
        found.filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    };
    text(raw).or_else(|| text(raw.get("error")?)).or_else(|| match raw.get("errors")?.get(0)? {
        Value::String(message) => Some(message.clone()),
        other => text(other),
    })
}

/// A short plain text; a page of HTML is none.
fn plain_words(raw: &Value) -> Option<String> {
    let text = raw.as_str()?.trim();
    let plain =
        !text.is_empty() && text.len() <= 300 && !text.starts_with('<') && !text.contains(char::is_control);
    plain.then(|| text.to_owned())
}

/// Vendor headers for a successful answer.
pub(crate) fn shown_headers(response: &koine_model::Response) -> Vec<(String, String)> {
    let shown = |name: &str| SHOWN.contains(&name) && name != "content-type" && name != "retry-after";
    response.headers.iter().filter(|(name, _)| shown(name)).cloned().collect()
}
