//! Peers on loopback, and an upstream that reaches them.

#![allow(dead_code, unreachable_pub, unused_imports)] // each test file uses its part
#![allow(clippy::unwrap_used)] // a helper that unwraps fails the test with the reason

use std::time::Duration;

use koine_model::{Answer, Credentials, Request, Response, Verb};
pub use koine_testkit::peer::{answer, header, redirect};
pub use koine_testkit::{Peer, Reply};
use koine_upstream::{Hosts, Settings, Upstream};
use url::Url;

pub fn hosts_of(peer: &Peer) -> Hosts {
    Hosts::new([peer.authority()])
}

/// Settings that reach the peers, with a short patience.
pub fn settings() -> Settings {
    Settings {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        total_timeout: Duration::from_millis(2000),
        ..Settings::default()
    }
}

pub fn upstream() -> Upstream {
    Upstream::new(settings()).unwrap()
}

pub fn request(verb: Verb, url: Url) -> Request {
    Request { verb, url, headers: Vec::new(), body: None }
}

/// Sends without credentials.
pub async fn send(upstream: &Upstream, verb: Verb, url: Url, hosts: &Hosts) -> Answer {
    upstream.send(&request(verb, url), &Credentials::default(), hosts).await
}

pub fn received(answer: Answer) -> Response {
    match answer {
        Answer::Received(response) => response,
        other => panic!("not received: {other:?}"),
    }
}
