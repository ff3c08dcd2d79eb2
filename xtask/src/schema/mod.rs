//! JSON Schemas of the files of a connector, for editors.
//!
//! The compiler stays the judge. The schemas say which keys there are and of which kind; the tests hold them
//! against what the compiler reads. Every key may be `null`, which removes what a profile says. As a profile may
//! also supply what is missing, only items of lists, which are never merged, have required keys.

mod connector;
mod facts;
mod mapping;
mod sandbox;
#[cfg(test)]
mod tests;

pub(crate) use connector::connector;
pub(crate) use facts::facts;
pub(crate) use mapping::mapping;
pub(crate) use sandbox::sandbox;

use serde_json::{Map, Value, json};

/// A key of an object: name, kind, what it means.
type Key<'a> = (&'a str, Value, &'a str);

/// A closed object. `what` is what the compiler calls it in its messages.
fn object(what: &str, keys: &[Key<'_>]) -> Value {
    let mut properties = Map::new();
    for (name, kind, description) in keys {
        let mut kind = nullable(kind);
        if !description.is_empty() {
            kind["description"] = json!(description);
        }
        properties.insert((*name).to_owned(), kind);
    }
    json!({"title": what, "type": "object", "properties": properties, "additionalProperties": false})
}

/// The same object with keys that must be there.
fn requiring(mut object: Value, keys: &[&str]) -> Value {
    object["required"] = json!(keys);
    object
}

fn nullable(kind: &Value) -> Value {
    let mut kind = kind.clone();
    let is_titled = kind.get("title").is_some();
    if let Some(kinds) = kind.get_mut("anyOf").and_then(Value::as_array_mut) {
        kinds.push(json!({"type": "null"}));
        return kind;
    }
    match kind.get_mut("type") {
        _ if is_titled => kind = json!({"anyOf": [kind, {"type": "null"}]}),
        Some(Value::Array(words)) => words.push(json!("null")),
        Some(word) => *word = json!([word, "null"]),
        // Anything goes.
        None => {}
    }
    if let Some(values) = kind.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
    kind
}

fn text() -> Value {
    json!({"type": "string"})
}

fn one_of(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

fn boolean() -> Value {
    json!({"type": "boolean"})
}

fn whole() -> Value {
    json!({"type": "integer", "minimum": 0})
}

/// Prose, in which `reversible: false` is as good as text.
fn prose() -> Value {
    json!({"type": ["string", "boolean", "number"]})
}

/// JSONata; a bare number or boolean is its own text.
fn expression() -> Value {
    json!({"type": ["string", "boolean", "number"]})
}

/// Any JSON, with placeholders in its texts.
fn template() -> Value {
    json!({})
}

fn list(of: &Value) -> Value {
    json!({"type": "array", "items": of})
}

/// Names of the author's choosing.
fn map(of: &Value) -> Value {
    json!({"type": "object", "additionalProperties": nullable(of)})
}

fn either(kinds: &[Value]) -> Value {
    json!({"anyOf": kinds})
}

/// The whole schema of a file.
fn document(title: &str, mut root: Value) -> Value {
    let mut schema = json!({"$schema": "http://json-schema.org/draft-07/schema#"});
    if root.get("title").is_none() {
        root["title"] = json!(title);
    }
    if let (Value::Object(schema), Value::Object(root)) = (&mut schema, root) {
        schema.extend(root);
    }
    schema
}
