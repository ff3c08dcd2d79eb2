//! What OpenAPI 2 and 3 have in common.

use koine_model::Verb;
use serde_json::{Map, Value};

/// One operation where it stands.
pub(super) struct Found<'d> {
    pub verb: Verb,
    pub path: &'d str,
    /// The path's object.
    pub item: &'d Value,
    pub operation: &'d Value,
    pub pointer: String,
}

/// Every operation under `paths`.
pub(super) fn operations(document: &Value) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        let item = target(document, item);
        for (verb, operation) in item.as_object().into_iter().flatten() {
            let Some(verb) = Verb::parse(verb) else { continue };
            let escaped = path.replace('~', "~0").replace('/', "~1");
            let pointer = format!("/paths/{escaped}/{}", verb.as_str().to_lowercase());
            found.push(Found { verb, path, item, operation, pointer });
        }
    }
    found
}

/// The parameters of an operation, over those of its path.
pub(super) fn parameters<'d>(document: &'d Value, found: &Found<'d>) -> Vec<&'d Value> {
    let list = |of: &'d Value| of["parameters"].as_array().into_iter().flatten();
    let mut all: Vec<&Value> = Vec::new();
    for parameter in list(found.operation).chain(list(found.item)).map(|it| target(document, it)) {
        let same = |other: &&Value| other["name"] == parameter["name"] && other["in"] == parameter["in"];
        if !all.iter().any(same) {
            all.push(parameter);
        }
    }
    all
}

/// What a `$ref` within the document points at, or the value itself.
pub(super) fn target<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let mut at = value;
    // a few steps, so that a circle ends
    for _ in 0..8 {
        let reference = at.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
        match reference.and_then(|pointer| document.pointer(pointer)) {
            Some(next) => at = next,
            None => return at,
        }
    }
    at
}

/// Text under a key; empty when there is none.
pub(super) fn text<'d>(value: &'d Value, key: &str) -> &'d str {
    value[key].as_str().unwrap_or_default()
}

/// The entries of a map under a key.
pub(super) fn entries<'d>(value: &'d Value, key: &str) -> impl Iterator<Item = (&'d String, &'d Value)> {
    value[key].as_object().into_iter().flat_map(Map::iter)
}
