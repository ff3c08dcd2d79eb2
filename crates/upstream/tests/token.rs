//! Access tokens: fetched once, renewed early, forgotten when refused.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{Peer, Reply, answer, header, settings, upstream};
use koine_model::Secret;
use koine_upstream::{ClientCredentials, CredentialsIn, Hosts, Settings, TokenError, Upstream};

fn grant(peer: &Peer, credentials_in: CredentialsIn) -> ClientCredentials {
    ClientCredentials {
        token_url: peer.url("/token"),
        client_id: "my:id".to_owned(),
        client_secret: Secret::new("hunter2 &"),
        scopes: vec!["a".to_owned(), "b".to_owned()],
        credentials_in,
        extra: vec![("audience".to_owned(), "x".to_owned())],
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
    upstream.token("account", &grant(peer, CredentialsIn::Header), &peer.hosts()).await
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
async fn the_grant_is_sent_either_way() {
    let peer = endpoint(3600).await;
    let upstream = upstream();
    for (key, place) in [("h", CredentialsIn::Header), ("b", CredentialsIn::Body)] {
        upstream.token(key, &grant(&peer, place), &peer.hosts()).await.unwrap();
    }
    let seen = peer.seen();
    let basic = format!("Basic {}", STANDARD.encode("my%3Aid:hunter2+%26"));
    assert_eq!(header(&seen[0], "authorization"), Some(basic));
    assert!(seen[0].ends_with("\r\n\r\ngrant_type=client_credentials&scope=a+b&audience=x"), "{}", seen[0]);
    assert_eq!(header(&seen[1], "authorization"), None);
    assert!(seen[1].contains("&client_id=my%3Aid&client_secret=hunter2+%26&audience=x"), "{}", seen[1]);
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
async fn a_refusal_is_told_without_the_secret() {
    let peer = Peer::start(|request, _| {
        let body = format!("{{\"error\":\"invalid_client\"}} hunter2 & {request}{}", "x".repeat(5000));
        Reply::Keep(answer(401, "", &body))
    })
    .await;
    for place in [CredentialsIn::Header, CredentialsIn::Body] {
        let error = upstream().token("k", &grant(&peer, place), &peer.hosts()).await.unwrap_err();
        let TokenError::Refused { status: 401, body } = error else { panic!("{error:?}") };
        assert!(body.starts_with("{\"error\":\"invalid_client\"}") && body.chars().count() == 500, "{body}");
        assert!(!body.contains("hunter2") && !body.contains("aHVudGVy"), "{body}");
        assert!(!body.contains(&STANDARD.encode("my%3Aid:hunter2+%26")), "{body}");
    }
}

#[tokio::test]
async fn a_success_without_a_token_is_a_refusal() {
    let peer =
        Peer::start(|_, _| Reply::Keep(answer(200, "", "{\"ok\":false,\"error\":\"bad\",\"token\":\"t\"}")))
            .await;
    let error = token(&upstream(), &peer).await.unwrap_err();
    assert_eq!(
        error,
        TokenError::Refused { status: 200, body: "no access_token in the answer bad".to_owned() }
    );
}

#[tokio::test]
async fn the_guard_holds_for_token_endpoints() {
    let peer = endpoint(3600).await;
    let grant = grant(&peer, CredentialsIn::Header);
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
