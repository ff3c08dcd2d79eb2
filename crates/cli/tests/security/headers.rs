//! What callers, customers and vendors say stays in its place: in a header, in a path, in an answer.

use koine_testkit::peer::{answer, header};
use koine_testkit::{Peer, Reply};
use serde_json::json;

use crate::support::{CANARY, Stand, vendor};

/// What tries to leave a line, as text; the path and query spell it in percent.
const BREAKING: &[&str] = &[
    "a\r\nx-evil: 1",
    "a\nx-evil: 1",
    "a\rx-evil: 1",
    "a\r\n\r\nGET /evil HTTP/1.1\r\nx-evil: 1",
    "a\u{0}x-evil: 1",
    "a\u{b}x-evil: 1",
    "a\u{85}x-evil: 1",
    "a\u{7f}x-evil: 1",
];

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn nothing_breaks_out_of_a_header() {
    let peer = vendor(json!({"id": "1", "items": [{"id": "1"}]})).await;
    let stand = Stand::start("127.0.0.1/32", &[]).await;
    let good = stand.mirror(&peer).await;
    for text in BREAKING {
        // by credential fields that become headers: the tenant, the secrets, the two halves of a Basic login
        for (kind, field) in [
            ("token", "tenant"),
            ("token", "token"),
            ("token", "second"),
            ("basic", "user"),
            ("basic", "token"),
            ("login", "token"),
        ] {
            let mut context = json!({"host": peer.authority(), "token": CANARY});
            if kind == "basic" {
                context["user"] = json!("ada");
            }
            context[field] = json!(text);
            let refused = stand.connect("mirror", kind, &context).await;
            assert_eq!(refused.status, 400, "{kind} {field} {text:?}: {}", refused.text());
            assert!(!refused.text().contains("x-evil"), "values are not repeated: {}", refused.text());
        }
        // by a caller's parameter that a connector places in a header, in a query, in a path
        let text = percent(text);
        for path in [
            format!("users/1?wanted={text}"),
            format!("users?remote_query[a]={text}"),
            format!("users?remote_query[{text}]=a"),
            format!("users?next_cursor={text}"),
            format!("users/{text}"),
        ] {
            let answer = stand.call(&good, "GET", &path).await;
            assert!(matches!(answer.status, 200 | 400..=499), "{path}: {}", answer.text());
        }
        let path = format!("/unified/user-directory/users/1?integrated_account_id={good}");
        let passed = [("content-type", "text/plain; a=b"), ("idempotency-key", "k")];
        let answer = stand
            .gateway
            .send(&stand.token, "DELETE", &format!("{path}&truto_body_passthrough=true"), &passed, b"x")
            .await
            .unwrap();
        assert!(answer.status >= 200, "{}", answer.text());
    }
    for request in peer.seen() {
        let head = request.split("\r\n\r\n").next().unwrap();
        assert_eq!(header(&request, "x-evil"), None, "{request}");
        assert!(
            head.lines()
                .skip(1)
                .all(|line| line.contains(": ") && !line.to_lowercase().starts_with("x-evil")),
            "{head}"
        );
        assert!(!head.contains('\u{0}') && head.lines().next().unwrap().ends_with(" HTTP/1.1"), "{head}");
    }
}

