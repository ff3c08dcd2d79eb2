//! What callers send.

use koine_connector::cursor;
use koine_model::{Secret, query};
use serde_json::Value;

const SCOPE: &str = "01a00000-0000-7000-8000-000000000000/user-directory/users";

/// Deepest nesting that a query may have.
const DEEPEST: usize = 40;

/// A query string is refused, or becomes an object that no prototype hides in.
pub(crate) fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(map) = query::parse(text) {
        check(&Value::Object(map), 0);
    }
}

fn check(value: &Value, depth: usize) {
    assert!(depth <= DEEPEST, "nested deeper than {DEEPEST}");
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                assert!(!["__proto__", "constructor", "prototype"].contains(&name.as_str()), "{name}");
                check(value, depth + 1);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| check(item, depth + 1)),
        _ => {}
    }
}

/// A cursor that we did not make is refused; one that we made comes back as it was, in its own list only.
pub(crate) fn cursor(data: &[u8]) {
    let key = Secret::new("a key of the fuzzer's own");
    let Ok(text) = std::str::from_utf8(data) else { return };
    assert!(cursor::open(&key, SCOPE, text).is_err(), "a cursor of nobody's was taken");
    let sealed = cursor::seal(&key, SCOPE, text);
    assert_eq!(cursor::open(&key, SCOPE, &sealed).ok().as_deref(), Some(text));
    assert!(cursor::open(&key, "another list", &sealed).is_err());
}
