//! Empty values, lists, objects, text: the functions that mappings are made of.

use serde_json::{Value, json};

use super::{Expr, eval};

#[test]
fn vectors_of_the_function_table() {
    let input = json!({"a": [{"n": 1}], "e": {"a": []}, "x": [{"n": 1}, {"n": 2}], "o": {"a": 1, "b": {"c": 2, "d": 3}}});
    for (source, wanted) in [
        (r#"a.{"x": n}"#, Some(json!({"x": 1}))),
        (r#"e.a.{"x": n}"#, None),
        (r#"[a.{"x": n}]"#, Some(json!([{"x": 1}]))),
        (r#"{"a": nope, "b": null}"#, Some(json!({"b": null}))),
        (r#"$firstNonEmpty(nope, null, "", 1)"#, Some(json!(""))),
        (r#"$firstNonEmpty(nope)"#, None),
        (r#"$mapValues("ADMIN", {"Admin": "administrator"})"#, Some(json!("administrator"))),
        (r#"$mapValues(1, {"1": "owner"})"#, Some(json!("owner"))),
        (r#"$mapValues(true, {"true": "active"})"#, Some(json!(true))),
        (r#"$mapValues($string(true), {"true": "active"})"#, Some(json!("active"))),
        (r#"$mapValues("zz", {"a": 1}, false, "dflt")"#, Some(json!("zz"))),
        (r#"$mapValues(nope, {"a": 1}, false, "dflt")"#, Some(json!("dflt"))),
        (r#"$mapValues(nope, {"a": 1})"#, None),
        (r#"$mapValues(null, {"a": 1})"#, Some(Value::Null)),
        (r#"$mapValues(["A", "b", null], {"a": "x"})"#, Some(json!(["x", "b", null]))),
        (r#"$mapValues({"k": "A", "n": {"z": "a"}}, {"a": "x"})"#, Some(json!({"k": "x", "n": {"z": "x"}}))),
        (r#"$mapValues("A", {"a": false})"#, Some(json!(false))),
        (r#"$mapValues("A", {"a": null})"#, Some(json!("A"))),
        (r#"$mapValues("Abc", {"Abc": 1}, true)"#, Some(json!("Abc"))),
        (r#"$mapValues("", {"": "blank"})"#, Some(json!("blank"))),
        (r#"$removeEmptyItems([null, "", 0, false, {}, [], "a"])"#, Some(json!(["a"]))),
        (r#"$compact([0, 1, false, 2, "", 3, null])"#, Some(json!([1, 2, 3]))),
        (r#"$join([1, 2, null])"#, Some(json!("1,2,"))),
        (r#"$join(["a", nope, "b"], " ")"#, Some(json!("a b"))),
        (r#"$join(nope)"#, Some(json!(""))),
        (r#"$pick(o, ["a", "b.c"])"#, Some(json!({"a": 1, "b": {"c": 2}}))),
        (r#"$omit(o, "b.d")"#, Some(json!({"a": 1, "b": {"c": 2}}))),
        (r#"$find(x, ["n", 2])"#, Some(json!({"n": 2}))),
        (r#"$lofilter(x, {"n": 2})"#, Some(json!([{"n": 2}]))),
        (r#"$keyBy(x, "n")"#, Some(json!({"1": {"n": 1}, "2": {"n": 2}}))),
        (r#"$values(o.b)"#, Some(json!([2, 3]))),
        (r#"$toNumber(" 7 ")"#, Some(json!(7))),
        (r#"$toNumber("0x10")"#, Some(json!(16))),
        (r#"$toNumber("x")"#, Some(Value::Null)),
        (r#"$jsonParse("{")"#, Some(Value::Null)),
        (r#"$base64encode("Zoë:pw")"#, Some(json!("Wm/Dqzpwdw=="))),
        (r#"$base64encode("??>>", true)"#, Some(json!("Pz8-Pg"))),
        (r#"$base64decode("Wm/Dqzpwdw==")"#, Some(json!("Zoë:pw"))),
    ] {
        assert_eq!(eval(source, &input), wanted, "{source}");
    }
}

#[test]
fn vectors_of_overridden_and_smaller_functions() {
    let input = json!({"o": {"a": 1, "b": 2}, "d": [{"n": 2}, {"n": 1}, {"m": 1}]});
    for (source, wanted) in [
        ("$each(null, function($v) { 1 })", None),
        ("$each(nope, function($v) { 1 })", None),
        ("$each(o, function($v, $k) { $k & $v })", Some(json!(["a1", "b2"]))),
        ("$each(o, function($v) { $v = 1 ? $v })", Some(json!(1))),
        ("o ~> $each(function($v) { $v })", Some(json!([1, 2]))),
        ("$sift(null, function($v) { true })", None),
        ("$sift(o, function($v) { $v = 9 })", None),
        ("$sift(o, function($v) { $v = 2 })", Some(json!({"b": 2}))),
        ("$removeEmpty([])", None),
        ("$removeEmpty({'a': 1})", None),
        ("$removeEmpty(['', null])", Some(json!(["", null]))),
        ("$removeEmptyItems(nope)", None),
        ("$removeEmptyItems('x')", Some(json!("x"))),
        ("$compact(nope)", Some(json!([]))),
        ("$compact('x')", Some(json!(["x"]))),
        ("$join('x')", Some(json!("x"))),
        ("$pick(nope, 'a')", Some(json!({}))),
        ("$omit(nope, 'a')", Some(json!({}))),
        ("$find(d, 'm')", Some(json!({"m": 1}))),
        ("$find(d, {'n': 9})", None),
        ("$lofilter(nope, 'a')", Some(json!([]))),
        ("$groupBy(d, 'n')", Some(json!({"2": [{"n": 2}], "1": [{"n": 1}], "undefined": [{"m": 1}]}))),
        ("$groupBy(nope, 'n')", Some(json!({"undefined": [null]}))),
        ("$keyBy(nope, 'n')", Some(json!({}))),
        ("$orderBy(d, ['n'], ['asc']).n", Some(json!([1, 2]))),
        ("$orderBy(d, 'n', ['desc'])", Some(json!([{"m": 1}, {"n": 2}, {"n": 1}]))),
        ("$values(nope)", Some(json!([]))),
        ("$chunk([1,2,3], 2)", Some(json!([[1, 2], [3]]))),
        ("$chunk(nope, 2)", Some(json!([[null]]))),
        ("$difference([1,2,3], [2])", Some(json!([1, 3]))),
        ("$flatten([1,[2,[3]]])", Some(json!([1, 2, [3]]))),
        ("$flattenDeep([1,[2,[3]]])", Some(json!([1, 2, 3]))),
        ("$flattenDepth([1,[2,[3]]], 1)", Some(json!([1, 2, [3]]))),
        ("$flatten(nope)", Some(json!([null]))),
        ("$wrap('a', '<', '>')", Some(json!("<a>"))),
        ("$wrap(nope, '-')", Some(json!("--"))),
        ("$jsonParse('{\"id\": 3074457345600000001}').id", Some(json!("3074457345600000001"))),
        ("$jsonParse(nope)", Some(Value::Null)),
        ("$toNumber('')", Some(json!(0))),
        ("$toNumber(null)", Some(json!(0))),
        ("$toNumber(true)", Some(json!(1))),
        ("$toNumber(nope)", Some(Value::Null)),
        ("$base64encode(nope)", Some(json!(""))),
        ("$base64encode(12)", Some(json!("MTI="))),
        ("$base64decode('Pz8-Pg', true)", Some(json!("??>>"))),
        ("$length($uuid())", Some(json!(36))),
        ("$pad('a', -3, '#')", Some(json!("##a"))),
        ("$pad('a', 3)", Some(json!("a  "))),
        (
            "$digest('a', 'SHA-256', 'base64-urlSafe')",
            Some(json!("ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs")),
        ),
        (
            "$sign('a', 'SHA-256', 'k')",
            Some(json!("78da91511e675587f5b9df78bedebaf5560da2abb88162ee875dcdf744951d9e")),
        ),
    ] {
        assert_eq!(eval(source, &input), wanted, "{source}");
    }
    for source in ["$removeEmpty(nope)", "$base64decode(nope)", "$parseUrl('/x')", "$pad('', 300000000)"] {
        assert!(Expr::compile(source, &[]).unwrap().eval(&input).is_err(), "{source}");
    }
}
