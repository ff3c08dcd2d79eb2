//! `koine jsonata`.

use crate::{Ran, koine};

fn told(ran: &Ran) -> (i32, &str, &str) {
    (ran.code, ran.stdout.as_str(), ran.stderr.as_str())
}

#[test]
fn an_expression_is_evaluated_with_our_functions() {
    let ran = koine(&["jsonata", r#"$mapValues("ADMIN", {"admin": "administrator"})"#], "");
    assert_eq!(told(&ran), (0, "\"administrator\"\n", ""));
}

#[test]
fn input_comes_from_a_file_or_a_pipe() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), r#"{"users": [{"id": 3074457345600000001}]}"#).unwrap();
    let ran = koine(&["jsonata", "users[0].id", "--input", file.path().to_str().unwrap()], "");
    assert_eq!(told(&ran), (0, "\"3074457345600000001\"\n", ""), "every digit of an id is kept");
    let ran = koine(&["jsonata", "a.b", "--input", "-"], r#"{"a": {"b": [1, null]}}"#);
    assert_eq!(told(&ran), (0, "[1,null]\n", ""));
    let ran = koine(&["jsonata", "--input", "-", "-$"], "7");
    assert_eq!(told(&ran), (0, "-7\n", ""), "an expression may begin with a minus");
}

#[test]
fn nothing_prints_nothing() {
    assert_eq!(told(&koine(&["jsonata", "a.b"], "")), (0, "", ""));
    assert_eq!(told(&koine(&["jsonata", "null"], "")), (0, "null\n", ""), "null is something");
}

#[test]
fn what_is_wrong_is_said_on_stderr() {
    let cases = [
        (vec!["jsonata", "$mapValue(1, {})"], "", "did you mean `$mapValues`?"),
        (vec!["jsonata", "a ? "], "", "koine: "),
        (vec!["jsonata", r#"$error("no seat left")"#], "", "no seat left"),
        (vec!["jsonata", "a", "--input", "-"], "{not json", "the input is not JSON"),
        (vec!["jsonata", "a", "--input", "/nonexistent.json"], "", "/nonexistent.json: "),
        (vec!["jsonata", "($f := function($n) { $f($n + 1) }; $f(1))"], "", "koine: the evaluation "),
    ];
    for (args, stdin, words) in cases {
        let ran = koine(&args, stdin);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(words), "{args:?}: {ran:?}");
    }
    assert_eq!(koine(&["jsonata"], "").code, 2, "the expression is missing");
}