#[tokio::test]
async fn ids_and_fields_stay_in_their_place_of_the_path() {
    let peer = vendor(json!({"id": "1"})).await;
    let stand = Stand::start("127.0.0.1/32", &[]).await;
    let good = stand.mirror(&peer).await;
    let hostile = [
        "..",
        ".",
        "../x",
        "..\\x",
        "a/../../x",
        "/",
        "//",
        "//evil.example/",
        "\\",
        "\\\\evil.example",
        "?a=b",
        "#a",
        ";a=b",
        "..;/x",
        "%2e%2e",
        "%2E%2E%2F",
        "%252e%252e%252f",
        "%00",
        "a\u{0}",
        "a%0d%0a",
        "\u{ff0e}\u{ff0e}",
        "\u{2025}",
        "\u{202e}gpj",
        "a b",
        "a+b",
        "é",
        "😀",
        "@evil.example",
        ":80",
        "http://evil.example",
        "{{token}}",
        "${token}",
        "$(token)",
        "'",
        "\"",
        "<x>",
        "|",
        "^",
        "`",
    ];
    for text in hostile {
        for id in [percent(text), text.replace(['?', '#', '\u{0}', ' ', '/'], "")] {
            if id.is_empty() || !id.is_ascii() {
                continue;
            }
            let answer = stand.call(&good, "GET", &format!("users/{id}")).await;
            assert!(matches!(answer.status, 200 | 400..=499), "{id}: {}", answer.text());
        }
        let context = json!({"host": peer.authority(), "token": CANARY, "workspace": text});
        let connected = stand.connect("mirror", "token", &context).await;
        if connected.status == 200 {
            let account = connected.json().unwrap()["id"].as_str().unwrap().to_owned();
            let answer = stand.call(&account, "GET", "users/1").await;
            assert!(matches!(answer.status, 200 | 400..=499), "{text}: {}", answer.text());
        }
    }
    for request in peer.seen() {
        let target = request.split(' ').nth(1).unwrap();
        let path = target.split('?').next().unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        let kept = match parts.as_slice() {
            ["", "v1", "spaces", space, "users", id] => {
                ![*space, *id].iter().any(|part| matches!(*part, "" | "." | ".."))
            }
            // a client that tidies `users/.` up asks for the list
            ["", "v1", "secret", "nothing", "note"] | ["", "v1", "users"] => true,
            _ => false,
        };
        assert!(kept, "{target}");
        let lower = path.to_lowercase();
        assert!(
            !lower.contains("%2e%2e/")
                && !lower.contains("/%2e%2e")
                && !lower.contains("%00")
                && !lower.contains("%0d"),
            "{target}"
        );
        assert!(!path.contains("canary"), "{target}");
        let host = header(&request, "host").unwrap();
        assert_eq!(host, peer.authority());
    }
}

#[tokio::test]
async fn what_a_vendor_says_cannot_become_a_page_or_a_header_of_ours() {
    let peer = Peer::start(|request, _| {
        let headers = "content-type: text/html\r\nset-cookie: session=evil\r\naccess-control-allow-origin: *\r\nlocation: https://evil.example/\r\nrefresh: 0;url=https://evil.example/\r\ncontent-security-policy: default-src *\r\nkoine-outcome: removed\r\nclear-site-data: \"*\"\r\nretry-after: 1\r\nx-request-id: a\r\n";
        Reply::Keep(match request {
            json if json.contains("/users?") => answer(200, &headers.replace("text/html", "application/json"), "{\"items\": [{\"id\": \"1\"}]}"),
            _ => answer(200, headers, "<script>alert(1)</script>"),
        })
    })
    .await;
    let stand = Stand::start("127.0.0.1/32", &[]).await;
    let account = stand.mirror(&peer).await;
    for path in [
        "users",
        "users?truto_response_format=raw",
        "users?truto_response_format=stream",
        "users?truto_response_format=debug",
        "users/1?truto_response_format=stream",
        "users/1?truto_response_format=raw",
        "users/1",
    ] {
        let answer = stand.call(&account, "GET", path).await;
        for name in [
            "set-cookie",
            "access-control-allow-origin",
            "location",
            "refresh",
            "clear-site-data",
            "koine-outcome",
        ] {
            assert_eq!(answer.header(name), None, "{path}: {:?}", answer.headers);
        }
        assert_eq!(answer.header("content-security-policy"), Some("sandbox"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        let kind = answer.header("content-type").unwrap();
        assert!(
            kind.starts_with("application/json")
                || answer.header("content-disposition") == Some("attachment"),
            "{path}: {kind}"
        );
    }
    // a mapping may add headers that begin with `x-`, whole ones
    let said =
        Peer::start(|_, _| Reply::Keep(crate::support::said(&json!({"id": "1", "said": "hello"})))).await;
    let account = stand.mirror(&said).await;
    let answer = stand.call(&account, "GET", "users/1").await;
    assert_eq!(
        (answer.status, answer.header("set-cookie"), answer.header("b")),
        (200, None, None),
        "{}",
        answer.text()
    );
    assert_eq!(answer.header("x-broken"), None);
    assert!(!format!("{:?}", answer.headers).contains("canary"), "{:?}", answer.headers);
}
