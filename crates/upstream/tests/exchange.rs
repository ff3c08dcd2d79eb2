//! What goes on the wire, that it goes once, and what each way of failing is called.

mod common;

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{Peer, Reply, answer, header, hosts_of, received, request, send, settings, upstream};
use koine_model::{Answer, Body, Credentials, Request, Secret, Verb};
use koine_upstream::{Hosts, Settings, Upstream};
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

/// 50 000 times the digit 0, compressed.
const ZEROS: &str = "H4sIAAAAAAACA+3BAQ0AAADCoErvn84eDigAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACeDHwJveFQwwAA";

const VERBS: [Verb; 5] = [Verb::Get, Verb::Post, Verb::Put, Verb::Patch, Verb::Delete];

fn lost(answer: &Answer) -> bool {
    matches!(answer, Answer::Lost(text) if !text.contains("hunter") && !text.contains("127.0.0.1"))
}

fn with_secret_query() -> Credentials {
    Credentials { headers: Vec::new(), query: vec![("key".to_owned(), Secret::new("hunter2"))] }
}

#[tokio::test]
async fn bodies_and_headers_are_as_asked() {
    let peer = Peer::start(|_, _| Reply::Keep(answer(201, "x-one: 1\r\nX-Two: 2\r\n", "{\"a\":1}"))).await;
    let credentials = Credentials {
        headers: vec![("Authorization".to_owned(), Secret::new("SSWS hunter2"))],
        query: vec![("key".to_owned(), Secret::new("a b&c"))],
    };
    let asked = |body, headers: &[(&str, &str)]| Request {
        verb: Verb::Post,
        url: peer.url("/x?y=%20z"),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body,
    };
    let upstream = upstream();
    let json = asked(Some(Body::Json(json!({"n": 1.0}))), &[("host", "evil.test"), ("content-length", "1")]);
    let response = received(upstream.send(&json, &credentials, &hosts_of(&peer)).await);
    assert_eq!(
        (response.status, response.header("x-one"), response.header("x-two")),
        (201, Some("1"), Some("2"))
    );
    assert_eq!(response.json(), Some(json!({"a": 1})));
    let form = Body::Form(vec![("a".to_owned(), "b c".to_owned()), ("a".to_owned(), "&".to_owned())]);
    received(upstream.send(&asked(Some(form), &[]), &credentials, &hosts_of(&peer)).await);
    let own = [
        ("content-type", "application/scim+json"),
        ("accept", "*/*"),
        ("user-agent", "me"),
        ("authorization", "x"),
    ];
    received(upstream.send(&asked(Some(Body::Json(json!([]))), &own), &credentials, &hosts_of(&peer)).await);

    let seen = peer.seen();
    assert!(seen[0].starts_with("POST /x?y=%20z&key=a+b%26c HTTP/1.1\r\n"), "{}", seen[0]);
    assert!(seen[0].ends_with("\r\n\r\n{\"n\":1.0}"), "{}", seen[0]);
    let of = |request: &str, names: &[&str]| -> Vec<String> {
        names.iter().map(|name| header(request, name).unwrap_or_default()).collect()
    };
    let names = ["content-type", "accept", "user-agent", "authorization", "host"];
    let (agent, host) = (concat!("koine/", env!("CARGO_PKG_VERSION")), peer.authority());
    assert_eq!(of(&seen[0], &names), ["application/json", "application/json", agent, "SSWS hunter2", &host]);
    assert_eq!(header(&seen[1], "content-type").as_deref(), Some("application/x-www-form-urlencoded"));
    assert!(seen[1].ends_with("\r\n\r\na=b+c&a=%26"), "{}", seen[1]);
    assert_eq!(of(&seen[2], &names), ["application/scim+json", "*/*", "me", "SSWS hunter2", &host]);
}

