//! Whatever is thrown at it: nothing panics.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Expr;

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
        "$parseQuery(",
        "$stringifyQuery(",
        "$mostSimilar(",
        "$convertQueryToSql(",
        "$xmlToJs(",
        "$jsToXml(",
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
        let back = super::super::convert::from_engine(&super::super::convert::to_engine(&value)).unwrap();
        prop_assert_eq!(back, Some(value));
    }

    #[test]
    fn texts_of_other_formats_never_panic(
        query in "[a-c=&%5BbD\\[\\].+0-3]{0,40}",
        xml in "[<>/&;a-c!\\[\\]\"=#?x \\PC]{0,60}",
        markdown in "[#*_`~|\\[\\]()<>\\-\n a-c]{0,60}",
        value in any_json(),
    ) {
        for source in [
            "$parseQuery(q)",
            "$xmlToJs(x)",
            "$jsToXml(v)",
            "$stringifyQuery(v, {'arrayFormat': 'repeat'})",
            "$convertQueryToSql(v, [], {}, v)",
            "$mostSimilar(q, [x, m])",
            "$convertMarkdownToHtml(m)",
        ] {
            let input = json!({"q": query, "x": xml, "m": markdown, "v": value});
            let _ = Expr::compile(source, &[]).unwrap().eval(&input);
        }
    }
}
