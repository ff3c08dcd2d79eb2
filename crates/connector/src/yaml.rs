//! YAML text as a tree in which every key and value knows its place.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use koine_model::NameMap;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use crate::problem::{Place, Problem, Problems};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where the value begins.
    pub place: Place,
    /// The value.
    pub data: Data,
}

/// The kinds of YAML value.
#[derive(Clone, Debug)]
pub enum Data {
    /// Nothing.
    Null,
    /// True or false (only those two words).
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map; each entry keeps the place of its key.
    Map(NameMap<(Place, Node)>),
}

impl Node {
    /// Parses one document.
    ///
    /// # Errors
    /// The first place at which the text is not YAML (duplicate keys included).
    pub fn parse(file: &Arc<str>, text: &str) -> Result<Self, Problem> {
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let raw: Spanned<Raw> = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let at = error.location();
            Problem {
                place: Place {
                    file: file.clone(),
                    line: at.map_or(1, |at| at.line()),
                    column: at.map_or(1, |at| at.column()),
                },
                message: error.to_string(),
                hint: None,
            }
        })?;
        Ok(raw_to_node(file, raw))
    }

    /// The document of a file; `None` when there is no such file, or (with a problem) when it is not YAML.
    pub fn of_file(file: &str, files: &BTreeMap<String, String>, problems: &mut Problems) -> Option<Self> {
        match Self::parse(&Arc::from(file), files.get(file)?) {
            Ok(node) => Some(node),
            Err(problem) => {
                problems.0.push(problem);
                None
            }
        }
    }

    /// The value as plain JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Number(value) => Value::Number(value.clone()),
            Data::Text(value) => Value::String(value.clone()),
            Data::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Data::Map(entries) => Value::Object(
                entries.iter().map(|(key, (_, node))| (key.clone(), node.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// What a person would call this kind of value.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.data {
            Data::Null => "nothing",
            Data::Bool(_) => "a boolean",
            Data::Number(_) => "a number",
            Data::Text(_) => "text",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }

    /// Lays `over` on top: maps merge by key, `null` removes a key, everything else is replaced.
    #[must_use]
    pub fn merged(self, over: Self) -> Self {
        match (self.data, over.data) {
            (Data::Map(mut base), Data::Map(changes)) => {
                for (key, (place, node)) in changes {
                    match base.shift_remove(&key) {
                        _ if matches!(node.data, Data::Null) => {}
                        Some((_, old)) => {
                            base.insert(key, (place, old.merged(node)));
                        }
                        None => {
                            base.insert(key, (place, node));
                        }
                    }
                }
                Self { place: over.place, data: Data::Map(base) }
            }
            (_, data) => Self { place: over.place, data },
        }
    }
}

enum Raw {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

fn raw_to_node(file: &Arc<str>, raw: Spanned<Raw>) -> Node {
    let at = raw.referenced;
    let place = Place { file: file.clone(), line: at.line(), column: at.column() };
    let data = match raw.value {
        Raw::Null => Data::Null,
        Raw::Bool(value) => Data::Bool(value),
        Raw::Number(value) => Data::Number(value),
        Raw::Text(value) => Data::Text(value),
        Raw::List(items) => Data::List(items.into_iter().map(|item| raw_to_node(file, item)).collect()),
        Raw::Map(entries) => Data::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let at = key.referenced;
                    let place = Place { file: file.clone(), line: at.line(), column: at.column() };
                    (key.value, (place, raw_to_node(file, value)))
                })
                .collect(),
        ),
    };
    Node { place, data }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Raw, E> {
        serde_json::Number::from_f64(value)
            .map(Raw::Number)
            .ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::{Data, Node};
    use serde_json::json;

    fn parse(text: &str) -> Node {
        Node::parse(&"t.yaml".into(), text).unwrap()
    }

    #[test]
    fn scalars_are_strict_and_places_are_known() {
        let node = parse("a: no\nb: '0123'\nc:\n  - true\n  - 12\n  - null\n  - '7'\n");
        assert_eq!(node.to_json(), json!({"a": "no", "b": "0123", "c": [true, 12, null, "7"]}));
        let Data::Map(map) = node.data else { panic!("a map") };
        assert_eq!((map["c"].0.line, map["b"].1.place.column), (3, 4));
    }

    #[test]
    fn merging_keeps_removes_and_replaces() {
        let merged = parse("a: {x: 1, y: 2}\nb: [1]\nc: 1").merged(parse("a: {y: 3, x: null}\nb: [2]"));
        assert_eq!(merged.to_json(), json!({"a": {"y": 3}, "b": [2], "c": 1}));
    }

    #[test]
    fn a_duplicate_key_and_broken_text_have_a_place() {
        assert_eq!(Node::parse(&"t".into(), "a: 1\na: 2").unwrap_err().place.line, 2);
        assert!(Node::parse(&"t".into(), "a: [1").is_err());
    }
}
