//! The credential fields of one account.

use std::sync::Arc;

use serde_json::{Map, Value};
use zeroize::Zeroize as _;

/// What the customer supplied: everything for requests, and the part that is no secret for what looks at answers. Cheap
/// to clone; the texts are wiped when the last clone goes, and `Debug` prints none.
#[derive(Clone, Default)]
pub struct CredentialFields(Arc<Fields>);

struct Fields {
    all: Value,
    shown: Value,
    secret: Vec<String>,
}

impl CredentialFields {
    /// Fields, and the names of those that are secret.
    #[must_use]
    pub fn new(all: Map<String, Value>, secret: Vec<String>) -> Self {
        let open = all.iter().filter(|(name, _)| !secret.contains(name));
        let shown = open.map(|(name, value)| (name.clone(), value.clone())).collect();
        Self(Arc::new(Fields { all: Value::Object(all), shown: Value::Object(shown), secret }))
    }

    /// The same with one more field that is no secret, or with another value for it.
    #[must_use]
    pub fn with(&self, name: &str, value: Value) -> Self {
        let mut all = self.all().as_object().cloned().unwrap_or_default();
        all.insert(name.to_owned(), value);
        Self::new(all, self.0.secret.clone())
    }

    /// Every field, as an object.
    #[must_use]
    pub fn all(&self) -> &Value {
        &self.0.all
    }

    /// The fields that are no secret, as an object.
    #[must_use]
    pub fn shown(&self) -> &Value {
        &self.0.shown
    }

    /// The names of the secret ones.
    #[must_use]
    pub fn secret(&self) -> &[String] {
        &self.0.secret
    }
}

impl From<Map<String, Value>> for CredentialFields {
    /// Fields of which none is secret.
    fn from(all: Map<String, Value>) -> Self {
        Self::new(all, Vec::new())
    }
}

impl std::fmt::Debug for CredentialFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CredentialFields(…)")
    }
}

impl Default for Fields {
    fn default() -> Self {
        let empty = || Value::Object(Map::new());
        Self { all: empty(), shown: empty(), secret: Vec::new() }
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        wipe(&mut self.all);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{CredentialFields, wipe};

    fn fields() -> CredentialFields {
        let all =
            Map::from_iter([("domain".to_owned(), json!("a.example")), ("key".to_owned(), json!("hunter2"))]);
        CredentialFields::new(all, vec!["key".to_owned()])
    }

    #[test]
    fn secrets_are_for_requests_alone() {
        let fields = fields().with("session", json!({"site": 1}));
        assert_eq!(fields.all()["key"], "hunter2");
        assert_eq!(fields.shown(), &json!({"domain": "a.example", "session": {"site": 1}}));
        assert!(!format!("{fields:?}").contains("hunter2"));
    }

    #[test]
    fn every_text_is_wiped() {
        let mut value: Value = json!({"a": "x", "b": ["y", {"c": "z"}], "n": 1});
        wipe(&mut value);
        assert_eq!(value, json!({"a": "", "b": ["", {"c": ""}], "n": 1}));
    }
}
