//! Filters as a condition.

use serde_json::{Value, json};

use super::{eval, fails};

fn assert_gives(vectors: &[(&str, &str)]) {
    for (arguments, wanted) in vectors {
        let source = format!("$convertQueryToSql({arguments})");
        assert_eq!(eval(&source, &Value::Null), Some(json!(wanted)), "{source}");
    }
}

#[test]
fn operators_columns_and_lists() {
    assert_gives(&[
        (r#"{"name": {"eq": "J"}, "age": {"gte": 3}}"#, "name = J AND age >= 3"),
        (
            r#"{"a": {"gt": 1, "lt": 5, "ne": 3, "lte": 4}}, [], {"a": "n"}"#,
            "n > 1 AND n < 5 AND n <> 3 AND n <= 4",
        ),
        (r#"{"a": "x", "c": 1}, ["a", "b"]"#, "a = x"),
        (r#"{"k": ["a", "b"]}"#, "k in (a,b)"),
        (r#"{"id": {"in": ["a", "b"]}}, [], {}, {"id": "string"}"#, "id in ('a','b')"),
        (r#"{"k": {"nin": ["a", "b"]}}, [], {}, {"k": "string"}"#, "k not in ('a','b')"),
        (r#"{"k": {"in": "a"}}, [], {}, {"k": "string"}"#, "k in ('a')"),
        (r#"{"k": {"in": [null, "a"]}}"#, "k in (a)"),
        (r#"{"k": []}"#, "k in ()"),
        (r#"{"k": {"like": "%a"}}, [], {}, {"k": "string"}, {"like": "LIKE"}"#, "k LIKE '%a'"),
        (r#"{"k": {"near": 1}}, [], {}, {}, {"near": "~"}"#, "k ~ 1"),
        (r#"{"b": {"eq": null}, "a": null, "c": 1}"#, "c = 1"),
        ("{}", ""),
        ("nope", ""),
    ]);
}

#[test]
fn types_say_how_a_value_is_written() {
    assert_gives(&[
        (r#"{"name": "J"}, [], {"name": "n"}, {"name": "string"}"#, "n = 'J'"),
        (r#"{"a": "x"}, ["a"], {"a": "b"}, {"b": "string"}"#, "b = x"),
        (r#"{"a": 5}, [], {}, {"a": "string"}"#, "a = '5'"),
        (r#"{"a": true, "b": 1.5}, [], {}, {"a": "boolean", "b": "number"}"#, "a = true AND b = 1.5"),
        (r#"{"d": {"gt": "2024-03-05T10:00:00Z"}}, [], {}, {"d": "date|yyyy-MM-dd"}"#, "d > '2024-03-05'"),
        (r#"{"d": "2024-03-05T10:00:00Z"}, [], {}, {"d": "date"}"#, "d = '2024-03-05T10:00:00.000+00:00'"),
        (r#"{"d": "2024-03-05T10:00:00Z"}, [], {}, {"d": "dotnetdate"}"#, "d = DateTime(2024,03,05)"),
        (r#"{"k": "A"}, [], {}, {"k": {"a": "x"}}"#, "k = 'x'"),
        (r#"{"k": "A"}, [], {}, {"k": {"a": true}}"#, "k = true"),
    ]);
}

#[test]
fn options() {
    assert_gives(&[
        (r#"{"n": "J"}, [], {}, {"n": "string"}, {}, {"useDoubleQuotes": true}"#, "n = \"J\""),
        (r#"{"n": "J"}, [], {}, {"n": "string"}, {}, {"noQuotes": true}"#, "n = J"),
        (r#"{"n": "O'R"}, [], {}, {"n": "string"}, {}, {"escapeSingleQuotes": true}"#, r"n = 'O\'R'"),
        (r#"{"d": "2024-03-05"}, [], {}, {"d": "date|yyyy"}, {}, {"noQuotesForDate": true}"#, "d = 2024"),
        (r#"{"k": ["a", "b"]}, [], {}, {}, {}, {"useOrForIn": true}"#, "(k = a OR k = b)"),
        (
            r#"{"a": 1, "b": 2}, [], {}, {}, {}, {"conjunction": "OR", "noSpaceBetweenOperator": true}"#,
            "a=1 OR b=2",
        ),
        (
            r#"{"a": 1, "b": 2, "c": 3}, [], {}, {}, {}, {"groupComparisonInBrackets": true}"#,
            "((a = 1 AND b = 2) AND c = 3)",
        ),
        (r#"{"a": 1}, [], {}, {}, {}, {"groupComparisonInBrackets": true}"#, "a = 1"),
    ]);
}

#[test]
fn a_typed_value_cannot_leave_its_quotes() {
    let input = json!({"v": r#"x' OR "1"='1\' OR 1=1"#, "key": {"1=1 OR a": 1}});
    for (options, wanted) in [
        ("{}", r#"n = 'x'' OR "1"=''1\'' OR 1=1'"#),
        ("{'escapeSingleQuotes': true}", r#"n = 'x\' OR "1"=\'1\\\' OR 1=1'"#),
        ("{'useDoubleQuotes': true}", r#"n = "x' OR ""1""='1\' OR 1=1""#),
    ] {
        let source = format!("$convertQueryToSql({{'n': v}}, [], {{}}, {{'n': 'string'}}, {{}}, {options})");
        assert_eq!(eval(&source, &input), Some(json!(wanted)), "{options}");
    }
    for source in [
        "$convertQueryToSql({'1=1 OR a': 1})",
        "$convertQueryToSql({'or': {'a': 1}})",
        "$convertQueryToSql({'a': {'zz': 1}})",
        "$convertQueryToSql({'d': 'bad'}, [], {}, {'d': 'date'})",
        "$convertQueryToSql({'d': 'bad'}, [], {}, {'d': 'dotnetdate'})",
        "($wide := $pad('', 1000000); $convertQueryToSql({'a': [$wide, $wide, $wide, $wide, $wide]}))",
    ] {
        assert!(fails(source), "{source}");
    }
    let renamed = "$convertQueryToSql({'a b': 1}, [], {'a b': '\"a b\"'})";
    assert_eq!(eval(renamed, &input), Some(json!("\"a b\" = 1")), "the author may name any column");
}
