//! Vendors that mean harm: broken, endless, slow and swollen answers, and what they cost others.

use std::io::Write as _;
use std::time::Duration;

use koine_testkit::peer::answer;
use koine_testkit::{Peer, Reply};
use serde_json::{Value, json};

use crate::support::{Stand, code, said, vendor};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn with_body(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn json_bytes(text: &str) -> Vec<u8> {
    with_body("", text.as_bytes())
}

fn xml(text: &str) -> Vec<u8> {
    with_body("", text.as_bytes())
}

/// Answers that are none: the call fails, clearly.
fn broken() -> Vec<(&'static str, &'static str, Reply)> {
    let zeros = gzip(&vec![b' '; 16 << 20]);
    let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000)).into_bytes();
    let endless = |head: &str| Reply::Endless(head.as_bytes().to_vec(), chunk.clone());
    let close = |bytes: &[u8]| Reply::Close(bytes.to_vec());
    let deep = format!("{{\"items\": {}1{}}}", "[".repeat(200_000), "]".repeat(200_000));
    let attributes: String = (0..300_000).map(|index| format!(" a{index}='1'")).collect();
    let early = "HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n";
    let laughs =
        "<!DOCTYPE a [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]><group><id>&b;</id></group>";
    vec![
        ("users", "a bomb", close(&with_body("content-encoding: gzip\r\n", &zeros))),
        ("users", "a bomb in a bomb", close(&with_body("content-encoding: gzip, gzip\r\n", &gzip(&zeros)))),
        ("users", "no gzip", close(&with_body("content-encoding: gzip\r\n", b"{\"items\": []}"))),
        ("users", "an endless body", endless("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")),
        ("users", "an endless head", Reply::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"x-a: b\r\n".to_vec())),
        (
            "users",
            "an endless header",
            Reply::Endless(b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'a'; 65_536]),
        ),
        (
            "users",
            "endless beginnings",
            Reply::Drip(early.repeat(100).into_bytes(), Duration::from_millis(2)),
        ),
        ("users", "an announced giant", close(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{")),
        (
            "users",
            "a length beyond all",
            close(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n{}"),
        ),
        (
            "users",
            "two lengths",
            close(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 12\r\n\r\n{}          "),
        ),
        (
            "users",
            "less than announced",
            close(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"items\": []}"),
        ),
        (
            "users",
            "a broken chunk",
            close(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
        ),
        ("users", "no HTTP", close(b"SSH-2.0-OpenSSH_9.2\r\n")),
        ("users", "no such status", close(b"HTTP/1.1 9999 X\r\n\r\n")),
        ("users", "a status of our own", close(&answer(999, "", "{}"))),
        (
            "users",
            "a switch of protocols",
            close(b"HTTP/1.1 101 X\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"),
        ),
        ("users", "nothing", close(b"")),
        ("users", "a slow body", Reply::Drip(json_bytes("{\"items\": []}"), Duration::from_millis(200))),
        ("users", "silence", Reply::Hang),
        ("users", "deep JSON", close(&json_bytes(&deep))),
        ("users", "no UTF-8", close(&with_body("", b"{\"items\": [{\"id\": \"\xff\xfe\"}]}"))),
        ("users", "half a character", close(&json_bytes("{\"items\": [{\"id\": \"\\ud800\"}]}"))),
        ("users", "not quite JSON", close(&json_bytes("{\"items\": [{\"id\": NaN}]}"))),
        (
            "groups/1",
            "deep XML",
            close(&xml(&format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000)))),
        ),
        ("groups/1", "many attributes", close(&xml(&format!("<group{attributes}><id>1</id></group>")))),
        ("groups/1", "entities", close(&xml(laughs))),
        (
            "groups/1",
            "an entity from outside",
            close(&xml("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><group><id>1</id></group>")),
        ),
        ("groups/1", "no end", close(&xml("<group><id>1</id>"))),
    ]
}

#[tokio::test]
async fn answers_that_are_none_fail_and_nothing_else_does() {
    let stand = Stand::start("127.0.0.1/32", &[("KOINE_UPSTREAM_TIMEOUT", "1")]).await;
    let good = vendor(json!({"items": [{"id": "1"}]})).await;
    let good = stand.mirror(&good).await;
    for (path, what, reply) in broken() {
        let peer = Peer::start(move |_, _| reply.clone()).await;
        let account = stand.mirror(&peer).await;
        let (bad, fine) = tokio::join!(stand.call(&account, "GET", path), stand.call(&good, "GET", "users"));
        assert_eq!(fine.status, 200, "beside {what}: {}", fine.text());
        assert!(matches!(bad.status, 502..=504), "{what}: {}", bad.text());
        assert!(matches!(code(&bad), "vendor_unreachable" | "vendor_error"), "{what}: {:?}", bad.headers);
        assert!(bad.body.len() < 100_000, "{what}: {} bytes", bad.body.len());
    }
}

#[tokio::test]
async fn answers_that_are_strange_are_read_as_they_are() {
    let stand = Stand::start("127.0.0.1/32", &[("KOINE_UPSTREAM_TIMEOUT", "3")]).await;
    let digits = "9".repeat(50_000);
    let keys: Vec<String> = (0..100_000).map(|index| format!("\"k{index}\": {index}")).collect();
    let long = "x".repeat(6 << 20);
    for (path, what, body) in [
        ("users", "large numbers", format!("{{\"items\": [{{\"id\": {digits}}}, {{\"id\": 1e400}}, {{\"id\": -1e-400}}]}}")),
        ("users", "many keys", format!("{{\"items\": [{{\"id\": \"1\", {}}}]}}", keys.join(", "))),
        ("users", "the same key", "{\"items\": [{\"id\": \"1\", \"id\": \"2\", \"__proto__\": {\"admin\": true}, \"constructor\": 1}]}".to_owned()),
        ("users", "nobody", format!("{{\"items\": [{}null]}}", "null, ".repeat(100_000))),
        ("users", "a long text", format!("{{\"items\": [{{\"id\": \"{long}\"}}]}}")),
        ("users", "a number in disguise", "{\"items\": [{\"id\": {\"$serde_json::private::Number\": \"1e9\"}}]}".to_owned()),
        ("users", "no list", "{\"items\": {\"id\": [[[[\"1\"]]]]}}".to_owned()),
        ("users", "a control", "{\"items\": [{\"id\": \"a\\u0000b\\r\\nc\"}]}".to_owned()),
        ("roles", "pages without end", "{\"items\": [{\"id\": \"1\"}], \"total\": 18446744073709551615}".to_owned()),
        ("roles", "less than no pages", "{\"items\": [{\"id\": \"1\"}], \"total\": -5}".to_owned()),
        ("roles", "a page of text", "{\"items\": [{\"id\": \"1\"}], \"total\": \"1e999\"}".to_owned()),
        ("workspaces", "an offset beyond all", "{\"items\": [{\"id\": \"1\"}], \"total\": 18446744073709551615}".to_owned()),
        ("workspaces", "empty for ever", "{\"items\": [], \"total\": 18446744073709551615}".to_owned()),
        ("groups", "a link to itself", "{\"items\": [], \"next\": \"/v1/groups?a=b\"}".to_owned()),
    ] {
        let peer = Peer::start(move |_, _| Reply::Keep(json_bytes(&body))).await;
        let account = stand.mirror(&peer).await;
        let answer = stand.call(&account, "GET", path).await;
        assert!(answer.status == 200 || code(&answer) == "internal", "{what}: {}", &answer.text()[..answer.text().len().min(500)]);
        assert!(peer.seen().len() < 20, "{what}: {} requests", peer.seen().len());
        if answer.status == 200 {
            let told = answer.json().unwrap();
            assert!(told["result"].is_array(), "{what}");
            // pages go on, and end where the vendor says nothing more
            if let Some(cursor) = told["next_cursor"].as_str() {
                assert_eq!(stand.call(&account, "GET", &format!("{path}?next_cursor={cursor}")).await.status, 200, "{what}");
            }
        }
    }
    for wait in ["1e308", "-1", "99999999999999999999", "inf", "NaN", "0x10", "Wed, 21 Oct 2099 07:28:00 GMT"]
    {
        let header = format!("retry-after: {wait}\r\n");
        let peer = Peer::start(move |_, _| Reply::Keep(answer(429, &header, "{}"))).await;
        let account = stand.mirror(&peer).await;
        let told = stand.call(&account, "GET", "users").await;
        assert_eq!(told.status, 429, "{wait}: {}", told.text());
        let seconds: u64 = told.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=86_400).contains(&seconds), "{wait}: {seconds}");
    }
}

