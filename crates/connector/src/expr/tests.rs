use super::Expr;
use proptest::prelude::*;
use serde_json::{Value, json};

fn eval(source: &str, input: &Value) -> Option<Value> {
    Expr::compile(source, &[]).unwrap().eval(input).unwrap()
}

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

#[test]
fn vectors_of_urls() {
    let input = json!({"u": "https://a:b@x.test:8443/p?cursor=1%202&k=1&k=2#h"});
    for (source, wanted) in [
        ("$parseUrl(u).host", json!("x.test:8443")),
        ("$parseUrl(u).origin", json!("https://x.test:8443")),
        ("$parseUrl(u).protocol", json!("https:")),
        ("$parseUrl(u).pathname", json!("/p")),
        ("$parseUrl(u).search", json!("?cursor=1%202&k=1&k=2")),
        ("$parseUrl(u).searchParams.get('cursor')", json!("1 2")),
        ("$parseUrl(u).searchParams.get('x')", Value::Null),
        ("$parseUrl(u).searchParams.has('k')", json!(true)),
        ("$parseUrl(u).searchParams.getAll('k')", json!(["1", "2"])),
        ("$parseUrl(u).searchParams.size", json!(3)),
        ("$parseUrl(u).searchParams", json!({"size": 3})),
    ] {
        assert_eq!(eval(source, &input), Some(wanted), "{source}");
    }
}

