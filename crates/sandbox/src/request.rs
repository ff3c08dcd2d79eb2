//! A request as expressions see it.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// An arrived request, decoded once.
#[derive(Debug)]
pub(crate) struct Request {
    pub verb: String,
    /// Decoded segments below the vendor's prefix.
    pub path: Vec<String>,
    /// As sent, with the vendor's prefix.
    pub raw_path: String,
    pub query: Map<String, Value>,
    pub headers: Map<String, Value>,
    pub body: Value,
    pub text: String,
    /// Scheme and address that the caller used.
    pub origin: String,
}

impl Request {
    /// From its parts; header names in any case.
    pub(crate) fn new(verb: &str, path_and_query: &str, headers: &[(String, String)], text: &str) -> Self {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let headers: Map<String, Value> =
            headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), json!(value))).collect();
        let header = |name: &str| headers.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            verb: verb.to_owned(),
            path: segments(path),
            raw_path: path.to_owned(),
            query: pairs(query),
            body: body(&header("content-type"), text),
            origin: format!("http://{}", header("host")),
            headers,
            text: text.to_owned(),
        }
    }
    /// The `request` root.
    pub(crate) fn root(&self, params: &Map<String, Value>) -> Value {
        json!({
            "method": self.verb, "path": format!("/{}", self.path.join("/")), "raw_path": self.raw_path,
            "params": params, "query": self.query, "headers": self.headers, "body": self.body,
            "text": self.text, "origin": self.origin,
        })
    }
}

/// The segments of a raw path, decoded one by one, so that `%2f` does not make two.
pub(crate) fn segments(raw: &str) -> Vec<String> {
    let parts = raw.split('/').filter(|part| !part.is_empty());
    parts.map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect()
}

/// Pairs of a query or form; a repeated name becomes an array.
pub(crate) fn pairs(text: &str) -> Map<String, Value> {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        let value = Value::String(value.into_owned());
        match map.get_mut(name.as_ref()) {
            None => {
                map.insert(name.into_owned(), value);
            }
            Some(Value::Array(all)) => all.push(value),
            Some(one) => *one = json!([one.take(), value]),
        }
    }
    map
}

/// JSON, a form, or nothing; anything else is only in `text`.
pub(crate) fn body(content_type: &str, text: &str) -> Value {
    if content_type.starts_with("application/x-www-form-urlencoded") {
        return Value::Object(pairs(text));
    }
    if content_type.contains("json") {
        return serde_json::from_str(text).unwrap_or(Value::Null);
    }
    Value::Null
}
