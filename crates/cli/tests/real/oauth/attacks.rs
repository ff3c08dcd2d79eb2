//! Consents that somebody tampers with, and token endpoints that are hostile.

use koine_engine::{AuthorizationAnswer, AuthorizationFailure};
use koine_model::Secret;
use koine_testkit::{Peer, Reply, peer};
use serde_json::{Value, json};

use super::consent::{Says, answer_in, ask};
use super::setting::{ENDPOINT, Setting, TOKEN};

/// Where Salesforce gives tokens, and what it knows about the host of an account.
const SALESFORCE: &str = "https://login.salesforce.com/services/oauth2/token";

/// A code belongs to whom it was given to: somebody else's is worth nothing in one's own browser.
#[tokio::test]
async fn a_code_that_was_given_to_somebody_else() {
    let setting = Setting::new(3600).await;
    let (victim, thief) = (setting.answer(Says::Yes("ada")).await, setting.answer(Says::Yes("eve")).await);
    let injected = AuthorizationAnswer { code: victim.code, ..thief };
    let failed = setting.engine.finish_authorization(injected).await.err().unwrap();
    assert_eq!(failed.reason, AuthorizationFailure::Refused, "{}", failed.message);
    assert!(failed.message.contains("invalid_grant"), "{}", failed.message);
}

/// Without the challenge a stolen code would be good for anybody.
#[tokio::test]
async fn a_challenge_that_is_taken_away_or_weakened() {
    let setting = Setting::new(3600).await;
    for weaker in [None, Some("plain")] {
        let started = setting.begin(None).await;
        let mut url = started.url.clone();
        let kept = started.url.query_pairs().filter(|(name, _)| !name.starts_with("code_challenge"));
        url.query_pairs_mut().clear().extend_pairs(kept);
        if let Some(method) = weaker {
            url.query_pairs_mut()
                .append_pair("code_challenge", &"x".repeat(43))
                .append_pair("code_challenge_method", method);
        }
        let back = ask(&url, Says::Yes("ada")).await;
        let failed =
            setting.engine.finish_authorization(answer_in(&back, started.browser)).await.err().unwrap();
        assert_eq!(failed.reason, AuthorizationFailure::Refused, "{}", failed.message);
        assert_eq!(setting.proxy.reached_server("POST", TOKEN), 0, "there was no code to exchange");
    }
}

/// The verifier goes with every code, so that a server which gave one without a challenge can tell.
#[tokio::test]
async fn a_code_always_goes_with_its_verifier_to_the_exact_redirect_uri() {
    let endpoint = Peer::start(|_, _| told(400, &json!({"error": "invalid_grant"}))).await;
    let setting = Setting::new(3600).await;
    let engine = setting.engine_at(&json!({ENDPOINT: endpoint.url("/token")})).await;
    let started = setting.begin(None).await;
    let state = started.url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let answer = AuthorizationAnswer {
        connector: "acme-oauth".to_owned(),
        state,
        code: Some(Secret::new("c&redirect_uri=x")),
        browser: Some(started.browser),
        ..AuthorizationAnswer::default()
    };
    assert!(engine.finish_authorization(answer).await.is_err());
    let sent = endpoint.seen().remove(0);
    let form = sent.split("\r\n\r\n").nth(1).unwrap();
    let form: Vec<(String, String)> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let value = |wanted: &str| {
        let mut all = form.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        (all.next(), all.count())
    };
    assert_eq!(value("code"), (Some("c&redirect_uri=x"), 0), "it stays one value");
    assert_eq!(value("redirect_uri"), (Some("http://localhost:9/connect/acme-oauth/callback"), 0));
    assert_eq!(value("code_verifier").0.map(str::len), Some(43));
}

/// Some vendors tell with the tokens where the account lives; what they tell has to be a place of theirs.
#[tokio::test]
async fn a_host_that_comes_with_the_tokens_has_to_be_the_vendors() {
    let setting = Setting::new(3600).await;
    setting.set_app_of("salesforce", json!({})).await;
    for (instance, is_theirs) in [
        ("https://acme.my.salesforce.com", true),
        ("https://evil.example.com", false),
        ("https://acme.my.salesforce.com.evil.example.com", false),
        ("https://acme.my.salesforce.com@evil.example.com", false),
        ("https://127.0.0.1:9", false),
        ("", false),
    ] {
        let tokens = json!({"access_token": "issued-access", "refresh_token": "issued-refresh", "instance_url": instance});
        let endpoint = Peer::start(move |_, _| told(200, &tokens)).await;
        let engine = setting.engine_at(&json!({SALESFORCE: endpoint.url("/token")})).await;
        let started = setting.begin_at("salesforce", json!({})).await.unwrap();
        let state = started.url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let answer = AuthorizationAnswer {
            connector: "salesforce".to_owned(),
            state,
            code: Some(Secret::new("made-up-code")),
            browser: Some(started.browser),
            ..AuthorizationAnswer::default()
        };
        match engine.finish_authorization(answer).await {
            Ok(granted) => {
                assert!(is_theirs, "{instance}");
                assert_eq!(granted.context["instance_host"], "acme.my.salesforce.com");
            }
            Err(failed) => {
                assert!(!is_theirs, "{instance}: {}", failed.message);
                assert_eq!(failed.reason, AuthorizationFailure::Refused, "{instance}: {}", failed.message);
                assert!(!failed.message.contains("issued-"), "{}", failed.message);
            }
        }
    }
}

/// What an endpoint says of a refusal is kept for people, without what it repeats.
#[tokio::test]
async fn words_of_an_endpoint_hold_no_secret() {
    let setting = Setting::new(3600).await;
    let account = setting.connected("ada").await;
    let grant = setting.grant(&account).await;
    let text = |name: &str| grant[name].as_str().unwrap().to_owned();
    let (old, refresh) = (text("access_token"), text("refresh_token"));
    let known = old.clone();
    let endpoint = Peer::start(move |request, _| {
        let words = format!("{known} is over; you sent {request}");
        told(
            400,
            &json!({"error": "invalid_grant", "error_description": words, "access_token": "issued-access"}),
        )
    })
    .await;
    let engine = setting.engine_at(&json!({ENDPOINT: endpoint.url("/token")})).await;
    let error = engine.refresh_credentials(&setting.caller(), account).await.unwrap_err();
    let shown = setting.account(&account).await;
    assert_eq!(shown["status"], "needs_reauth");
    let sent = endpoint.seen().remove(0);
    let basic = sent.lines().find_map(|line| line.strip_prefix("authorization: Basic ")).unwrap();
    assert!(sent.contains(&refresh), "{sent}");
    for words in [error.to_string(), shown["last_error"].to_string(), format!("{error:?}")] {
        assert!(words.contains("invalid_grant"), "{words}");
        for secret in [old.as_str(), &refresh, "issued-access", super::setting::SECRET, basic] {
            assert!(!words.contains(secret), "{secret}: {words}");
        }
    }
}

fn told(status: u16, body: &Value) -> Reply {
    Reply::Keep(peer::answer(status, "content-type: application/json\r\n", &body.to_string()))
}
