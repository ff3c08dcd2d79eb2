//! XML against a schema. How a list is written differs from vendor to vendor, and a text is no number before somebody
//! reads it; what can be said is which elements there are, and what their texts may be.

use serde_json::Value;

use crate::explain::Wrong;
use crate::schema::Schemas;
use crate::strangers::{is_open, parts};

/// Elements that the schema does not know, and texts that are not what it wants. The value is a document as the
/// connector's language sees it: `{"user": {"@id": "7", "name": "Ada"}}`.
pub(super) fn wrongs(schemas: &Schemas, schema: &Value, document: &Value) -> Vec<Wrong> {
    let mut found = Vec::new();
    // the schema is that of the outermost element, whatever its name
    for (name, root) in document.as_object().into_iter().flatten() {
        walk(schemas, &parts(schemas, [schema]), root, &format!("/{name}"), &mut found);
    }
    found
}

fn walk(schemas: &Schemas, of: &[&Value], value: &Value, at: &str, found: &mut Vec<Wrong>) {
    // A list is its items in a row, inside of an element or not.
    let items = of.iter().map(|part| &part["items"]).filter(|items| items.is_object());
    let of: Vec<&Value> = of.iter().copied().chain(parts(schemas, items)).collect();
    match value {
        Value::Object(map) => {
            let is_open = is_open(&of);
            for (name, inner) in map.iter().filter(|(name, _)| !name.starts_with(['@', '#'])) {
                let at = format!("{at}/{name}");
                let named: Vec<_> = of.iter().filter_map(|part| part["properties"].get(name)).collect();
                if !named.is_empty() {
                    walk(schemas, &parts(schemas, named), inner, &at, found);
                } else if !is_open {
                    found.push((at, "the specification knows no such element".to_owned()));
                }
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                walk(schemas, &of, item, &format!("{at}/{number}"), found);
            }
        }
        Value::String(text) if !text.is_empty() => {
            found.extend(unfit(&of, text).map(|says| (at.to_owned(), says)));
        }
        _ => {}
    }
}

/// What the text should be, when no part lets it pass.
fn unfit(of: &[&Value], text: &str) -> Option<String> {
    let kinds: Vec<_> = of.iter().filter_map(|part| part["type"].as_str()).collect();
    let fits = |kind: &&str| match *kind {
        "integer" => text.parse::<i64>().is_ok(),
        "number" => text.parse::<f64>().is_ok(),
        "boolean" => text == "true" || text == "false",
        _ => true,
    };
    if !kinds.is_empty() && !kinds.iter().any(fits) {
        return Some(format!("it must be {}, it is {text:?}", kinds.join(" or ")));
    }
    let words: Vec<_> = of.iter().filter_map(|part| part["enum"].as_array()).flatten().collect();
    let is_one =
        words.iter().any(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned) == text);
    (!words.is_empty() && !is_one).then(|| {
        format!("it must be one of {}, it is {text:?}", Value::from_iter(words.into_iter().cloned()))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::wrongs;
    use crate::schema::Schemas;

    #[test]
    fn elements_and_their_texts_are_held_against_the_schema() {
        let schemas = Schemas::new(json!({}), "");
        let user = json!({"type": "object", "properties": {"id": {"type": "integer"}, "on": {"type": "boolean"}, "kind": {"enum": ["a", "b"]}}});
        let schema =
            json!({"type": "array", "items": {"properties": {"size": {"type": "integer"}, "user": user}}});
        let told = |document| wrongs(&schemas, &schema, &document);
        let good = json!({"users": {"size": "2", "user": [{"@x": "1", "id": "7", "on": "true", "kind": "a"}, {"id": "", "on": ""}]}});
        assert_eq!(told(good), []);
        let bad = json!({"users": {"user": {"id": "x", "on": "yes", "kind": "c", "name": "Ada"}}});
        let told: Vec<_> = told(bad).into_iter().map(|(at, says)| format!("{at}: {says}")).collect();
        assert_eq!(
            told,
            [
                "/users/user/id: it must be integer, it is \"x\"",
                "/users/user/on: it must be boolean, it is \"yes\"",
                "/users/user/kind: it must be one of [\"a\",\"b\"], it is \"c\"",
                "/users/user/name: the specification knows no such element",
            ]
        );
    }
}
