//! A person with a browser, and what comes of coming back otherwise than one was sent out.

use std::collections::BTreeMap;

use koine_engine::{AuthorizationAnswer, AuthorizationFailure};
use koine_model::Secret;
use koine_testkit::http;
use serde_json::json;
use url::Url;

use super::setting::{CONNECTOR, Setting, TOKEN};

/// What a person says when asked.
#[derive(Clone, Copy)]
pub(super) enum Says<'a> {
    /// They are this, and allow it.
    Yes(&'a str),
    No,
}

/// Follows the server's pages to the address that leads back to us.
pub(super) async fn ask(url: &Url, says: Says<'_>) -> Url {
    let mut browser = Browser { cookies: BTreeMap::new(), at: url.clone() };
    browser.get().await;
    for _ in 0..10 {
        if browser.at.host_str() == Some("localhost") {
            return browser.at;
        }
        if !browser.at.path().starts_with("/interaction/") {
            browser.get().await;
            continue;
        }
        match says {
            Says::No => {
                browser.at.set_path(&format!("{}/abort", browser.at.path()));
                browser.get().await;
            }
            Says::Yes(who) => {
                let page = browser.page().await;
                let form = if page.contains("value=\"login\"") {
                    format!("prompt=login&login={who}&password=x")
                } else {
                    "prompt=consent".to_owned()
                };
                browser.go("POST", &form).await;
            }
        }
    }
    panic!("the server does not send anybody back: {}", browser.at);
}

struct Browser {
    cookies: BTreeMap<String, String>,
    at: Url,
}

impl Browser {
    async fn get(&mut self) {
        self.go("GET", "").await;
    }

    async fn page(&mut self) -> String {
        self.send("GET", "").await.text()
    }

    /// One step along the redirects.
    async fn go(&mut self, method: &str, form: &str) {
        let answer = self.send(method, form).await;
        let location =
            answer.header("location").unwrap_or_else(|| panic!("{method} {}: {answer:?}", self.at));
        self.at = self.at.join(location).unwrap();
    }

