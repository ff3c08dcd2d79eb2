//! Query strings with nested values.

use serde_json::{Value, json};

use super::{eval, fails};

#[test]
fn query_strings_are_read() {
    for (text, wanted) in [
        (
            "a[b]=c&d=1&d=2&e[]=x&f[0]=y&f[1]=z",
            json!({"a": {"b": "c"}, "d": ["1", "2"], "e": ["x"], "f": ["y", "z"]}),
        ),
        ("?a=1", json!({"?a": "1"})),
        ("", json!({})),
        ("a[21]=x&a[2]=y", json!({"a": {"21": "x", "2": "y"}})),
        ("a[20]=x", json!({"a": {"20": "x"}})),
        ("a[19]=x", json!({"a": ["x"]})),
        ("a[2]=x&a[0]=y", json!({"a": ["y", "x"]})),
        ("a[b][c][d][e][f][g][h]=1", json!({"a": {"b": {"c": {"d": {"e": {"f": {"[g][h]": "1"}}}}}}})),
        ("a[][b]=1&a[][c]=2", json!({"a": [{"b": "1", "c": "2"}]})),
        ("a=b+c%20d&x&y=", json!({"a": "b c d", "x": "", "y": ""})),
        ("a[b]=1&a=2", json!({"a": [{"b": "1"}, "2"]})),
        ("a=2&a[b]=1", json!({"a": ["2", {"b": "1"}]})),
        ("a[]=1&a[b]=2", json!({"a": {"0": "1", "b": "2"}})),
        ("a.b=1", json!({"a.b": "1"})),
        ("__proto__[x]=1&a[hasOwnProperty]=1&toString=2", json!({})),
        ("a%5Bb%5D=c", json!({"a": {"b": "c"}})),
        ("a=%E0%A4%A", json!({"a": "%E0%A4%A"})),
        ("a=%ff", json!({"a": "%ff"})),
        ("a]=1&[b]=2&[]=3&[0]=4&=5", json!({"a]": "1", "b": "2", "0": ["3", "4"]})),
        ("a[b=1&a[[c]]=2&a[b]c=3", json!({"a": {"[b": "1", "[c]": "2", "b": "3"}})),
        ("a[01]=x&b[-1]=y", json!({"a": {"01": "x"}, "b": {"-1": "y"}})),
        ("a[]=&b[]", json!({"a": [""], "b": [""]})),
        ("a[0][x]=1&a[0][y]=2&a[1][x]=3", json!({"a": [{"x": "1", "y": "2"}, {"x": "3"}]})),
        ("a[x][]=1&a[x][]=2", json!({"a": {"x": ["1", "2"]}})),
        ("a=1&a[]=2&a[5]=3", json!({"a": ["1", "2", "3"]})),
        ("a[b[c]]=1", json!({"a": {"b[c]": "1"}})),
        ("a[]=1&a=2", json!({"a": ["1", "2"]})),
        ("a[][]=1", json!({"a": ["1"]})),
        ("a[0]=1&a[0]=2", json!({"a": [["1", "2"]]})),
        ("a[b]=1&a[b]=2&a[c][0]=9", json!({"a": {"b": ["1", "2"], "c": ["9"]}})),
    ] {
        assert_eq!(eval("$parseQuery(text)", &json!({"text": text})), Some(wanted), "{text}");
    }
    assert_eq!(
        eval("$parseQuery('?a=1', {'ignoreQueryPrefix': true})", &Value::Null),
        Some(json!({"a": "1"}))
    );
    assert_eq!(eval("$parseQuery(nope)", &Value::Null), Some(json!({})));
    assert!(fails("$parseQuery('a=1', {'comma': true})"), "an option that would be ignored");
}

#[test]
fn long_lists_and_queries_stay_small() {
    let read = |text: String| eval("$parseQuery(text)", &json!({"text": text})).unwrap();
    let list = read("a[]=x&".repeat(25));
    assert_eq!(list["a"].as_object().unwrap().len(), 25, "an object by position");
    assert_eq!(list["a"]["24"], "x");
    let pairs: String = (0..2000).map(|number| format!("k{number}=v&")).collect();
    assert_eq!(read(pairs).as_object().unwrap().len(), 1000);
    assert_eq!(read("a[999999999]=x".to_owned()), json!({"a": {"999999999": "x"}}));
}

#[test]
fn query_strings_are_written() {
    for (arguments, wanted) in [
        (
            r#"{"a": [1, 2], "b": {"c": "x y"}, "d": null, "e": true, "f": ""}"#,
            "a%5B0%5D=1&a%5B1%5D=2&b%5Bc%5D=x%20y&d=&e=true&f=",
        ),
        (r#"{"a": [1, 2]}, {"arrayFormat": "brackets"}"#, "a%5B%5D=1&a%5B%5D=2"),
        (r#"{"a": [1, 2]}, {"arrayFormat": "comma"}"#, "a=1%2C2"),
        (r#"{"a": [1, null, 2]}, {"arrayFormat": "comma", "encode": false}"#, "a=1,,2"),
        (r#"{"a": [1, 2]}, {"arrayFormat": "repeat"}"#, "a=1&a=2"),
        (r#"{"a": [{"x": 1}, {"y": [2, 3]}]}, {"encode": false}"#, "a[0][x]=1&a[1][y][0]=2&a[1][y][1]=3"),
        (
            r#"{"a": [{"x": 1}, {"y": [2, 3]}]}, {"encode": false, "arrayFormat": "brackets"}"#,
            "a[][x]=1&a[][y][]=2&a[][y][]=3",
        ),
        (r#"{"a": [{"x": 1}, {"y": [2]}]}, {"encode": false, "arrayFormat": "repeat"}"#, "a[x]=1&a[y]=2"),
        (r#"{"a": {"b": "c d"}}, {"encode": false}"#, "a[b]=c d"),
        (r#"{"a": [], "b": {}}"#, ""),
        (r#"{"a": [null]}"#, "a%5B0%5D="),
        (r#"{"a b": "~!*'()-_.é+/&=?@"}"#, "a%20b=~%21%2A%27%28%29-_.%C3%A9%2B%2F%26%3D%3F%40"),
        ("[1, 2]", "0=1&1=2"),
        ("nope", ""),
        ("null", ""),
        (r#""abc""#, ""),
        (r#"{"d": $dtFromIso("2024-03-05")}"#, "d=2024-03-05T00%3A00%3A00.000%2B00%3A00"),
    ] {
        let source = format!("$stringifyQuery({arguments})");
        assert_eq!(eval(&source, &Value::Null), Some(json!(wanted)), "{source}");
    }
    assert!(fails("$stringifyQuery({'a': 1}, {'arrayFormat': 'other'})"));
    assert!(fails("$stringifyQuery({'a': 1}, {'allowDots': true})"));
}

#[test]
fn deep_values_are_written_and_texts_do_not_grow_without_bound() {
    let deep = "$stringifyQuery($reduce([1..2000], function($a, $i) { {'k': $a} }, 1), {'encode': false})";
    assert_eq!(eval(deep, &Value::Null), Some(json!(format!("k{}=1", "[k]".repeat(1999)))));
    assert!(fails("($w := $pad('', 1000000, '?'); $stringifyQuery({'a': [$w, $w, $w, $w, $w]}))"));
}
