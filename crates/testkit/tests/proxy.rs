//! The losing proxy in front of a tiny server that counts what it executed.
#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap as the tests do")]

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use koine_testkit::http::{get_json, post_json, request};
use koine_testkit::{LosingProxy, Seen};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Reads until the head and a body of known length are complete, and answers with a fixed text.
async fn server(answer: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let executed = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&executed);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            tokio::spawn(async move {
                let (mut text, mut piece) = (String::new(), [0; 4096]);
                loop {
                    let length = stream.read(&mut piece).await.unwrap();
                    text.push_str(&String::from_utf8_lossy(&piece[..length]));
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let expected = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
                    if length == 0 || body.len() >= expected.map_or(0, |text| text.parse().unwrap()) {
                        break;
                    }
                }
                counter.fetch_add(1, Ordering::SeqCst);
                let echo = serde_json::to_string(&text).unwrap();
                let answer = answer.replace("ECHO", &echo).replace("SIZE", &format!("{:x}", echo.len()));
                stream.write_all(answer.as_bytes()).await.unwrap();
            });
        }
    });
    (url, executed)
}

const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\nLink: <next>\r\nTransfer-Encoding: chunked\r\n\r\nSIZE\r\nECHO\r\n0\r\n\r\n";
const NOTHING: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[tokio::test]
async fn forwards_requests_and_answers_as_they_are() {
    let (url, _) = server(CHUNKED).await;
    let proxy = LosingProxy::start(&url).await.unwrap();

    let answer =
        request("GET", &format!("{}/users?a=1", proxy.url()), &[("X-Mine", "yes")], b"").await.unwrap();
    let echo = answer.json().unwrap();
    let sent = echo.as_str().unwrap();
    assert!(sent.starts_with("GET /users?a=1 HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("X-Mine: yes") && sent.contains(&proxy.url()["http://".len()..]), "{sent}");
    assert_eq!(answer.header("link"), Some("<next>"));

    let (status, echo) = post_json(&format!("{}/users", proxy.url()), &[], &json!({"a": "ü"})).await.unwrap();
    assert_eq!(status, 200);
    assert!(echo.as_str().unwrap().ends_with(r#"{"a":"ü"}"#), "{echo}");
    assert_eq!(proxy.counts()[&("POST".to_owned(), "/users".to_owned())], 1);
}

#[tokio::test]
async fn a_lost_answer_was_executed_and_the_next_one_arrives() {
    let (url, executed) = server(NOTHING).await;
    let proxy = LosingProxy::start(&url).await.unwrap();
    proxy.lose_answer_of("DELETE", "/users/1", 1);
    let target = format!("{}/users/1", proxy.url());

    let other = request("DELETE", &format!("{}/users/2", proxy.url()), &[], b"").await.unwrap();
    assert_eq!(other.status, 204);
    let lost = request("DELETE", &target, &[], b"").await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(request("DELETE", &target, &[], b"").await.unwrap().status, 204);

    assert_eq!(executed.load(Ordering::SeqCst), 3);
    assert_eq!(proxy.reached_server("DELETE", "/users/1"), 2);
    let seen = Seen { method: "DELETE".into(), path: "/users/1".into(), status: Some(204), lost: true };
    assert_eq!(proxy.seen()[1], seen);
}

#[tokio::test]
async fn a_lost_request_was_not_executed() {
    let (url, executed) = server(NOTHING).await;
    let proxy = LosingProxy::start(&url).await.unwrap();
    proxy.lose_request_of("delete", "/", 2);
    for _ in 0..2 {
        request("DELETE", &format!("{}/users/1", proxy.url()), &[], b"").await.unwrap_err();
    }
    assert_eq!((executed.load(Ordering::SeqCst), proxy.reached_server("DELETE", "/")), (0, 0));
    assert_eq!(proxy.seen().iter().filter(|seen| seen.lost).count(), 2);
}

#[tokio::test]
async fn a_server_that_is_gone_is_no_answer() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let proxy = LosingProxy::start(&url).await.unwrap();
    assert!(get_json(&proxy.url(), &[]).await.is_err());
    assert_eq!(proxy.seen()[0], Seen { method: "GET".into(), path: "/".into(), status: None, lost: false });
}