#[tokio::test]
async fn no_body_means_none() {
    let peer = Peer::start(|_, _| Reply::Keep(answer(200, "", ""))).await;
    for verb in VERBS {
        received(send(&upstream(), verb, peer.url("/"), &hosts_of(&peer)).await);
        let seen = peer.seen().pop().unwrap();
        assert!(seen.starts_with(verb.as_str()) && seen.ends_with("\r\n\r\n"), "{seen}");
        let length = header(&seen, "content-length");
        let writes = matches!(verb, Verb::Post | Verb::Put | Verb::Patch);
        assert_eq!(length.as_deref(), writes.then_some("0"), "{seen}");
        assert_eq!((header(&seen, "content-type"), header(&seen, "transfer-encoding")), (None, None));
    }
}

#[tokio::test]
async fn header_values_that_break_lines_are_refused_unprinted() {
    let peer = Peer::start(|_, _| Reply::Keep(answer(200, "", ""))).await;
    let credentials = Credentials {
        headers: vec![("x-key".to_owned(), Secret::new("hunter2\r\nx: y"))],
        query: Vec::new(),
    };
    let answer = upstream().send(&request(Verb::Get, peer.url("/")), &credentials, &hosts_of(&peer)).await;
    assert!(
        matches!(&answer, Answer::Forbidden(text) if text.contains("x-key") && !text.contains("hunter2"))
    );
    assert!(peer.seen().is_empty());
}

