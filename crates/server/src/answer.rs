//! What goes out: replies, and the one error envelope.

use std::any::Any;

use axum::body::Body;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use koine_engine::{Reply, ReplyBody};
use koine_model::{Error, Outcome};
use serde_json::{Map, Value, json};

/// Bytes that an answer is given at first: most records fit, and do not have to be moved as they are written.
const ROOM: usize = 2048;

/// The private cause of a 5xx, for the log.
#[derive(Clone)]
pub(crate) struct Logged(pub(crate) String);

pub(crate) fn json(status: u16, value: &Value) -> Response {
    let mut text = Vec::with_capacity(ROOM);
    serde_json::to_writer(&mut text, value).expect("JSON of ours has text for keys");
    bytes(status, "application/json; charset=utf-8", text.into())
}

/// A text of ours that is no JSON.
pub(crate) fn text(content_type: &str, text: String) -> Response {
    bytes(200, content_type, text.into())
}

fn bytes(status: u16, content_type: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let content_type = HeaderValue::from_str(content_type);
    let headers = response.headers_mut();
    headers
        .insert(CONTENT_TYPE, content_type.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Whatever an answer holds, vendors' words included, it must not run as a page of ours.
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    response
}

fn add(response: &mut Response, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
        response.headers_mut().insert(name, value);
    }
}

fn add_outcome(response: &mut Response, outcome: Option<Outcome>) {
    if let Some(outcome) = outcome {
        add(response, "koine-outcome", outcome.as_str());
    }
}

pub(crate) fn of(result: Result<Value, Error>) -> Response {
    match result {
        Ok(value) => json(200, &value),
        Err(error) => failure(&error),
    }
}

pub(crate) fn reply(reply: Reply) -> Response {
    let mut response = match reply.body {
        ReplyBody::Json(value) => json(reply.status, &value),
        ReplyBody::Vendor { content_type, bytes: body } => {
            let mut response = bytes(reply.status, &content_type, body.into());
            response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
            response
        }
    };
    for (name, value) in &reply.headers {
        add(&mut response, name, value);
    }
    add_outcome(&mut response, reply.outcome);
    response
}

/// The envelope of contract and SDKs; the stable code travels in a header.
pub(crate) fn failure(error: &Error) -> Response {
    let status = error.status();
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut envelope = Map::new();
    envelope.insert("statusCode".to_owned(), json!(status));
    envelope.insert("error".to_owned(), json!(reason.unwrap_or("Error")));
    envelope.insert("message".to_owned(), json!(error.message));
    if let Some(remote) = &error.remote {
        envelope.insert("truto_is_remote_error".to_owned(), json!(true));
        envelope.insert("raw_response".to_owned(), remote.raw.clone());
    }
    if !error.insight.is_empty() {
        envelope.insert("truto_error_insight".to_owned(), Value::Object(error.insight.as_ref().clone()));
    }
    let mut response = json(status, &Value::Object(envelope));
    for (name, value) in error.remote.iter().flat_map(|remote| &remote.headers) {
        add(&mut response, name, value);
    }
    add(&mut response, "koine-error-code", error.code.status_and_name().1);
    add_outcome(&mut response, error.outcome);
    if let Some(cause) = &error.cause {
        response.extensions_mut().insert(Logged(chain(cause.as_ref())));
    }
    response
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the payload over")]
pub(crate) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    failure(&Error::internal(format!("panic: {}", text.unwrap_or("without a text"))))
}
