//! Names that change their mind: what a resolver says is judged each time, and what was judged is what is called.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the reason")]

mod common;

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use common::{Peer, Reply, answer, received, redirect, send, settings};
use koine_model::{Answer, Verb};
use koine_upstream::{Hosts, Lookup, Settings, Upstream};
use url::Url;

/// Stands for the public address that the name had when somebody looked.
const OUTSIDE: &str = "127.0.0.1";
/// Stands for a service behind the firewall.
const INSIDE: &str = "127.0.0.2";

/// Gives the next answer each time, and the last one for ever.
#[derive(Debug)]
struct Fickle {
    answers: Mutex<Vec<Vec<&'static str>>>,
    asked: AtomicUsize,
}

impl Fickle {
    fn new(answers: &[&[&'static str]]) -> Arc<Self> {
        let answers = answers.iter().rev().map(|answer| answer.to_vec()).collect();
        Arc::new(Self { answers: Mutex::new(answers), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Lookup for Fickle {
    async fn lookup(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop().unwrap() } else { answers[0].clone() };
        Ok(answer.iter().map(|address| address.parse().unwrap()).collect())
    }
}

fn upstream(lookup: &Arc<Fickle>) -> Upstream {
    let lookup: Arc<dyn Lookup> = lookup.clone();
    Upstream::new(Settings { allow: vec![format!("{OUTSIDE}/32").parse().unwrap()], lookup, ..settings() })
        .unwrap()
}

fn forbidden(answer: &Answer) -> bool {
    matches!(answer, Answer::Forbidden(_))
}

/// Peers of both addresses on the same port.
async fn peers(reply: impl Fn() -> Vec<u8> + Clone + Send + Sync + 'static) -> (Peer, Peer, u16) {
    for _ in 0..50 {
        let (one, two) = (reply.clone(), reply.clone());
        let outside = Peer::start_at(&format!("{OUTSIDE}:0"), move |_, _| Reply::Close(one())).await.unwrap();
        let port = outside.address.port();
        if let Ok(inside) = Peer::start_at(&format!("{INSIDE}:{port}"), move |_, _| Reply::Close(two())).await
        {
            return (outside, inside, port);
        }
    }
    panic!("no port is free on both addresses");
}

fn name(port: u16) -> (Url, Hosts) {
    let url = Url::parse(&format!("http://rebind.example.com:{port}/x")).unwrap();
    (url, Hosts::new([format!("rebind.example.com:{port}")]))
}

#[tokio::test]
async fn every_connection_is_judged_anew() {
    let (outside, inside, port) = peers(|| answer(200, "connection: close\r\n", "{}")).await;
    let lookup = Fickle::new(&[&[OUTSIDE], &[INSIDE]]);
    let upstream = upstream(&lookup);
    let (url, hosts) = name(port);
    for verb in [Verb::Get, Verb::Delete, Verb::Get] {
        let answer = send(&upstream, verb, url.clone(), &hosts).await;
        let first = lookup.asked.load(Ordering::SeqCst) == 1;
        assert!(if first { received(answer).status == 200 } else { forbidden(&answer) });
    }
    assert_eq!((outside.seen().len(), inside.connections()), (1, 0));
    assert_eq!(lookup.asked.load(Ordering::SeqCst), 3, "what was judged is what is called: one look-up each");
}

#[tokio::test]
async fn an_answer_with_both_addresses_leads_outside_only() {
    let (outside, inside, port) = peers(|| answer(200, "connection: close\r\n", "{}")).await;
    let lookup = Fickle::new(&[&[INSIDE, OUTSIDE, "::1", "169.254.169.254"]]);
    let upstream = upstream(&lookup);
    let (url, hosts) = name(port);
    for _ in 0..5 {
        assert_eq!(received(send(&upstream, Verb::Get, url.clone(), &hosts).await).status, 200);
    }
    drop(outside);
    let gone = Fickle::new(&[&[INSIDE, "::1", "10.0.0.1", "::ffff:10.0.0.1", "0.0.0.0"]]);
    assert!(forbidden(&send(&self::upstream(&gone), Verb::Get, url, &hosts).await));
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn a_redirect_to_the_same_name_is_judged_too() {
    let (outside, inside, port) = peers(|| redirect(302, "/again")).await;
    let lookup = Fickle::new(&[&[OUTSIDE], &[INSIDE]]);
    let (url, hosts) = name(port);
    assert!(forbidden(&send(&upstream(&lookup), Verb::Get, url, &hosts).await));
    assert_eq!((outside.seen().len(), inside.connections()), (1, 0));
}