#[tokio::test]
async fn who_waits_for_a_slow_vendor_keeps_nobody_else_waiting() {
    let stand = Stand::start("127.0.0.1/32", &[("KOINE_UPSTREAM_TIMEOUT", "30")]).await;
    let (silent, quick) =
        (Peer::start(|_, _| Reply::Hang).await, vendor(json!({"items": [{"id": "1"}]})).await);
    let (slow, good) = (stand.mirror(&silent).await, stand.mirror(&quick).await);
    let url = format!("{}/unified/user-directory/users?integrated_account_id={slow}", stand.gateway.url());
    let bearer = format!("Bearer {}", stand.token);
    let waiting: Vec<_> = (0..300)
        .map(|_| {
            let (url, bearer) = (url.clone(), bearer.clone());
            tokio::spawn(async move {
                koine_testkit::http::request("GET", &url, &[("authorization", &bearer)], b"").await
            })
        })
        .collect();
    while silent.connections() < 300 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for _ in 0..20 {
        assert_eq!(stand.call(&good, "GET", "users").await.status, 200);
    }
    assert!(waiting.iter().all(|call| !call.is_finished()), "the others still wait");
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(stand.send("GET", "/readyz", &Value::Null).await.status, 200);
}

/// Who hangs up must not cut a removal in half: the journal is to say how it ended.
#[tokio::test]
async fn a_removal_ends_although_its_caller_has_left() {
    let peer = Peer::start(|request, _| {
        let gone = request.starts_with("DELETE");
        match gone {
            true => Reply::Drip(answer(204, "", ""), Duration::from_millis(20)),
            false => Reply::Keep(said(&json!({"id": "1"}))),
        }
    })
    .await;
    let stand = Stand::start("127.0.0.1/32", &[]).await;
    let account = stand.mirror(&peer).await;
    let path = format!("/unified/user-directory/users/1?integrated_account_id={account}");
    let key = [("idempotency-key", "once")];
    let calling = stand.gateway.send(&stand.token, "DELETE", &path, &key, b"");
    let deleted = async {
        while !peer.seen().iter().any(|request| request.starts_with("DELETE")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        answer = calling => panic!("answered: {answer:?}"),
        () = deleted => {}
    }
    // The call goes on without its caller, reads back, and gives its key free; an open one would answer 409 for long.
    let after = |peer: &Peer| {
        let seen = peer.seen();
        let at = seen.iter().position(|request| request.starts_with("DELETE")).unwrap();
        seen.len() - at - 1
    };
    for _ in 0..500 {
        if after(&peer) > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(after(&peer) > 0, "it was read back: {:?}", peer.seen());
    let again = stand.gateway.send(&stand.token, "DELETE", &path, &key, b"").await.unwrap();
    assert_ne!((again.status, code(&again)), (409, "conflict"), "{}", again.text());
}

/// What a search finds is held to the rule for what callers send: it goes into a path, and before that into the journal,
/// and PostgreSQL keeps no NUL.
#[tokio::test]
async fn an_id_that_cannot_be_used_is_never_removed() {
    let stand = Stand::start("127.0.0.1/32", &[]).await;
    for id in ["a\u{0}b", "a\r\nb", "", " ", ".", "..", &"a".repeat(1025)] {
        let ada = json!({"id": id, "email": "ada@example.com"});
        let peer = vendor(json!({"items": [ada]})).await;
        let account = stand.mirror(&peer).await;
        let told = stand.call(&account, "DELETE", "users/-?emails=ada@example.com").await;
        assert_eq!((told.status, code(&told)), (502, "vendor_unreachable"), "{id:?}: {}", told.text());
        assert_eq!(told.header("koine-outcome"), Some("refused"));
        assert!(peer.seen().iter().all(|request| request.starts_with("GET ")), "{:?}", peer.seen());
    }
}
