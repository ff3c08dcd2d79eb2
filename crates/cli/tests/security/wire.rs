//! Raw bytes: what a parser in front of the gateway may read in another way must not be read at all, or in one way only.

use crate::support::{Stand, vendor};
use serde_json::json;

/// Heads that are refused. `HOST` is the gateway, `TOKEN` a token, `~` a line's end.
const REFUSED: &[(&str, &str)] = &[
    ("two lengths", "POST /PATH HTTP/1.1~host: HOST~content-length: 2~content-length: 3~~{}x"),
    ("a list of lengths", "POST /PATH HTTP/1.1~host: HOST~content-length: 2, 3~~{}x"),
    ("a length with a sign", "POST /PATH HTTP/1.1~host: HOST~content-length: +2~~{}"),
    ("a length below nothing", "POST /PATH HTTP/1.1~host: HOST~content-length: -2~~{}"),
    ("a length in hex", "POST /PATH HTTP/1.1~host: HOST~content-length: 0x2~~{}"),
    ("a length beyond all", "POST /PATH HTTP/1.1~host: HOST~content-length: 99999999999999999999~~{}"),
    ("an unknown coding", "POST /PATH HTTP/1.1~host: HOST~transfer-encoding: xchunked~~0~~"),
    ("chunked, not last", "POST /PATH HTTP/1.1~host: HOST~transfer-encoding: chunked, identity~~0~~"),
    ("chunked in 1.0", "POST /PATH HTTP/1.0~host: HOST~transfer-encoding: chunked~~0~~"),
    ("a blank before the colon", "GET /PATH HTTP/1.1~host: HOST~authorization : Bearer TOKEN~~"),
    ("a blank before the name", "GET /PATH HTTP/1.1~host: HOST~ authorization: Bearer TOKEN~~"),
    ("a folded line", "GET /PATH HTTP/1.1~host: HOST~authorization: Bearer~ TOKEN~~"),
    ("a folded line with a tab", "GET /PATH HTTP/1.1~host: HOST~x: a~\tauthorization: Bearer TOKEN~~"),
    ("a name with a control", "GET /PATH HTTP/1.1~host: HOST~auth\u{1}orization: Bearer TOKEN~~"),
    ("a value with a bare CR", "GET /PATH HTTP/1.1~host: HOST~x: a\rb~~"),
    ("a value with a NUL", "GET /PATH HTTP/1.1~host: HOST~x: a\u{0}b~~"),
    ("no colon", "GET /PATH HTTP/1.1~host: HOST~authorization~~"),
    ("a blank in the target", "GET /PATH x HTTP/1.1~host: HOST~~"),
    ("a control in the target", "GET /PATH\u{1}x HTTP/1.1~host: HOST~~"),
    ("an unknown version", "GET /PATH HTTP/3.7~host: HOST~~"),
    ("no HTTP at all", "\u{16}\u{3}\u{1}~~"),
    (
        "a chunk size that overflows",
        "POST /PATH HTTP/1.1~host: HOST~authorization: Bearer TOKEN~transfer-encoding: chunked~~fffffffffffffffff~{}~0~~",
    ),
    (
        "a chunk size in decimal and more",
        "POST /PATH HTTP/1.1~host: HOST~authorization: Bearer TOKEN~transfer-encoding: chunked~~2 3~{}~0~~",
    ),
    (
        "a chunk longer than told",
        "POST /PATH HTTP/1.1~host: HOST~authorization: Bearer TOKEN~transfer-encoding: chunked~~1~{}~0~~",
    ),
];

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_not_read() {
    let peer = vendor(json!({"items": [{"id": "1"}]})).await;
    let stand = Stand::start("127.0.0.1/32", &[]).await;
    let account = stand.mirror(&peer).await;
    let host = stand.gateway.url().trim_start_matches("http://").to_owned();
    let written = |text: &str| {
        let path = format!("unified/user-directory/users?integrated_account_id={account}");
        let text = text.replace('~', "\r\n").replace("/PATH", &format!("/{path}"));
        text.replace("HOST", &host).replace("TOKEN", &stand.token)
    };
    let second = written("GET /PATH HTTP/1.1~host: HOST~authorization: Bearer TOKEN~connection: close~~");
    for (what, text) in REFUSED {
        // Whatever follows must not be taken for a request of its own.
        let said = stand.raw(format!("{}{second}", written(text)).as_bytes()).await;
        let status = said.split(' ').nth(1).unwrap_or("400");
        assert!(status.starts_with('4'), "{what}: {said}");
        assert!(!said.contains("\"result\""), "{what}: {said}");
    }
    assert!(peer.seen().is_empty(), "{:?}", peer.seen());

    // Both framings: the chunked one counts (RFC 9112, 6.3), and the connection ends, so that nothing is left over.
    for order in [
        ["content-length: 60", "transfer-encoding: chunked"],
        ["transfer-encoding: chunked", "content-length: 4"],
    ] {
        let head = format!("POST /ping HTTP/1.1~host: HOST~{}~{}~~0~~", order[0], order[1]);
        let said = stand.raw(format!("{}{second}", written(&head)).as_bytes()).await;
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{said}");
        assert!(!said.contains("\"result\""), "{said}");
    }
    assert!(peer.seen().is_empty(), "{:?}", peer.seen());
    assert!(stand.raw(second.as_bytes()).await.contains("\"result\""), "what is well-formed is answered");
}