    async fn send(&mut self, method: &str, form: &str) -> http::Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let headers = [("cookie", cookies.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        let answer = http::request(method, self.at.as_str(), &headers, form.as_bytes()).await.unwrap();
        for (name, value) in &answer.headers {
            let pair = value.split(';').next().and_then(|pair| pair.split_once('='));
            if let (true, Some((cookie, value))) = (name.eq_ignore_ascii_case("set-cookie"), pair) {
                self.cookies.insert(cookie.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// The query of an address, as the route hands it over.
pub(super) fn answer_in(back: &Url, browser: Secret) -> AuthorizationAnswer {
    let query: BTreeMap<String, String> = back.query_pairs().into_owned().collect();
    let text = |name: &str| query.get(name).cloned();
    AuthorizationAnswer {
        connector: CONNECTOR.to_owned(),
        state: text("state").unwrap_or_default(),
        code: text("code").map(Secret::new),
        error: text("error"),
        error_description: text("error_description"),
        issuer: text("iss"),
        browser: Some(browser),
    }
}

async fn failure(setting: &Setting, answer: AuthorizationAnswer) -> (AuthorizationFailure, String, bool) {
    let failed = setting.engine.finish_authorization(answer).await.err().unwrap();
    (failed.reason, failed.message, failed.carried == Some(json!({"session": 7})))
}

#[tokio::test]
async fn a_consent_is_good_once_and_for_who_was_sent_out() {
    let setting = Setting::new(3600).await;
    let answer = setting.answer(Says::Yes("ada")).await;
    let other = Secret::new("aGVsbG8gd29ybGQsIHRoaXMgaXMgMzIgYnl0ZXMgISE");
    for wrong in [
        AuthorizationAnswer { browser: Some(other), ..answer.clone() },
        AuthorizationAnswer { browser: None, ..answer.clone() },
        AuthorizationAnswer { state: "another".to_owned(), ..answer.clone() },
        AuthorizationAnswer { connector: "asana".to_owned(), ..answer.clone() },
    ] {
        let (reason, message, known) = failure(&setting, wrong).await;
        assert_eq!((reason, known), (AuthorizationFailure::Unknown, false), "{message}");
    }
    let granted = setting.engine.finish_authorization(answer.clone()).await;
    assert!(granted.is_ok(), "tries of others did no harm");
    let (reason, message, _) = failure(&setting, answer).await;
    assert_eq!(reason, AuthorizationFailure::Unknown, "{message}");
}

#[tokio::test]
async fn what_the_vendor_says_is_told() {
    let setting = Setting::new(3600).await;
    let denied = setting.answer(Says::No).await;
    let (reason, message, known) = failure(&setting, denied).await;
    assert_eq!((reason, known), (AuthorizationFailure::Denied, true), "{message}");
    assert!(message.contains("Acme ID"), "{message}");

    let answer = setting.answer(Says::Yes("ada")).await;
    let forged = AuthorizationAnswer { code: Some(Secret::new("forged-code")), ..answer };
    let (reason, message, known) = failure(&setting, forged).await;
    assert_eq!((reason, known), (AuthorizationFailure::Refused, true), "{message}");
    assert!(message.contains("invalid_grant") && !message.contains("forged-code"), "{message}");

    let answer = setting.answer(Says::Yes("ada")).await;
    let odd = AuthorizationAnswer {
        error: Some("server_error".to_owned()),
        error_description: Some("<b>\u{7}no".to_owned()),
        ..answer
    };
    let (reason, message, _) = failure(&setting, odd).await;
    assert_eq!((reason, message.as_str()), (AuthorizationFailure::Refused, "Acme ID refused: <b>no"));
}

#[tokio::test]
async fn an_answer_of_another_server_is_not_taken_to_this_one() {
    let setting = Setting::new(3600).await;
    let answer = setting.answer(Says::Yes("ada")).await;
    assert!(answer.issuer.is_some(), "this server says who it is");
    let mixed = AuthorizationAnswer { issuer: Some("https://evil.example.com".to_owned()), ..answer };
    let (reason, message, known) = failure(&setting, mixed).await;
    assert_eq!((reason, known), (AuthorizationFailure::Refused, true), "{message}");
    assert_eq!(setting.proxy.reached_server("POST", TOKEN), 0, "the code went nowhere");
}

#[tokio::test]
async fn a_code_that_cannot_be_exchanged_now() {
    let setting = Setting::new(3600).await;
    let answer = setting.answer(Says::Yes("ada")).await;
    setting.proxy.lose_request_of("POST", TOKEN, 1);
    let (reason, message, known) = failure(&setting, answer).await;
    assert_eq!((reason, known), (AuthorizationFailure::Unreachable, true), "{message}");
}

#[tokio::test]
async fn a_browser_keeps_its_cookie() {
    let setting = Setting::new(3600).await;
    let first = setting.begin(None).await;
    let query: BTreeMap<_, _> = first.url.query_pairs().into_owned().collect();
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["redirect_uri"], "http://localhost:9/connect/acme-oauth/callback");
    assert!(query["state"].len() >= 43 && query["code_challenge"].len() == 43, "{query:?}");
    let second = setting.begin(Some(first.browser.clone())).await;
    assert_eq!(first.browser, second.browser);
    let states = [&first.url, &second.url].map(|url| url.query_pairs().find(|(name, _)| name == "state"));
    assert_ne!(states[0], states[1]);
    for foreign in ["", "chosen-by-somebody-else"] {
        let third = setting.begin(Some(Secret::new(foreign))).await;
        assert_ne!(third.browser.expose(), foreign, "what is not random is not kept");
    }
    // Both may come back, in any order.
    for started in [second, first] {
        let back = ask(&started.url, Says::Yes("ada")).await;
        let answer = answer_in(&back, started.browser);
        assert!(setting.engine.finish_authorization(answer).await.is_ok());
    }
}

/// Whoever connects an account chooses the host of some vendors; the app's secret must not go to theirs.
#[tokio::test]
async fn the_secret_of_an_app_goes_to_no_host_that_a_customer_names() {
    let setting = Setting::new(3600).await;
    setting.set_app_of("gitlab", json!({})).await;
    assert!(setting.begin_at("gitlab", json!({})).await.is_ok(), "the vendor's own");
    let error = setting.begin_at("gitlab", json!({"host": "evil.example.com"})).await.unwrap_err();
    assert_eq!(error.status(), 400, "{error}");
    assert!(error.message.contains("`host`"), "{error}");
    setting.set_app_of("gitlab", json!({"host": "gitlab.example.com"})).await;
    let started = setting.begin_at("gitlab", json!({"host": "gitlab.example.com"})).await.unwrap();
    assert_eq!(started.url.host_str(), Some("gitlab.example.com"), "the operator's own");
    assert!(setting.begin_at("gitlab", json!({"host": "evil.example.com"})).await.is_err());
    let own = json!({"host": "evil.example.com", "client_id": "own", "client_secret": "own"});
    assert!(setting.begin_at("gitlab", own).await.is_ok(), "their own secret");
}
