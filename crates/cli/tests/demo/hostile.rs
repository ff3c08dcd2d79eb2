//! Hostile ids, sent as raw bytes: no client library between that would tidy them up.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::Demo;

/// The status line's code of an answer to one raw request.
async fn raw(demo: &Demo, verb: &str, path: &str) -> (u16, String) {
    let address = demo.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mark = if path.contains('?') { '&' } else { '?' };
    let request = format!(
        "{verb} {path}{mark}integrated_account_id={}&organization_id=acme HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        demo.account("github"),
        demo.token()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    (text.split(' ').nth(1).unwrap().parse().unwrap(), text)
}

#[tokio::test]
async fn no_id_leaves_its_place_in_the_path() {
    let demo = Demo::start().await;
    let ids = [
        "%2e%2e",
        "%2E%2E%2f%2E%2E",
        "..",
        "../../teams",
        "..%2f..%2fteams",
        "a%2fb",
        "a%3Fper_page%3D1",
        "a%23b",
        "a%0d%0aX-Evil:%201",
        "%00",
        "%20",
        "%ff%fe",
        "me",
        "a%5cb",
        "%252e%252e",
    ];
    for verb in ["GET", "DELETE"] {
        for id in ids {
            let (status, text) = raw(&demo, verb, &format!("/unified/user-directory/users/{id}")).await;
            assert!((400..500).contains(&status), "{verb} {id}: {text}");
        }
        let long = "a".repeat(10_000);
        let (status, text) = raw(&demo, verb, &format!("/unified/user-directory/users/{long}")).await;
        assert!((400..500).contains(&status), "{text}");
    }
    // `me` has the shape of a login and may be asked for; everything else never left.
    for entry in demo.seen("github").await {
        let path = entry["path"].as_str().unwrap();
        assert!(matches!(path, "/users/me" | "/orgs/acme/memberships/me"), "{path}");
        assert_eq!(entry["method"], "GET", "{entry}");
    }
}