#[tokio::test]
async fn what_is_too_much_is_refused_and_the_gateway_lives() {
    let stand = Stand::start("", &[]).await;
    let token = &stand.token;
    let many: String = (0..500).map(|index| format!("x-{index}: y\r\n")).collect();
    let long = "a".repeat(1 << 20);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let pairs = "a=1&".repeat(20_000);
    let nested = format!("a{}=1", "[b]".repeat(5_000));
    let digits = "9".repeat(100_000);
    for (what, head, body) in [
        ("many headers", format!("GET /ping HTTP/1.1\r\nhost: a\r\n{many}\r\n"), String::new()),
        ("a long header", format!("GET /ping HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n"), String::new()),
        ("a long target", format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n"), String::new()),
        (
            "many parameters",
            format!("GET /integrated-account?{pairs} HTTP/1.1\r\nhost: a\r\n"),
            String::new(),
        ),
        (
            "a deep parameter",
            format!("GET /integrated-account?{nested} HTTP/1.1\r\nhost: a\r\n"),
            String::new(),
        ),
        ("a deep body", "POST /integrated-account HTTP/1.1\r\nhost: a\r\n".to_owned(), deep),
        (
            "a large number",
            "POST /integrated-account HTTP/1.1\r\nhost: a\r\n".to_owned(),
            format!("{{\"tenant_id\": {digits}, \"connector\": 1e{digits}}}"),
        ),
        (
            "a number in disguise",
            "POST /integrated-account HTTP/1.1\r\nhost: a\r\n".to_owned(),
            "{\"$serde_json::private::Number\": \"1e99\"}".to_owned(),
        ),
        (
            "a broken text",
            "POST /integrated-account HTTP/1.1\r\nhost: a\r\n".to_owned(),
            "{\"tenant_id\": \"\\ud800\"}".to_owned(),
        ),
    ] {
        let end = format!(
            "authorization: Bearer {token}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let bytes = if head.ends_with("\r\n\r\n") { head } else { head + &end };
        let said = stand.raw(bytes.as_bytes()).await;
        assert!(said.starts_with("HTTP/1.1 4"), "{what}: {}", &said[..said.len().min(300)]);
    }
    // The body does not come as announced: an answer or an end, and no wait for ever by anybody else.
    let announced = "POST /integrated-account HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n";
    let waiting = (0..200).map(|_| stand.raw(announced.as_bytes()));
    let (_, alive) = tokio::join!(together(waiting), stand.send("GET", "/readyz", &serde_json::Value::Null));
    assert_eq!(alive.status, 200);
}

/// Runs them together.
async fn together(all: impl Iterator<Item = impl Future<Output = String>>) -> Vec<String> {
    let mut said = Vec::new();
    let mut all: Vec<_> = all.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Ready(text) => {
                said.push(text);
                false
            }
            std::task::Poll::Pending => true,
        });
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    said
}
