//! Requests as people may see them: in plans and in the `debug` format.

use koine_model::{Body, Request};
use serde_json::{Map, Value, json};
use url::form_urlencoded::byte_serialize;

use crate::account::Connection;

/// What stands in place of a credential.
const REDACTED: &str = "[redacted]";

/// The parts of a request. Credentials are added later and are not in it, but a connector may also write a secret
/// credential field into a URL, a header or a body: those are taken out.
pub(crate) struct ShownRequest {
    pub method: &'static str,
    pub url: String,
    pub headers: Map<String, Value>,
    /// Null without a body.
    pub body: Value,
}

pub(crate) fn request(connection: &Connection, request: &Request) -> ShownRequest {
    let secrets = Secrets::of(connection);
    let body = match &request.body {
        Some(Body::Json(value)) => value.clone(),
        Some(Body::Form(pairs)) => json!(pairs),
        Some(Body::Raw { text, .. }) => json!(text),
        None => Value::Null,
    };
    let headers = request.headers.iter();
    ShownRequest {
        method: request.verb.as_str(),
        url: secrets.redacted_text(request.url.as_str()),
        headers: headers.map(|(name, value)| (name.clone(), json!(secrets.redacted_text(value)))).collect(),
        body: secrets.redacted(&body),
    }
}

/// The secret credential fields of an account, as they are and percent-encoded.
struct Secrets(Vec<String>);

impl Secrets {
    fn of(connection: &Connection) -> Self {
        let fields = connection.fields();
        let values = fields
            .secret()
            .iter()
            .filter_map(|name| fields.all().get(name)?.as_str())
            .filter(|value| !value.is_empty());
        Self(
            values.flat_map(|value| [value.to_owned(), byte_serialize(value.as_bytes()).collect()]).collect(),
        )
    }

    fn redacted_text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, REDACTED))
    }

    fn redacted(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.redacted_text(text)),
            Value::Array(items) => items.iter().map(|item| self.redacted(item)).collect(),
            Value::Object(map) => {
                Value::Object(map.iter().map(|(name, item)| (name.clone(), self.redacted(item))).collect())
            }
            other => other.clone(),
        }
    }
}
