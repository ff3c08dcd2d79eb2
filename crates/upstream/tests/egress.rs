//! The way out through a company's network: its proxy, and its own certificate authority.

mod common;

use common::{received, request, send, settings};
use koine_model::{Answer, Secret, Verb};
use koine_testkit::{Authority, ForwardProxy, TlsServer};
use koine_upstream::{Hosts, Settings, Upstream, UpstreamError};
use url::Url;

/// A name that no resolver knows: only the proxy does.
const VENDOR: &str = "api.vendor.test";

fn url(text: &str) -> Url {
    Url::parse(text).expect("the tests' own addresses are URLs")
}

fn hosts() -> Hosts {
    Hosts::new([VENDOR, "localhost", "10.1.2.3", "192.0.2.1", "1.1.1.1"])
}

/// Settings of a network that lets nothing out but the proxy.
fn through(proxy: &str, authority: &Authority) -> Settings {
    Settings {
        allow: Vec::new(),
        proxy: Some(Secret::new(proxy)),
        extra_ca: authority.pem().into_bytes(),
        ..settings()
    }
}

#[tokio::test]
async fn a_private_authority_is_believed_only_when_told() {
    let authority = Authority::new();
    let server = TlsServer::start(&authority, &["127.0.0.1"]).await.unwrap();
    let at = url(&format!("https://{}/users", server.address()));
    let hosts = Hosts::new([server.address().to_string()]);

    let plain = Upstream::new(settings()).unwrap();
    let answer = send(&plain, Verb::Get, at.clone(), &hosts).await;
    assert!(matches!(&answer, Answer::NotSent(why) if why.contains("certificate")), "{answer:?}");
    let other = Settings { extra_ca: Authority::new().pem().into_bytes(), ..settings() };
    let answer = send(&Upstream::new(other).unwrap(), Verb::Delete, at.clone(), &hosts).await;
    assert!(matches!(answer, Answer::NotSent(_)), "{answer:?}");
    assert!(server.seen().is_empty());

    let bundle = format!("# two of them\n{}\n{}", Authority::new().pem(), authority.pem());
    let told = Upstream::new(Settings { extra_ca: bundle.into_bytes(), ..settings() }).unwrap();
    assert_eq!(received(send(&told, Verb::Get, at, &hosts).await).status, 200);
    assert_eq!(server.seen(), ["GET /users HTTP/1.1"]);
}

#[tokio::test]
async fn a_bundle_without_certificates_is_refused() {
    for text in [
        "none",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n",
    ] {
        let refused = Upstream::new(Settings { extra_ca: text.into(), ..settings() });
        let Err(error) = refused else { panic!("taken: {text}") };
        assert!(matches!(error, UpstreamError::Certificates(_) | UpstreamError::Tls(_)), "{text}: {error:?}");
    }
}

#[tokio::test]
async fn the_proxy_carries_what_leaves_the_network() {
    let authority = Authority::new();
    let server = TlsServer::start(&authority, &[VENDOR]).await.unwrap();
    for tls in [None, Some(&authority)] {
        let names = [("api.vendor.test:443", server.address())];
        let proxy = ForwardProxy::start(&names, Some("me:hun ter2"), tls).await.unwrap();
        let upstream = Upstream::new(through(&proxy.url("me:hun%20ter2@"), &authority)).unwrap();
        for verb in [Verb::Get, Verb::Delete] {
            let answer = send(&upstream, verb, url("https://api.vendor.test/users/7"), &hosts()).await;
            assert_eq!(received(answer).status, 200);
        }
        assert_eq!(proxy.seen(), ["CONNECT api.vendor.test:443 200", "CONNECT api.vendor.test:443 200"]);
    }
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_refusal_of_the_proxy_means_that_nothing_was_sent() {
    let authority = Authority::new();
    let server = TlsServer::start(&authority, &[VENDOR]).await.unwrap();
    let known = [("api.vendor.test:443", server.address())];
    for (names, user) in [(&known[..], "me:hunter3@"), (&[], "me:hunter2@")] {
        let proxy = ForwardProxy::start(names, Some("me:hunter2"), None).await.unwrap();
        let upstream = Upstream::new(through(&proxy.url(user), &authority)).unwrap();
        let answer = send(&upstream, Verb::Delete, url("https://api.vendor.test/users/7"), &hosts()).await;
        assert!(matches!(&answer, Answer::NotSent(why) if !why.contains("hunter")), "{answer:?}");
        assert_eq!(proxy.seen().len(), 1);
    }
    let closed = Upstream::new(through("http://127.0.0.1:1", &authority)).unwrap();
    let answer = send(&closed, Verb::Delete, url("https://api.vendor.test/"), &hosts()).await;
    assert!(matches!(answer, Answer::NotSent(_)), "{answer:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn the_guard_holds_before_the_proxy() {
    let authority = Authority::new();
    let server = TlsServer::start(&authority, &["127.0.0.1"]).await.unwrap();
    let everything = [
        ("10.1.2.3:443", server.address()),
        ("192.0.2.1:443", server.address()),
        ("localhost:443", server.address()),
        ("other.vendor.test:443", server.address()),
    ];
    let proxy = ForwardProxy::start(&everything, None, None).await.unwrap();
    let upstream = Upstream::new(through(&proxy.url(""), &authority)).unwrap();
    for target in [
        "https://10.1.2.3/",          // private
        "https://192.0.2.1/",         // documentation
        "https://localhost/",         // a name that means loopback here
        "https://other.vendor.test/", // not one of the hosts
        "http://api.vendor.test/",    // without TLS
    ] {
        let answer = send(&upstream, Verb::Get, url(target), &hosts()).await;
        assert!(matches!(answer, Answer::Forbidden(_)), "{target}: {answer:?}");
    }
    assert!(proxy.seen().is_empty() && server.seen().is_empty());
}

#[tokio::test]
async fn the_operators_own_ranges_are_reached_directly() {
    let authority = Authority::new();
    let server = TlsServer::start(&authority, &["127.0.0.1", "localhost"]).await.unwrap();
    let port = server.address().port();
    let proxy = ForwardProxy::start(&[], None, None).await.unwrap();
    let allow = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    let upstream = Upstream::new(Settings { allow, ..through(&proxy.url(""), &authority) }).unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let hosts = Hosts::new([format!("{host}:{port}")]);
        let read = request(Verb::Get, url(&format!("https://{host}:{port}/")));
        let answer = upstream.send(&read, &koine_model::Credentials::default(), &hosts).await;
        assert_eq!(received(answer).status, 200, "{host}");
    }
    assert!(proxy.seen().is_empty());
}
