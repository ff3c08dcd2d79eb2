//! What an evaluation may cost, and what its errors may say.

use serde_json::json;

use super::{Expr, eval};

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

/// `$distinct` is ours; what it gives is the engine's.
#[test]
fn distinct_is_what_the_engine_gives() {
    let data = json!({"a": [{"b": 1}, {"b": 1}], "l": [1, 1.0, "1", null, null, true, [1, 2], [1, 2], [2, 1], {"x": 1, "y": [2]},
        {"y": [2], "x": 1}, {"x": 1}, [], [], {}, {}, -0.0, 0, ["a", "b"], ["ab"], [["a"], "b"], "a\"1;b"], "s": "x"});
    for list in [
        "l",
        "a.b",
        "a",
        "[a.b]",
        "$append(l, l)",
        "s",
        "none",
        "null",
        "[]",
        "[1]",
        "[1, 1]",
        "a.b[0]",
        "l[[0..3]]",
        "[$sum, $sum]",
        "a.{'k': b}",
        "l ~> $append(a.b)",
    ] {
        for around in [
            "$distinct(LIST)",
            "[$distinct(LIST)]",
            "$count($distinct(LIST))",
            "$distinct(LIST).x",
            "{'r': $distinct(LIST)}",
            "$distinct(LIST)[0]",
            "(LIST) ~> $distinct",
            "$type($distinct(LIST))",
        ] {
            let source = around.replace("LIST", list);
            let ast = jsonata_core::parser::parse(&source).unwrap();
            let input = crate::expr::convert::to_engine(&data);
            let engine = jsonata_core::evaluator::Evaluator::new().evaluate(&ast, &input);
            let engine = engine.map(|value| crate::expr::convert::from_engine(&value).unwrap());
            let ours = Expr::compile(&source, &[]).unwrap().eval(&data);
            assert_eq!(ours.ok(), engine.ok(), "{source}");
        }
    }
}

/// Each is a list of a vendor's within the bound of an answer's size, and took hours.
#[test]
fn long_lists_cost_their_length() {
    let long: Vec<String> = (0..60_000).map(|index| format!("id{index}")).collect();
    let data = json!({"a": long, "n": 60_000});
    for (source, count) in [
        ("$count($distinct(a))", 60_000),
        ("$count($distinct([1..n]))", 60_000),
        ("$count($difference(a, a))", 0),
        ("$count($distinct(a.{'id': $}))", 60_000),
    ] {
        let expr = Expr::compile(source, &[]).unwrap();
        match expr.eval(&data) {
            Ok(counted) => assert_eq!(counted, Some(json!(count)), "{source}"),
            Err(error) => assert!(error.message.contains("too long"), "{source}: {error}"),
        }
    }
}

/// Patterns on which a backtracking engine never ends, texts that double, and functions that call themselves: each ends.
#[test]
fn what_runs_away_is_ended() {
    let data = json!({"t": "a".repeat(100_000), "u": "a".repeat(1_000)});
    for source in [
        "$match(t & '!', /^(a+)+$/)",
        "$replace(t & '!', /(a|aa)+$/, 'b')",
        "$count($split(t, /(a?){50}a{50}/))",
        "$contains(t & '!', /^(([a-z])+.)+[A-Z]([a-z])+$/)",
        "$reduce([1..200], function($x, $y) { $x & $x }, t)",
        "$reduce([1..200], function($x, $y) { $append($x, $x) }, [1])",
        "$reduce([1..200], function($x, $y) { $join([$x, $x]) }, u)",
        "$reduce([1..200], function($x, $y) { $replace($x, 'a', 'aa') }, u)",
        "($f := function($n) { $f($n + 1) }; $f(1))",
        "$sort([1..1000], function($a, $b) { $f($a) })",
        "$map([1..100000], function($x) { $map([1..100000], function($y) { $x * $y }) })",
        "$match(t, /a{1000}{1000}/)",
        "$power(10, 400)",
        "$formatNumber(1, $pad('#', 4000000, '#'))",
        "$formatBase(9007199254740991, 2)",
        "$formatInteger(9007199254740991, 'w')",
        "$parseInteger(t, 'w')",
        "$toMillis(t, '[Y]-[M]')",
        "$fromMillis(1e300)",
        "$substring(t, -1e300, 1e300)",
        "$string([[[[[[[[t]]]]]]]], true)",
        "$spread([t, t]) ~> $string",
        "**.**.**.**.**",
    ] {
        let Ok(expr) = Expr::compile(source, &[]) else { continue };
        if let Ok(Some(value)) = expr.eval(&data) {
            assert!(value.to_string().len() <= 64 << 20, "{source}");
        }
    }
    assert_eq!(eval("1 + 1", &json!({})), Some(json!(2)), "the pool recovers");
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
fn far_ends_of_a_range_are_refused_and_near_ones_count() {
    let root = json!({"a": 2, "b": [1, 2], "t": "x"});
    let ranged = |source: &str| Expr::compile(source, &[]).unwrap().eval(&root);
    assert_eq!(ranged("$count([0..a])").unwrap(), Some(json!(3)));
    assert_eq!(ranged("[a..0]").unwrap(), Some(json!([])));
    assert_eq!(ranged("[missing..3]").unwrap(), Some(json!([])));
    for far in ["[0..1e300]", "[-1e300..1e300]", "[-1e18..1e18]", "0..333333333333333333333333333"] {
        assert!(ranged(far).unwrap_err().message.contains("too long"), "{far}");
    }
    assert!(ranged("[0..t]").is_err() && ranged("[0..1.5]").is_err() && ranged("[b..3]").is_err());
}
