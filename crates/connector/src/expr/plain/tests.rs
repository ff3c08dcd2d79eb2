//! The engine is the measure.

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use serde_json::Value;

use super::super::{Expr, Roots, convert, pool};
use super::{Plain, eval};

fn plain(source: &str) -> Option<Plain> {
    Expr::compile(source, &[]).ok().and_then(|expr| super::of(&expr.0.ast))
}

#[test]
fn simple_expressions_are_plain_and_nothing_else() {
    for source in
        ["a", "a.b.c", "`a-b`.c", "a.'b'", "'text'", "true", "null", "[a, 'x']", "{'a': b}", "a = b"]
    {
        assert!(plain(source).is_some(), "{source}");
    }
    for source in
        ["a[0]", "a.b[]", "$.a", "$$.a", "a.*", "a@$x.b", "a#$i", "a.(b)", "a.b.%", "1", "$count(a)", "a & b"]
    {
        assert!(plain(source).is_none(), "{source}");
    }
}

/// Names that are easily met, and twice each.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[xyX]{0,1}".prop_map(Value::from),
        Just(serde_json::from_str("12345678901234567890").unwrap()),
        Just(serde_json::from_str("1.50").unwrap()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            4 => proptest::collection::btree_map("[abc]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn source() -> impl Strategy<Value = String> {
    let leaf =
        proptest::sample::select(vec!["a", "b", "a.b", "b.a.c", "c.c", "'x'", "''", "true", "false", "null"]);
    leaf.prop_map(ToOwned::to_owned).prop_recursive(3, 12, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a}) ? ({b}) : ({c})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("{a} ? {b} : {c}")),
            two.clone().prop_map(|(a, b)| format!("{a} ? {b}")),
            two.clone().prop_map(|(a, b)| format!("[{a}, {b}]")),
            inner.clone().prop_map(|a| format!("[{a}]")),
            two.clone().prop_map(|(a, b)| format!("{{'k': {a}, 'l': {b}}}")),
            inner.clone().prop_map(|a| format!("$mapValues({a}, {{'x': 'one', 'Y': 'two', 'z': ''}})")),
            inner.clone().prop_map(|a| format!("$mapValues({a}, {{'x': 'one', 'y': 'two'}})")),
            inner.clone().prop_map(|a| format!("$exists({a})")),
            (inner.clone(), proptest::sample::select(vec!["=", "!=", "and", "or"]), inner)
                .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        ]
    })
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]

    #[test]
    fn the_engine_says_the_same(root in json().prop_filter("roots are objects", Value::is_object), source in source()) {
        let Ok(expr) = Expr::compile(&source, &[]) else { return Ok(()) };
        let Some(plain) = super::of(&expr.0.ast) else { return Ok(()) };
        let Ok(given) = eval(&plain, &Roots::new(&root)) else { return Ok(()) };
        let engine = pool::evaluate(&source, &expr.0.ast, &convert::to_engine(&root)).unwrap();
        proptest::prop_assert_eq!(given, convert::from_engine(&engine).unwrap(), "{}", source);
    }
}