#[tokio::test]
async fn closed_after_the_request_is_lost_and_sent_once() {
    for verb in VERBS {
        let peer = Peer::start(|_, _| Reply::Close(Vec::new())).await;
        let answer =
            upstream().send(&request(verb, peer.url("/")), &with_secret_query(), &hosts_of(&peer)).await;
        assert!(lost(&answer), "{answer:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(peer.seen().len(), 1, "{verb:?}");
    }
}

#[tokio::test]
async fn closed_on_a_kept_connection_is_lost_and_sent_once() {
    for verb in VERBS {
        let peer = Peer::start(|request, _| {
            if request.contains(" /warm") {
                Reply::Keep(answer(200, "", ""))
            } else {
                Reply::Close(Vec::new())
            }
        })
        .await;
        let upstream = upstream();
        received(send(&upstream, Verb::Get, peer.url("/warm"), &hosts_of(&peer)).await);
        received(send(&upstream, Verb::Delete, peer.url("/warm"), &hosts_of(&peer)).await);
        let answer = send(&upstream, verb, peer.url("/x"), &hosts_of(&peer)).await;
        assert!(lost(&answer), "{answer:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(peer.seen().len(), 3, "{verb:?}");
    }
}

#[tokio::test]
async fn writes_do_not_meet_a_connection_that_the_server_has_closed() {
    let peer = Peer::start(|_, _| Reply::Keep(answer(200, "", "ok"))).await;
    let upstream = upstream();
    for _ in 0..5 {
        received(send(&upstream, Verb::Get, peer.url("/"), &hosts_of(&peer)).await);
    }
    assert_eq!(peer.connections(), 1, "reads share");
    for sent in 1..=5 {
        received(send(&upstream, Verb::Delete, peer.url("/"), &hosts_of(&peer)).await);
        assert_eq!(peer.connections(), 1 + sent, "a write has its own");
    }
}

#[tokio::test]
async fn answers_cut_short_are_lost() {
    let compressed = STANDARD.decode(ZEROS).unwrap();
    let mut gzip = b"HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n".to_vec();
    gzip.extend_from_slice(&compressed[..compressed.len() / 2]);
    for bytes in [
        b"HTTP/1.1 200 X\r\ncontent-length: 10\r\n\r\n{\"a\"".to_vec(),
        b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab".to_vec(),
        b"HTTP/1.1 20".to_vec(),
        b"SSH-2.0-OpenSSH\r\n".to_vec(),
        gzip,
    ] {
        let peer = Peer::start(move |_, _| Reply::Close(bytes.clone())).await;
        for verb in [Verb::Get, Verb::Delete] {
            let answer =
                upstream().send(&request(verb, peer.url("/")), &with_secret_query(), &hosts_of(&peer)).await;
            assert!(lost(&answer), "{answer:?}");
        }
        assert_eq!(peer.seen().len(), 2);
    }
}

#[tokio::test]
async fn bodies_are_bounded_after_decompression() {
    let compressed = STANDARD.decode(ZEROS).unwrap();
    let mut gzip =
        format!("HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", compressed.len())
            .into_bytes();
    gzip.extend_from_slice(&compressed);
    let mut unannounced = b"HTTP/1.1 200 X\r\nconnection: close\r\n\r\n".to_vec();
    unannounced.extend_from_slice(&[b'0'; 50_000]);
    for bytes in [gzip, unannounced, answer(200, "", &"0".repeat(50_000))] {
        let peer = Peer::start(move |_, _| Reply::Close(bytes.clone())).await;
        for (max_body, fits) in [(49_999, false), (50_000, true)] {
            let upstream = Upstream::new(Settings { max_body, ..settings() }).unwrap();
            for verb in [Verb::Get, Verb::Delete] {
                match send(&upstream, verb, peer.url("/"), &hosts_of(&peer)).await {
                    Answer::Received(response) => assert!(fits && response.body.len() == 50_000),
                    Answer::Lost(text) => {
                        assert!(!fits && text == "answer larger than 49999 bytes", "{text}");
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn silence_is_lost_in_time() {
    let upstream =
        Upstream::new(Settings { total_timeout: Duration::from_millis(300), ..settings() }).unwrap();
    let silent = Peer::start(|_, _| Reply::Hang).await;
    let stuck =
        Peer::start(|_, _| Reply::Keep(b"HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\nab".to_vec())).await;
    for peer in [silent, stuck] {
        let started = Instant::now();
        let answer = send(&upstream, Verb::Delete, peer.url("/"), &hosts_of(&peer)).await;
        assert!(lost(&answer), "{answer:?}");
        assert!(started.elapsed() < Duration::from_secs(1));
        assert_eq!(peer.seen().len(), 1);
    }
}

#[tokio::test]
async fn what_never_left_is_not_sent() {
    let not_sent = |answer: &Answer| matches!(answer, Answer::NotSent(text) if !text.contains("hunter"));
    // A port that was free a moment ago: refused.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = Url::parse(&format!("http://{address}/")).unwrap();
    let refused = upstream()
        .send(&request(Verb::Delete, url), &with_secret_query(), &Hosts::new([address.to_string()]))
        .await;
    assert!(not_sent(&refused), "{refused:?}");

    // A name that does not exist.
    let url = Url::parse("https://nowhere.invalid/").unwrap();
    let unknown = upstream()
        .send(&request(Verb::Delete, url), &with_secret_query(), &Hosts::new(["nowhere.invalid"]))
        .await;
    assert!(not_sent(&unknown), "{unknown:?}");

    // A peer that does not speak TLS.
    let peer = Peer::start(|_, _| Reply::Hang).await;
    let closing = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closing.local_addr().unwrap();
    tokio::spawn(async move { while closing.accept().await.is_ok() {} });
    let url = Url::parse(&format!("https://{address}/")).unwrap();
    let tls = upstream()
        .send(&request(Verb::Delete, url), &with_secret_query(), &Hosts::new([address.to_string()]))
        .await;
    assert!(not_sent(&tls), "{tls:?}");

    // A handshake that never ends.
    let patience = Settings { connect_timeout: Duration::from_millis(200), ..settings() };
    let url = Url::parse(&format!("https://{}/", peer.address)).unwrap();
    let slow = Upstream::new(patience).unwrap();
    let slow = slow.send(&request(Verb::Delete, url), &with_secret_query(), &hosts_of(&peer)).await;
    assert!(not_sent(&slow), "{slow:?}");
}
