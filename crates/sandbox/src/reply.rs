//! Answers, and how a reply of the data becomes one.

use bytes::Bytes;
use koine_connector::expr::{EvalError, Scope};
use serde_json::{Map, Value};

use crate::spec::Reply;

/// An answer, before faults.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// A sandbox whose data is at fault.
#[derive(Debug)]
pub(crate) struct Broken(pub String);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<EvalError> for Broken {
    fn from(error: EvalError) -> Self {
        Self(error.message)
    }
}

impl Answer {
    pub(crate) fn text(status: u16, text: &str) -> Self {
        let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
        Self { status, headers, body: Bytes::copy_from_slice(text.as_bytes()) }
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { status, headers, body: value.to_string().into() }
    }

    /// Those that the answer has already stay.
    pub(crate) fn add_headers(&mut self, headers: &Map<String, Value>) {
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            if !value.is_null() && !self.headers.iter().any(|(own, _)| *own == name) {
                self.headers.push((name, text));
            }
        }
    }
}

/// A reply with its defaults filled in.
pub(crate) fn reply(reply: &Reply, default: u16, root: &Value) -> Result<Answer, Broken> {
    let scope = Scope::new(root);
    let status = match &reply.status {
        Some(status) => {
            let value = status.eval(&scope)?;
            let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
            number
                .filter(|number| (100..600).contains(number))
                .ok_or_else(|| Broken(format!("{value} is no status")))?
        }
        None => default,
    };
    let mut answer = match (&reply.text, &reply.body) {
        (Some(text), _) => Answer::text(status, text.eval(&scope)?.as_str().unwrap_or_default()),
        (None, Some(body)) => match body.eval(&scope)? {
            Value::Null => Answer { status, headers: Vec::new(), body: Bytes::new() },
            value => Answer::json(status, &public(value)),
        },
        (None, None) => {
            let value = root.get("items").or_else(|| root.get("record")).filter(|value| !value.is_null());
            match value.filter(|_| status != 204 && status < 400) {
                Some(value) => Answer::json(status, &public(value.clone())),
                None => Answer { status, headers: Vec::new(), body: Bytes::new() },
            }
        }
    };
    if let Some(headers) = &reply.headers
        && let Value::Object(headers) = headers.eval(&scope)?
    {
        answer.headers.retain(|(name, _)| !headers.keys().any(|own| own.eq_ignore_ascii_case(name)));
        answer.add_headers(&headers);
    }
    Ok(answer)
}

/// Without the sandbox's own keys.
fn public(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(name, _)| !name.starts_with("__"))
                .map(|(name, value)| (name, public(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(public).collect()),
        other => other,
    }
}
