//! Addresses.

use serde_json::{Value, json};

use super::eval;

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
