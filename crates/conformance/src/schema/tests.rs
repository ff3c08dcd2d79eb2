//! Schemas as specifications write them, right or wrong.

use serde_json::{Value, json};

use super::{Direction, Schemas};

/// Which of the values fit.
fn fitting(document: Value, schema: &Value, direction: Direction, values: &[Value]) -> Vec<Value> {
    let validator = Schemas::new(document, "").validator(schema, direction).unwrap();
    values.iter().filter(|value| validator.is_valid(value)).cloned().collect()
}

fn answers(schema: &Value, values: &[Value]) -> Vec<Value> {
    fitting(json!({}), schema, Direction::Answer, values)
}

#[test]
fn null_is_allowed_where_it_is_said_in_whatever_way() {
    let values = [json!(null), json!("a"), json!("c")];
    let nullable = [
        json!({"type": "string", "nullable": true}),
        json!({"type": ["string", "null"]}),
        json!({"type": "string", "x-nullable": true}),
    ];
    for schema in nullable {
        assert_eq!(answers(&schema, &values).len(), 3, "{schema}");
    }
    let words = json!({"type": "string", "enum": ["a", "b"], "nullable": true});
    assert_eq!(answers(&words, &values), [json!(null), json!("a")]);
    let beside = json!({"$ref": "#/name", "nullable": true});
    assert_eq!(fitting(json!({"name": {"type": "string"}}), &beside, Direction::Answer, &values).len(), 3);
    assert_eq!(answers(&json!({"type": "string"}), &values).len(), 2);
}

#[test]
fn bounds_are_exclusive_in_the_old_way_and_the_new() {
    let values = [json!(4), json!(5)];
    for schema in [
        json!({"maximum": 5, "exclusiveMaximum": true}),
        json!({"exclusiveMaximum": 5}),
        json!({"exclusiveMaximum": "5"}),
    ] {
        assert_eq!(answers(&schema, &values), [json!(4)], "{schema}");
    }
    assert_eq!(answers(&json!({"maximum": "5", "exclusiveMaximum": false}), &values).len(), 2);
}

#[test]
fn what_is_read_only_is_not_sent_and_not_missed() {
    let document =
        json!({"id": {"type": "string", "readOnly": true}, "base": {"required": ["id", "name", "secret"]}});
    let schema = json!({"allOf": [{"$ref": "#/base"}, {"properties": {
        "id": {"$ref": "#/id"}, "name": {"type": "string"}, "secret": {"type": "string", "writeOnly": true}
    }, "required": ["id", "secret"]}]});
    let sent = [
        json!({"name": "a", "secret": "b"}),
        json!({"name": "a", "secret": "b", "id": "c"}),
        json!({"name": "a"}),
    ];
    assert_eq!(fitting(document.clone(), &schema, Direction::Request, &sent), [sent[0].clone()]);
    let back = [
        json!({"name": "a", "id": "c"}),
        json!({"name": "a", "id": "c", "secret": "b"}),
        json!({"name": "a"}),
    ];
    assert_eq!(fitting(document, &schema, Direction::Answer, &back), [back[0].clone()]);
}

#[test]
fn definitions_may_refer_to_themselves() {
    let document = json!({"tree": {"type": "object", "properties": {"left": {"$ref": "#/tree"}, "name": {"type": "string"}}}});
    let values = [json!({"left": {"left": {"name": "a"}}}), json!({"left": {"left": {"name": 1}}})];
    assert_eq!(
        fitting(document, &json!({"$ref": "#/tree"}), Direction::Answer, &values),
        [values[0].clone()]
    );
}

#[test]
fn mistakes_of_a_schema_are_passed_over() {
    let mistakes = [
        json!({"type": "file"}),
        json!({"type": ["string", "any"]}),
        json!({"required": true}),
        json!({"enum": []}),
        json!({"enum": "a"}),
        json!({"pattern": "(?<"}),
        json!({"minLength": -1, "maxLength": "5", "minimum": "low"}),
        json!({"properties": []}),
        json!({"allOf": [], "anyOf": {}, "oneOf": null}),
        json!({"items": 7, "additionalProperties": "no"}),
        json!({"$ref": "#/nowhere"}),
        json!({"$ref": "other.json#/a"}),
        json!({"$ref": 7}),
        json!("string"),
        json!(null),
    ];
    for schema in mistakes {
        assert_eq!(answers(&schema, &[json!("a")]).len(), 1, "{schema}");
    }
}

#[test]
fn unions_may_overlap() {
    let either = json!({"oneOf": [{"type": "integer"}, {"type": "number"}], "anyOf": [{"minimum": 1}]});
    assert_eq!(answers(&either, &[json!(1), json!(0), json!("1")]), [json!(1)]);
}
