//! From text on the wire to values that a schema can judge.

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::{Map, Value, json};

/// The fields of a form as an object: repeated names and `name[]` are lists, `name[key]` is an object.
pub(crate) fn object(pairs: &[(String, String)]) -> Value {
    let mut object = Map::new();
    for (name, value) in pairs {
        let value = Value::String(value.clone());
        let (base, key) = match name.split_once('[') {
            Some((base, rest)) => (base, Some(rest.trim_end_matches(']'))),
            None => (name.as_str(), None),
        };
        let entry = object.get_mut(base);
        match (key, entry) {
            (None, None) => drop(object.insert(base.to_owned(), value)),
            (Some(key), None) if is_index(key) => drop(object.insert(base.to_owned(), json!([value]))),
            (Some(key), None) => drop(object.insert(base.to_owned(), json!({key: value}))),
            (Some(key), Some(Value::Object(map))) => drop(map.insert(key.to_owned(), value)),
            (_, Some(Value::Array(all))) => all.push(value),
            (_, Some(one)) => *one = json!([one.take(), value]),
        }
    }
    Value::Object(object)
}

fn is_index(key: &str) -> bool {
    key.chars().all(|c| c.is_ascii_digit())
}

/// Name and text of each part of a `multipart/form-data` body.
pub(crate) fn parts(content_type: &str, text: &str) -> Vec<(String, String)> {
    let boundary = content_type.split("boundary=").nth(1).unwrap_or_default();
    let boundary = format!("--{}", boundary.split(';').next().unwrap_or_default().trim_matches('"'));
    let part = |part: &str| {
        let (head, body) = part.split_once("\r\n\r\n")?;
        let name = head.split("name=\"").nth(1)?.split('"').next()?;
        Some((name.to_owned(), body.trim_end_matches("\r\n").to_owned()))
    };
    text.split(boundary.as_str()).filter_map(part).collect()
}

/// Texts that the schema wants to be numbers, booleans, lists or JSON become that, where that is what they say.
pub(crate) fn typed(validator: &Validator, mut value: Value, separator: char) -> Value {
    // lists become lists before their items become numbers
    for _ in 0..3 {
        let wrong: Vec<String> =
            validator.iter_errors(&value).map(|error| error.instance_path().as_str().to_owned()).collect();
        let mut changed = false;
        for pointer in wrong {
            let Some(Value::String(text)) = value.pointer(&pointer) else { continue };
            let better = readings(text, separator).into_iter().find(|reading| {
                let mut tried = value.clone();
                if let Some(at) = tried.pointer_mut(&pointer) {
                    *at = reading.clone();
                }
                is_of_kind(validator, &tried, &pointer)
            });
            if let (Some(better), Some(at)) = (better, value.pointer_mut(&pointer)) {
                *at = better;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    value
}

/// Whether the value at the pointer is of the right kind, if not within its bounds, whatever is inside of it.
fn is_of_kind(validator: &Validator, value: &Value, pointer: &str) -> bool {
    let wrong_kind = |kind: &Kind| matches!(kind, Kind::Type { .. } | Kind::AnyOf { .. } | Kind::Enum { .. });
    validator
        .iter_errors(value)
        .all(|error| error.instance_path().as_str() != pointer || !wrong_kind(error.kind()))
}

fn readings(text: &str, separator: char) -> Vec<Value> {
    let mut readings: Vec<Value> = serde_json::from_str(text).into_iter().collect();
    readings.push(text.split(separator).map(|item| Value::String(item.to_owned())).collect());
    readings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{object, parts, typed};

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn forms_become_objects() {
        let form = pairs(&[("a", "1"), ("b[]", "2"), ("b[]", "3"), ("c[x]", "4"), ("d", "5"), ("d", "6")]);
        assert_eq!(object(&form), json!({"a": "1", "b": ["2", "3"], "c": {"x": "4"}, "d": ["5", "6"]}));
    }

    #[test]
    fn parts_have_names() {
        let text = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n--x--\r\n";
        assert_eq!(parts("multipart/form-data; boundary=x", text), pairs(&[("a", "1\r\n2")]));
    }

    #[test]
    fn texts_become_what_the_schema_wants() {
        let schema = json!({"properties": {
            "n": {"type": "integer", "maximum": 5}, "yes": {"type": "boolean"}, "text": {"type": "string"},
            "list": {"type": "array", "items": {"type": "integer"}}, "or": {"anyOf": [{"type": "number"}, {"type": "null"}]}
        }});
        let validator = jsonschema::validator_for(&schema).unwrap();
        let value = json!({"n": "3", "yes": "true", "text": "7", "list": "1,2", "or": "8"});
        let wanted = json!({"n": 3, "yes": true, "text": "7", "list": [1, 2], "or": 8});
        assert_eq!(typed(&validator, value, ','), wanted);
        assert_eq!(typed(&validator, json!({"n": "9"}), ','), json!({"n": 9}), "out of bounds, but a number");
        let wrong = json!({"n": "three", "yes": "maybe"});
        assert_eq!(typed(&validator, wrong.clone(), ','), wrong);
    }
}
