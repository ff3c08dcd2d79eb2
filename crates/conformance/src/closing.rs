//! Whether a schema names all properties of its objects. JSON Schema lets everything else pass; a request that
//! holds a property which the specification does not know is a mistake all the same.

use serde_json::Value;

use crate::schema::Schemas;

/// How deep definitions may refer to each other before they count as open.
const DEEPEST: usize = 12;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// It lets any property pass.
    Open,
    /// It says nothing of properties.
    Silent,
    /// It lists them.
    All,
}

/// Whether an object that fits may be held to the properties that the schema names, and does not hold it to them
/// itself.
pub(crate) fn names_its_properties(schemas: &Schemas, schema: &Value) -> bool {
    names(schemas, schema, 0) == Names::All
}

fn names(schemas: &Schemas, schema: &Value, depth: usize) -> Names {
    let Value::Object(map) = schema else { return if schema == false { Names::Silent } else { Names::Open } };
    let says_itself = ["additionalProperties", "unevaluatedProperties", "patternProperties"];
    if depth > DEEPEST || says_itself.iter().any(|key| map.contains_key(*key)) {
        return Names::Open;
    }
    let own = match map.get("properties").and_then(Value::as_object) {
        Some(properties) if !properties.is_empty() => Names::All,
        _ if map.get("type") == Some(&Value::from("object")) && !is_composed(map) => Names::Open,
        _ => Names::Silent,
    };
    let target = map.get("$ref").and_then(Value::as_str).map(|name| schemas.target(name));
    let target = target.map(|target| target.map_or(Names::Open, |target| names(schemas, target, depth + 1)));
    let branches = |key: &str| map.get(key).and_then(Value::as_array).into_iter().flatten();
    let mut all = vec![own];
    all.extend(target);
    all.extend(branches("allOf").map(|branch| names(schemas, branch, depth + 1)));
    for branch in branches("anyOf").chain(branches("oneOf")) {
        let lets_all_pass = branch.as_object().is_some_and(serde_json::Map::is_empty);
        all.push(if lets_all_pass { Names::Open } else { names(schemas, branch, depth + 1) });
    }
    if all.contains(&Names::Open) {
        Names::Open
    } else if all.contains(&Names::All) {
        Names::All
    } else {
        Names::Silent
    }
}

fn is_composed(map: &serde_json::Map<String, Value>) -> bool {
    ["$ref", "allOf", "anyOf", "oneOf"].iter().any(|key| map.contains_key(*key))
}
