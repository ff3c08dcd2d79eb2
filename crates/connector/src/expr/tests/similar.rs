//! Likeness of names.

use serde_json::json;

use super::{eval, fails};

#[test]
fn the_likest_candidate_is_found() {
    for (source, wanted) in [
        ("$mostSimilar('Adminstrator', ['Administrator', 'Member'])", json!("Administrator")),
        ("$mostSimilar('zzz', ['Administrator', 'Member'])", json!("zzz")),
        ("$mostSimilar('owner', ['Own er!', 'Member'], 0.5)", json!("Own er!")),
        ("$mostSimilar('adm', ['admin', 'adm1'], 0.1)", json!("adm1")),
        ("$mostSimilar('a', ['A', 'a'])", json!("A")),
        ("$mostSimilar('a', 'A')", json!("A")),
        ("$mostSimilar('a', [])", json!("a")),
        ("$mostSimilar('a', nope)", json!("a")),
        ("$mostSimilar('', ['a'])", json!("")),
    ] {
        assert_eq!(eval(source, &json!({})), Some(wanted), "{source}");
    }
    for source in ["$mostSimilar(nope, ['a'])", "$mostSimilar(5, ['5'])", "$mostSimilar('x', [5])"] {
        assert!(fails(source), "{source}");
    }
}

#[test]
fn likeness_ignores_case_and_signs() {
    for (a, b, wanted) in [
        ("apple", "appl", json!(0.857_142_857_142_857_1)),
        ("apple", "apple", json!(1)),
        ("App-le!", "apple", json!(1)),
        ("a", "b", json!(0)),
        ("a", "a", json!(1)),
        ("", "", json!(1)),
        ("", "a", json!(0)),
        ("aaaa", "aa", json!(0.5)),
        ("night", "nacht", json!(0.25)),
        ("Zo\u{eb}", "zo", json!(1)),
        ("aba", "abab", json!(0.8)),
    ] {
        assert_eq!(eval("$diceCoefficient(a, b)", &json!({"a": a, "b": b})), Some(wanted), "{a} {b}");
    }
    assert!(fails("$diceCoefficient(nope, 'a')"));
}