#[test]
fn vectors_of_dates() {
    let input = json!({"d": "2024-03-05T10:00:00Z", "l": ["2024-01-31", "bad"]});
    for (source, wanted) in [
        (r#"{"x": $dtFromIso("2024-03-05T10:00:00+02:00")}.x"#, json!("2024-03-05T08:00:00.000+00:00")),
        (r#"$dtFromIso("2024-03-05T10:00:00+02:00").toISO()"#, json!("2024-03-05T08:00:00.000+00:00")),
        (r#"$dtFromIso("2024-03-05T10:00:00+02:00").toUTC().toISO()"#, json!("2024-03-05T08:00:00.000Z")),
        (r#"$dtFromIso("2024-03-05").toISO()"#, json!("2024-03-05T00:00:00.000+00:00")),
        (r#"$dtFromIso(d, "America/New_York").toISO()"#, json!("2024-03-05T05:00:00.000-05:00")),
        (r#"$dtFromFormat("1709632800", "fromSeconds").toUTC().toISO()"#, json!("2024-03-05T10:00:00.000Z")),
        (r#"$dtFromFormat(1709632800, "fromSeconds").toUTC().toISO()"#, json!("2024-03-05T10:00:00.000Z")),
        (
            r#"$dtFromFormat("Tue, 05 Mar 2024 10:00:00 GMT", "RFC2822").toUTC().toISO()"#,
            json!("2024-03-05T10:00:00.000Z"),
        ),
        (
            r#"$dtFromFormat("2024-03-05 10:00:00", "yyyy-MM-dd HH:mm:ss", {"zone": "utc"}).toISO()"#,
            json!("2024-03-05T10:00:00.000Z"),
        ),
        (r#"$dtFromFormat("bad", "MM/dd/yyyy").toISO()"#, Value::Null),
        (r#"$dtFromFormat("bad", "MM/dd/yyyy").isValid"#, json!(false)),
        (r#"$dtFromIso(nope).toISO()"#, Value::Null),
        (r#"$dtFromIso(d).plus({"days": 1}).toISODate()"#, json!("2024-03-06")),
        (r#"$dtFromIso(d).toFormat("dd/MM/yyyy HH:mm")"#, json!("05/03/2024 10:00")),
        (
            r#"$dtFromIso(d).toFormat("EEEE d MMMM yy h:mm a 'at' ZZ")"#,
            json!("Tuesday 5 March 24 10:00 AM at +00:00"),
        ),
        (r#"$dtFromIso(d).diff($dtFromIso("2024-03-04T10:00:00Z"), "hours").hours"#, json!(24)),
        (r#"$dtFromIso(d).diff($dtFromIso("2024-01-05T10:00:00Z"), "months").months"#, json!(2)),
        (r#"$dtFromIso(d).toHTTP()"#, json!("Tue, 05 Mar 2024 10:00:00 GMT")),
        (r#"$dtFromIso(d).toSQL()"#, json!("2024-03-05 10:00:00.000 +00:00")),
        (r#"$dtFromIso(d).toRFC2822()"#, json!("Tue, 05 Mar 2024 10:00:00 +0000")),
        (r#"$dtFromIso(d).year"#, json!(2024)),
        (r#"$dtFromIso(d).monthLong"#, json!("March")),
        (r#"$dtFromIso(d).toMillis()"#, json!(1_709_632_800_000_i64)),
        (r#"$dtFromIso(d).toSeconds()"#, json!(1_709_632_800)),
        (r#"$dtFromIso(d).isValid"#, json!(true)),
        (r#"$dtFromIso(d).startOf("month").toISODate()"#, json!("2024-03-01")),
        (r#"$dtFromIso(d).endOf("week").toISO()"#, json!("2024-03-10T23:59:59.999+00:00")),
        (
            r#"$dtFromIso(d).minus({"months": 1}).setZone("UTC+2").toISO()"#,
            json!("2024-02-05T12:00:00.000+02:00"),
        ),
        (r#"($x := $dtFromIso(d); $x.toISOTime())"#, json!("10:00:00.000+00:00")),
        (r#"l.($dtFromIso($).plus({"months": 1}).toISODate())"#, json!(["2024-02-29", null])),
        (r#"$map(l, function($v) { $dtFromIso($v) })"#, json!(["2024-01-31T00:00:00.000+00:00", null])),
        (
            r#"$dtFromFormat("Mar 5, 2024 3:07 pm", "MMM d, yyyy h:mm a").toISO()"#,
            json!("2024-03-05T15:07:00.000+00:00"),
        ),
        (
            r#"$dtFromFormat("05.03.24 +01:00", "dd.MM.yy ZZ").toISO()"#,
            json!("2024-03-04T23:00:00.000+00:00"),
        ),
        (r#"$dtFromIso("2024-W10-2T24:00").toISO()"#, json!("2024-03-06T00:00:00.000+00:00")),
        (r#"$dtFromIso(d).plus({"years": 100000000}).isValid"#, json!(false)),
    ] {
        assert_eq!(eval(source, &input), Some(wanted), "{source}");
    }
    let error = Expr::compile("$dtFromIso(d).toIOS()", &[]).unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("did you mean `toISO`?"));
    assert!(Expr::compile("d.toISO()", &[]).unwrap().eval(&input).is_err(), "a text has no methods");
}

#[test]
fn digits_beyond_a_double_are_kept() {
    let input: Value = serde_json::from_str(r#"{"id": 3074457345600000001, "n": 7}"#).unwrap();
    assert_eq!(eval("id", &input), Some(json!("3074457345600000001")));
    assert_eq!(eval("n", &input), Some(json!(7)));
}

#[test]
fn unknown_names_fail_when_compiled_with_a_hint() {
    let error = Expr::compile("$frstNonEmpty(a)", &[]).unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("did you mean `$firstNonEmpty`?"));
    let error = Expr::compile("respose.id = 1", &["response", "status"]).unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("did you mean `response`?"));
    assert!(Expr::compile("response[id = 1].name", &["response"]).is_ok());
    assert!(Expr::compile("($x := response; $x.id)", &["response"]).is_ok());
    assert!(Expr::compile("$eval('1')", &[]).is_err());
    assert!(Expr::compile("$map([1], $eval)", &[]).is_err());
    assert!(Expr::compile("$response.id", &["response"]).is_err(), "roots are no variables");
    assert!(Expr::compile("$$.respons.id", &["response"]).is_err());
    assert!(Expr::compile("lowercase(a)", &[]).unwrap_err().hint.unwrap().contains("$lowercase"));
    for fine in [
        "response.users[active].{ 'id': id, 'n': $$.response.n }",
        "$map(response.users, function($u, $i) { $u.id & $i })",
        "$map(response.users, $lowercase)",
        "response@$r.id[$r.x = y]",
        "response#$i.{ 'i': $i }",
        "response.list^(>age).name",
        "response{kind: name}",
        "response ~> |$|{'a': b}|",
        "*.id",
        "$.response",
        "$join(response.names, '-')",
    ] {
        assert!(
            Expr::compile(fine, &["response"]).is_ok(),
            "{fine}: {:?}",
            Expr::compile(fine, &["response"])
        );
    }
    assert!(Expr::compile("a.(", &[]).is_err());
}

#[test]
fn limits_end_an_evaluation() {
    let expr =
        Expr::compile("($f := function($n) { $n = 0 ? 0 : $f($n - 1) + 1 }; $f(100000))", &[]).unwrap();
    assert!(expr.eval(&json!({})).is_err());
    let expr = Expr::compile("$sum([1..100000000].($ * 2))", &[]).unwrap();
    assert!(expr.eval(&json!({})).is_err());
    assert_eq!(eval("1 + 1", &json!({})), Some(json!(2)), "the pool recovers");
}

#[test]
fn deep_sources_do_not_overflow_the_stack() {
    for (left, right) in [
        ("(", ")"),
        ("[", "]"),
        ("{'a':", "}"),
        ("-", ""),
        ("a.(", ")"),
        ("1+", "1"),
        ("$not(", ")"),
        ("a?", ""),
    ] {
        for depth in [900, 12_000] {
            let source = format!("{}1{}", left.repeat(depth), right.repeat(depth));
            if let Ok(expr) = Expr::compile(&source, &["a"]) {
                let _ = expr.eval(&json!({"a": {"a": 1}}));
            }
        }
    }
    let expr = Expr::compile("$reduce([1..5000], function($a, $i) { [[$a]] })", &[]).unwrap();
    assert!(expr.eval(&json!({})).is_err(), "too deep a result");
}

#[test]
fn output_is_bounded() {
    let expr = Expr::compile("($wide := $pad('', 1000000); [1..10].$wide)", &[]).unwrap();
    assert_eq!(expr.eval(&json!({})).unwrap_err().message, "the result is too large");
}

#[test]
fn an_error_shows_no_data() {
    let expr = Expr::compile("$number(secret)", &[]).unwrap();
    let error = expr.eval(&json!({"secret": "hunter2"})).unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    for source in [
        "$error(secret)",
        "$error('a ' & secret)",
        "$toMillis(secret)",
        "$dtFromIso(secret) < 1",
        "secret.x()",
    ] {
        let Ok(expr) = Expr::compile(source, &[]) else { continue };
        let error = expr.eval(&json!({"secret": "hunter2"})).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let error = Expr::compile("$error('no group')", &[]).unwrap().eval(&json!({})).unwrap_err();
    assert_eq!(error.message, "no group", "the author's own words may leave");
}

#[test]
fn truth_and_shared_use() {
    for (source, wanted) in
        [("nope", false), ("[]", false), ("[0]", false), ("{}", false), ("'false'", true), ("1", true)]
    {
        assert_eq!(Expr::compile(source, &[]).unwrap().test(&json!({})).unwrap(), wanted, "{source}");
    }
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    shared(&Expr::compile("1", &[]).unwrap());
    let root = json!({"a": 1});
    let scope = super::Scope::new(&root);
    assert_eq!(scope.eval(&Expr::compile("($b := a; $b + 1)", &[]).unwrap()).unwrap(), Some(json!(2)));
    assert_eq!(scope.eval(&Expr::compile("{'a': a}", &[]).unwrap()).unwrap(), Some(json!({"a": 1})));
}

/// JSON of any shape whose numbers a double holds.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1_i64 << 53)..=(1_i64 << 53)).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{0,4}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Text that is likely to be an expression.
fn near_code() -> impl Strategy<Value = String> {
    let words = [
        "$",
        "a",
        "b",
        ".",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "'x'",
        "1",
        "-2",
        ",",
        ":",
        "?",
        ":=",
        "~>",
        "function($v){$v}",
        "$join(",
        "$pick(",
        "$omit(",
        "$find(",
        "$groupBy(",
        "$flatten(",
        "$chunk(",
        "$mapValues(",
        "$dtFromIso(",
        "$dtFromFormat(",
        ".toFormat('yyyy')",
        ".plus({'days': 1})",
        "$parseUrl(",
        "$base64decode(",
        "$each(",
        "$pad(",
        "$orderBy(",
        "$toNumber(",
        "$removeEmptyItems(",
        "null",
        "$$",
        "*",
        "^(",
        "=",
        "&",
        "+",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..14).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn arbitrary_text_makes_nothing_panic(source in ".{0,60}") {
        if let Ok(expr) = Expr::compile(&source, &["a"]) {
            let _ = expr.eval(&json!({"a": [1, "x", null]}));
        }
    }

    #[test]
    fn near_expressions_make_nothing_panic(source in near_code(), a in any_json()) {
        if let Ok(expr) = Expr::compile(&source, &["a", "b"]) {
            let _ = expr.eval(&json!({"a": a, "b": "2024-02-30T1"}));
        }
    }

    #[test]
    fn dates_never_panic(text in ".{0,24}", digits in "[0-9TZ:+.W-]{0,28}", pattern in "[a-zA-Z':/ ]{0,16}") {
        let expr = "[$dtFromIso(d), $dtFromFormat(t, p), $dtFromFormat(d, p), $dtFromIso(t), $dtFromIso('2024-03-05').toFormat(p)]";
        let _ = Expr::compile(expr, &[]).unwrap().eval(&json!({"t": text, "d": digits, "p": pattern}));
    }

    #[test]
    fn values_survive_the_way_in_and_out(value in any_json()) {
        let back = super::convert::from_engine(&super::convert::to_engine(&value)).unwrap();
        prop_assert_eq!(back, Some(value));
    }
}
