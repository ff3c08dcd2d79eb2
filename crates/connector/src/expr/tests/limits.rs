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
