//! Properties that a schema does not know. JSON Schema lets them pass unless it is told otherwise, but they are
//! mistakes all the same: ours when we send them, and ones that connector and sandbox may agree on when they come back.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::schema::Schemas;

/// Stands for "anything may be here".
const ANYTHING: &Value = &Value::Bool(true);

/// JSON pointers to the properties that the schema does not know. Objects of which a schema says itself whether it
/// knows all (`additionalProperties` and the like), or of which it names no property, are passed over.
pub(crate) fn strangers(schemas: &Schemas, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(schemas, &parts(schemas, [schema]), value, "", &mut found);
    found
}

fn walk(schemas: &Schemas, parts: &[&Value], value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let is_open = is_open(parts);
            for (name, inner) in map {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                let named = parts.iter().filter_map(|part| part["properties"].get(name));
                let named: Vec<_> = named.collect();
                if !named.is_empty() {
                    walk(schemas, &self::parts(schemas, named), inner, &at, found);
                } else if !is_open {
                    found.push(at);
                }
            }
        }
        Value::Array(items) => {
            let of_items = parts.iter().map(|part| &part["items"]).filter(|items| items.is_object());
            let of_items = self::parts(schemas, of_items);
            for (number, item) in items.iter().enumerate().filter(|_| !of_items.is_empty()) {
                walk(schemas, &of_items, item, &format!("{at}/{number}"), found);
            }
        }
        _ => {}
    }
}

/// Whether properties may be here that no part names.
pub(crate) fn is_open(parts: &[&Value]) -> bool {
    let says_itself = ["additionalProperties", "unevaluatedProperties", "patternProperties"];
    let speaks = |part: &&Value| says_itself.iter().any(|key| part.get(key).is_some());
    let names = |part: &&Value| part["properties"].as_object().is_some_and(|names| !names.is_empty());
    parts.contains(&ANYTHING) || parts.iter().any(speaks) || !parts.iter().any(names)
}

/// Every schema that has a say in a value, alternatives included.
pub(crate) fn parts<'s>(schemas: &'s Schemas, of: impl IntoIterator<Item = &'s Value>) -> Vec<&'s Value> {
    let mut collection = Collection { schemas, seen: BTreeSet::new(), parts: Vec::new() };
    of.into_iter().for_each(|schema| collection.add(schema));
    collection.parts
}

struct Collection<'s> {
    schemas: &'s Schemas,
    seen: BTreeSet<String>,
    parts: Vec<&'s Value>,
}

impl<'s> Collection<'s> {
    fn add(&mut self, schema: &'s Value) {
        self.parts.push(schema);
        let Value::Object(map) = schema else { return };
        self.refer(map.get("$ref"));
        // subtypes that are told apart by a property, and are listed nowhere else
        let mapping = map.get("discriminator").and_then(|it| it["mapping"].as_object());
        mapping.into_iter().flat_map(Map::values).for_each(|target| self.refer(Some(target)));
        let branches = |key: &str| map.get(key).and_then(Value::as_array).into_iter().flatten();
        for branch in branches("allOf") {
            self.add(branch);
        }
        for branch in branches("anyOf").chain(branches("oneOf")) {
            self.add(if takes_anything(branch) { ANYTHING } else { branch });
        }
    }

    fn refer(&mut self, reference: Option<&Value>) {
        let Some(reference) = reference.and_then(Value::as_str) else { return };
        if self.seen.insert(reference.to_owned()) {
            self.add(self.schemas.target(reference).unwrap_or(ANYTHING));
        }
    }
}

/// An alternative that is an object of any kind.
fn takes_anything(branch: &Value) -> bool {
    let says = ["properties", "required", "$ref", "allOf", "anyOf", "oneOf", "enum"];
    let is_object = branch.get("type").is_none_or(|kind| kind == "object");
    is_object && !says.iter().any(|key| branch.get(key).is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::strangers;
    use crate::schema::Schemas;

    fn found(schema: &Value, value: &Value) -> Vec<String> {
        let document = json!({"a": {"properties": {"x": {}, "next": {"$ref": "#/a"}}}, "b": {"allOf": [{"$ref": "#/a"}, {"properties": {"y": {}}}]},
            "base": {"properties": {"kind": {}}, "discriminator": {"propertyName": "kind", "mapping": {"sub": "#/sub"}}},
            "sub": {"allOf": [{"$ref": "#/base"}, {"properties": {"more": {}}}]}});
        strangers(&Schemas::new(document, ""), schema, value)
    }

    #[test]
    fn a_property_that_no_part_names_is_a_stranger() {
        let value = json!({"x": 1, "y": 2, "z/1": 3, "next": {"next": {"q": 1}}});
        assert_eq!(found(&json!({"$ref": "#/b"}), &value), ["/z~11", "/next/next/q"]);
        assert_eq!(found(&json!({"items": {"$ref": "#/a"}}), &json!([{"x": 1}, {"y": 1}])), ["/1/y"]);
        assert_eq!(found(&json!({"anyOf": [{"$ref": "#/a"}, {"type": "null"}]}), &json!({"w": 1})), ["/w"]);
        let more = json!({"kind": "sub", "more": 1, "less": 1});
        assert_eq!(found(&json!({"$ref": "#/base"}), &more), ["/less"]);
    }

    #[test]
    fn where_anything_may_be_nothing_is_a_stranger() {
        let value = json!({"w": {"v": 1}});
        let open = [
            json!({}),
            json!({"type": "object"}),
            json!({"properties": {"x": {}}, "additionalProperties": true}),
            json!({"anyOf": [{"$ref": "#/a"}, {"type": "object"}]}),
            json!({"$ref": "#/not/there"}),
        ];
        for schema in open {
            assert_eq!(found(&schema, &value), [""; 0], "{schema}");
        }
    }
}
