//! Requests reach only the hosts and addresses that they may, at redirects too.

mod common;

use common::{Peer, Reply, answer, header, hosts_of, received, redirect, request, send, settings, upstream};
use koine_model::{Answer, Credentials, Secret, Verb};
use koine_upstream::{Hosts, Settings, Upstream};
use url::Url;

fn secrets() -> Credentials {
    Credentials {
        headers: vec![("Authorization".to_owned(), Secret::new("Bearer hunter2"))],
        query: vec![("key".to_owned(), Secret::new("hunter3"))],
    }
}

fn forbidden(answer: &Answer) -> bool {
    matches!(answer, Answer::Forbidden(text) if !text.contains("hunter"))
}

async fn ok_peer() -> Peer {
    Peer::start(|_, _| Reply::Keep(answer(200, "", "{}"))).await
}

#[tokio::test]
async fn literals_are_refused_unless_allowed() {
    let peer = ok_peer().await;
    let closed = Upstream::new(Settings::default()).unwrap();
    let url = Url::parse(&format!("https://{}/", peer.address)).unwrap();
    assert!(forbidden(&send(&closed, Verb::Get, url, &hosts_of(&peer)).await));
    assert!(forbidden(&send(&closed, Verb::Get, peer.url("/"), &hosts_of(&peer)).await));
    assert_eq!(received(send(&upstream(), Verb::Get, peer.url("/"), &hosts_of(&peer)).await).status, 200);
    assert_eq!(peer.seen().len(), 1);
}

#[tokio::test]
async fn names_are_judged_by_their_addresses() {
    let peer = ok_peer().await;
    let port = peer.address.port();
    let hosts = Hosts::new([format!("localhost:{port}")]);
    let https = Url::parse(&format!("https://localhost:{port}/?q=hunter2")).unwrap();
    let http = Url::parse(&format!("http://localhost:{port}/")).unwrap();

    let closed = Upstream::new(Settings::default()).unwrap();
    assert!(forbidden(&send(&closed, Verb::Get, https.clone(), &hosts).await));
    assert!(forbidden(&send(&closed, Verb::Delete, http.clone(), &hosts).await));
    // A range that does not hold the address does not help either.
    let other = Settings { allow: vec!["10.0.0.0/8".parse().unwrap()], ..Settings::default() };
    let other = Upstream::new(other).unwrap();
    assert!(forbidden(&send(&other, Verb::Get, https, &hosts).await));
    assert!(forbidden(&send(&other, Verb::Get, http.clone(), &hosts).await));
    assert!(peer.seen().is_empty());

    assert_eq!(received(send(&upstream(), Verb::Get, http, &hosts).await).status, 200);
}

#[tokio::test]
async fn only_the_hosts_given_are_called() {
    let peer = ok_peer().await;
    for hosts in [Hosts::default(), Hosts::new(["127.0.0.1"]), Hosts::new(["api.example.com"])] {
        assert!(forbidden(&send(&upstream(), Verb::Get, peer.url("/?k=hunter2"), &hosts).await));
    }
    assert!(peer.seen().is_empty());
}

#[tokio::test]
async fn redirects_on_the_host_are_followed_for_reads_only() {
    let peer = Peer::start(|request, _| {
        Reply::Keep(if request.contains(" /old") {
            redirect(307, "/new?key=hunter3&page=2")
        } else {
            answer(200, "", "new")
        })
    })
    .await;
    let read = request(Verb::Get, peer.url("/old"));
    let response = received(upstream().send(&read, &secrets(), &hosts_of(&peer)).await);
    assert_eq!(response.body, "new");
    let seen = peer.seen();
    assert!(seen[0].starts_with("GET /old?key=hunter3 "), "{}", seen[0]);
    assert!(seen[1].starts_with("GET /new?key=hunter3&page=2 "), "the query is not doubled: {}", seen[1]);
    assert_eq!(header(&seen[1], "authorization").as_deref(), Some("Bearer hunter2"));

    for verb in [Verb::Delete, Verb::Post, Verb::Put, Verb::Patch] {
        let before = peer.seen().len();
        let response = received(send(&upstream(), verb, peer.url("/old"), &hosts_of(&peer)).await);
        assert_eq!((response.status, response.header("location")), (307, Some("/new?key=hunter3&page=2")));
        assert_eq!(peer.seen().len(), before + 1);
    }
}

#[tokio::test]
async fn redirects_to_other_hosts_need_leave_and_lose_the_credentials() {
    let there = ok_peer().await;
    let target = there.url("/there").to_string();
    let here = Peer::start(move |_, _| Reply::Keep(redirect(302, &target))).await;
    let mut read = request(Verb::Get, here.url("/"));
    read.headers = vec![("cookie".to_owned(), "a=b".to_owned()), ("x-kept".to_owned(), "1".to_owned())];

    assert!(forbidden(&upstream().send(&read, &secrets(), &hosts_of(&here)).await));
    assert!(there.seen().is_empty());

    let both = Hosts::new([here.authority(), there.authority()]);
    assert_eq!(received(upstream().send(&read, &secrets(), &both).await).status, 200);
    let seen = there.seen().remove(0);
    assert!(seen.starts_with("GET /there HTTP"), "{seen}");
    assert_eq!((header(&seen, "authorization"), header(&seen, "cookie")), (None, None));
    assert_eq!(header(&seen, "x-kept").as_deref(), Some("1"));
    assert!(!seen.contains("hunter"), "{seen}");
}

#[tokio::test]
async fn redirects_may_not_leak_or_leave_the_guard() {
    let there = ok_peer().await;
    let stolen = there.url("/there?stolen=hunter3").to_string();
    for location in
        [stolen.as_str(), "http://10.0.0.1/", "https://[::1]/", "file:///etc/passwd", "http://u:p@127.0.0.1/"]
    {
        let reply = redirect(302, location);
        let here = Peer::start(move |_, _| Reply::Keep(reply.clone())).await;
        let hosts = Hosts::new([
            here.authority(),
            there.authority(),
            "10.0.0.1".into(),
            "[::1]".into(),
            "127.0.0.1".into(),
        ]);
        let answer = upstream().send(&request(Verb::Get, here.url("/")), &secrets(), &hosts).await;
        assert!(forbidden(&answer), "{location}: {answer:?}");
        assert_eq!(here.seen().len(), 1);
    }
    assert!(there.seen().is_empty());
}

#[tokio::test]
async fn redirects_are_counted() {
    let peer = Peer::start(|_, _| Reply::Keep(redirect(302, "/again"))).await;
    let upstream = Upstream::new(Settings { max_redirects: 3, ..settings() }).unwrap();
    assert!(forbidden(&send(&upstream, Verb::Get, peer.url("/"), &hosts_of(&peer)).await));
    assert_eq!(peer.seen().len(), 4);
}
