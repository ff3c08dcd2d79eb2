//! Access tokens: fetched once, renewed early, forgotten when refused.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use common::{Peer, Reply, answer, header, hosts_of, settings, upstream};
use koine_model::{Body, Credentials, Request, Response, Secret, Verb};
use koine_upstream::{Hosts, Login, Settings, Token, TokenError, Upstream};
use serde_json::{Map, Value};
use url::Url;

/// The simplest login: a form, and `access_token`.
struct Simple {
    endpoint: Url,
    patience: Duration,
}

fn grant(peer: &Peer) -> Simple {
    Simple { endpoint: peer.url("/token"), patience: Duration::ZERO }
}

#[async_trait]
impl Login for Simple {
    async fn request(&self) -> Result<(Request, Credentials), TokenError> {
        let body = Some(Body::Form(vec![("grant_type".to_owned(), "client_credentials".to_owned())]));
        let credentials = Credentials {
            headers: vec![("authorization".to_owned(), Secret::new("Basic hunter2"))],
            query: Vec::new(),
        };
        Ok((Request { verb: Verb::Post, url: self.endpoint.clone(), headers: Vec::new(), body }, credentials))
    }

    async fn read(&self, response: &Response) -> Result<Token, TokenError> {
        let answer = response.json().unwrap_or_default();
        match answer["access_token"].as_str().filter(|_| response.status == 200) {
            Some(token) => Ok(Token {
                value: Secret::new(token),
                lifetime: answer["expires_in"].as_f64(),
                kept: Map::from_iter([("site".to_owned(), Value::from("s"))]),
                fresh_for: None,
                since: Instant::now(),
            }),
            None => Err(TokenError::Refused { status: response.status, body: "no".to_owned() }),
        }
    }

    fn patience(&self) -> Duration {
        self.patience
    }
}

/// Gives the tokens t0, t1 … of that life.
async fn endpoint(expires_in: u64) -> Peer {
    Peer::start(move |_, before| {
        let body = format!("{{\"access_token\":\"t{before}\",\"expires_in\":{expires_in}}}");
        Reply::Keep(answer(200, "", &body))
    })
    .await
}

async fn token(upstream: &Upstream, peer: &Peer) -> Result<Secret, TokenError> {
    upstream.token("account", &grant(peer), &hosts_of(peer)).await.map(|token| token.value)
}

/// Twenty callers at once.
async fn crowd(upstream: &Upstream, peer: &Peer) -> Vec<Result<Secret, TokenError>> {
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let (upstream, peer) = (upstream.clone(), peer.clone());
            tokio::spawn(async move { token(&upstream, &peer).await })
        })
        .collect();
    let mut results = Vec::new();
    for caller in callers {
        results.push(caller.await.expect("no caller panics"));
    }
    results
}

#[tokio::test]
async fn the_login_is_sent_and_what_it_keeps_is_kept() {
    let peer = endpoint(3600).await;
    let upstream = upstream();
    for _ in 0..2 {
        let token = upstream.token("k", &grant(&peer), &hosts_of(&peer)).await.unwrap();
        assert_eq!(token.kept["site"], "s");
    }
    let seen = peer.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(header(&seen[0], "authorization").as_deref(), Some("Basic hunter2"));
    assert!(seen[0].ends_with("\r\n\r\ngrant_type=client_credentials"), "{}", seen[0]);
}

#[tokio::test]
async fn many_callers_share_one_fetch() {
    let peer = endpoint(3600).await;
    for result in crowd(&upstream(), &peer).await {
        assert_eq!(result.unwrap().expose(), "t0");
    }
    assert_eq!(peer.seen().len(), 1);
}

#[tokio::test]
async fn many_callers_share_one_failure() {
    let peer = Peer::start(|_, _| Reply::Hang).await;
    let upstream =
        Upstream::new(Settings { total_timeout: Duration::from_millis(300), ..settings() }).unwrap();
    for result in crowd(&upstream, &peer).await {
        assert!(matches!(result, Err(TokenError::Lost(_))));
    }
    assert_eq!(peer.seen().len(), 1);
    // The failure is not kept: who comes later asks again.
    token(&upstream, &peer).await.unwrap_err();
    assert_eq!(peer.seen().len(), 2);
}

#[tokio::test]
async fn tokens_are_renewed_before_they_expire() {
    let peer = endpoint(2).await;
    let upstream = upstream();
    assert_eq!(token(&upstream, &peer).await.unwrap().expose(), "t0");
    assert_eq!(token(&upstream, &peer).await.unwrap().expose(), "t0");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(token(&upstream, &peer).await.unwrap().expose(), "t1");
    assert_eq!(peer.seen().len(), 2);
}

#[tokio::test]
async fn the_guard_holds_for_token_endpoints() {
    let peer = endpoint(3600).await;
    let grant = grant(&peer);
    let error = upstream().token("k", &grant, &Hosts::default()).await.unwrap_err();
    assert!(matches!(error, TokenError::Forbidden(_)));
    assert!(peer.seen().is_empty());
}

#[tokio::test]
async fn only_the_kept_token_is_forgotten() {
    let peer = endpoint(3600).await;
    let upstream = upstream();
    let first = token(&upstream, &peer).await.unwrap();
    upstream.forget_token("account", &Secret::new("older"));
    upstream.forget_token("other", &first);
    assert_eq!(token(&upstream, &peer).await.unwrap(), first);
    upstream.forget_token("account", &first);
    assert_eq!(token(&upstream, &peer).await.unwrap().expose(), "t1");
    // A slow caller's 401 for the first must not cost the second.
    upstream.forget_token("account", &first);
    assert_eq!(token(&upstream, &peer).await.unwrap().expose(), "t1");
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_block_the_others() {
    let first = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&first);
    let peer = Peer::start(move |_, _| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Hang,
        _ => Reply::Keep(answer(200, "", "{\"access_token\":\"t\"}")),
    })
    .await;
    let upstream = upstream();
    tokio::time::timeout(Duration::from_millis(200), token(&upstream, &peer)).await.unwrap_err();
    assert_eq!(token(&upstream, &peer).await.unwrap().expose(), "t");
}

#[tokio::test]
async fn a_refusal_stands_in_for_asking_as_long_as_the_login_says() {
    let peer = Peer::start(|_, before| match before {
        0 => Reply::Keep(answer(401, "", "{}")),
        _ => Reply::Keep(answer(200, "", "{\"access_token\":\"t\"}")),
    })
    .await;
    let upstream = upstream();
    let patient = Simple { patience: Duration::from_secs(60), ..grant(&peer) };
    let refused = Err(TokenError::Refused { status: 401, body: "no".to_owned() });
    for _ in 0..3 {
        let token = upstream.token("account", &patient, &hosts_of(&peer)).await.map(|token| token.value);
        assert_eq!(token, refused);
    }
    assert_eq!(peer.seen().len(), 1);
    assert_eq!(token(&upstream, &peer).await, Ok(Secret::new("t")), "who has no patience asks");
    let token = upstream.token("account", &patient, &hosts_of(&peer)).await.map(|token| token.value);
    assert_eq!(token, Ok(Secret::new("t")), "it is over");
}
