//! Consents: who comes back, with what, and how often.

use std::collections::BTreeMap;

use koine_testkit::{Peer, Reply, Visitor, peer};
use serde_json::json;

use crate::support::{Stand, said};

const APP_SECRET: &str = "made-up-secret-of-the-app";
const GRANTED: &str = "made-up-access-token";
const RENEWAL: &str = "made-up-refresh-token";
const PUBLIC: &str = "http://localhost:9";
const EVIL: &str = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E%3Cimg%20src=x%20onerror=alert(2)%3E";

/// A gateway whose environment has an app at a vendor that a test plays.
struct Setting {
    stand: Stand,
    vendor: Peer,
}

impl Setting {
    async fn new() -> Self {
        let vendor = Peer::start(|request, _| {
            if request.starts_with("POST /token") {
                let tokens = json!({"access_token": GRANTED, "expires_in": 3600, "refresh_token": RENEWAL});
                return Reply::Keep(said(&tokens));
            }
            let known = request.contains(&format!("Bearer {GRANTED}"));
            let status = if known { 200 } else { 401 };
            Reply::Keep(peer::answer(status, "content-type: application/json\r\n", r#"{"items": []}"#))
        })
        .await;
        let moved = json!({
            "consenting": format!("http://{}", vendor.authority()),
            "https://id.example.com/token": vendor.url("/token"),
        });
        let settings = [("KOINE_BASE_URLS", &*moved.to_string()), ("KOINE_PUBLIC_URL", PUBLIC)];
        let stand = Stand::start("127.0.0.0/8", &settings).await;
        let file = stand.gateway.folder().join("app.secret");
        std::fs::write(&file, APP_SECRET).unwrap();
        let set = ["oauth-app", "set", "consenting", "--client-id", "koine", "--secret-file"];
        stand.gateway.admin(&[&set[..], &[file.to_str().unwrap()]].concat()).await;
        Self { stand, vendor }
    }

    /// Somebody who was sent out to consent, and the state that they have to come back with.
    async fn sent_out(&self, tenant: &str) -> (Visitor, String) {
        let mut visitor = self.stand.visitor(&json!({"tenant_id": tenant}), "consenting").await;
        assert!(visitor.sees("Continue to Consenting"), "{}", visitor.page.text());
        visitor.fill(&[]).await;
        let asked: BTreeMap<_, _> = visitor.next().query_pairs().into_owned().collect();
        (visitor, asked["state"].clone())
    }

    fn asked_for_tokens(&self) -> usize {
        self.vendor.seen().iter().filter(|request| request.starts_with("POST /token")).count()
    }

    async fn tenants(&self) -> Vec<String> {
        let accounts = self.stand.accounts().await;
        accounts
            .iter()
            .map(|one| format!("{} {}", one["tenant_id"], one["status"]).replace('"', ""))
            .collect()
    }
}

fn back(state: &str, more: &str) -> String {
    format!("/connect/consenting/callback?state={state}&{more}")
}

#[tokio::test]
async fn a_consent_connects_one_account_once() {
    let mut setting = Setting::new().await;
    let (mut visitor, state) = setting.sent_out("umbrella").await;
    let to = visitor.next();
    assert_eq!(to.host_str(), Some("id.example.com"));
    let asked: BTreeMap<_, _> = to.query_pairs().into_owned().collect();
    assert_eq!(asked["redirect_uri"], format!("{PUBLIC}/connect/consenting/callback"));
    assert_eq!((&*asked["response_type"], &*asked["scope"], &*asked["client_id"]), ("code", "read", "koine"));
    for secret in ["koine_connect", "koine_consent"].map(|name| visitor.cookie(name).unwrap().to_owned()) {
        assert!(!to.as_str().contains(&secret), "{to}");
    }
    assert!(!to.as_str().contains(APP_SECRET), "{to}");
    assert!(setting.stand.accounts().await.is_empty(), "nothing is saved before there is a consent");

    visitor.go(&back(&state, "code=one-code")).await;
    assert!(
        visitor.sees("Consenting is connected") && visitor.here.ends_with("/done"),
        "{}",
        visitor.page.text()
    );
    assert_eq!(setting.tenants().await, ["umbrella active"]);
    let account = setting.stand.accounts().await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(setting.stand.call(&account, "GET", "users").await.status, 200);

    visitor.go(&back(&state, "code=one-code")).await;
    assert_eq!(visitor.page.status, 410, "{}", visitor.page.text());
    assert_eq!((setting.asked_for_tokens(), setting.stand.accounts().await.len()), (1, 1));
    let log = setting.stand.gateway.process().stderr();
    for secret in [&state, "one-code", GRANTED, RENEWAL, APP_SECRET] {
        assert!(!log.contains(secret), "{secret}");
    }
    let shown =
        setting.stand.send("GET", &format!("/integrated-account/{account}"), &json!(null)).await.text();
    assert!(!shown.contains(GRANTED) && !shown.contains(RENEWAL), "{shown}");
}

#[tokio::test]
async fn whoever_did_not_go_out_does_not_come_back() {
    let setting = Setting::new().await;
    let (mut victim, state) = setting.sent_out("victim").await;
    // An attacker's consent in a victim's browser, and the other way round.
    let (mut attacker, theirs) = setting.sent_out("attacker").await;
    for (visitor, state) in [(&mut victim, &theirs), (&mut attacker, &state)] {
        visitor.go(&back(state, "code=stolen")).await;
        assert_eq!(visitor.page.status, 410, "{}", visitor.page.text());
        assert!(visitor.sees("begun in another browser"), "{}", visitor.page.text());
    }
    let stranger = format!("{}{}", setting.stand.gateway.url(), back(&state, "code=stolen"));
    let cookieless = koine_testkit::http::request("GET", &stranger, &[], b"").await.unwrap();
    assert_eq!(cookieless.status, 410);
    for wrong in ["", "x", EVIL] {
        victim.go(&back(wrong, "code=stolen")).await;
        assert_eq!(victim.page.status, 410);
    }
    victim.go(&format!("/connect/mirror/callback?state={state}&code=stolen")).await;
    assert_eq!(victim.page.status, 410, "another vendor's callback");
    assert_eq!(setting.asked_for_tokens(), 0, "no code went anywhere");
    assert!(setting.stand.accounts().await.is_empty());
    victim.go(&back(&state, "code=own")).await;
    assert!(victim.sees("Consenting is connected"), "tries of others did no harm: {}", victim.page.text());
    assert_eq!(setting.tenants().await, ["victim active"]);
}

#[tokio::test]
async fn what_comes_back_is_text_and_can_be_mended() {
    let setting = Setting::new().await;
    let (mut visitor, state) = setting.sent_out("umbrella").await;
    visitor.go(&back(&state, &format!("error=server_error&error_description={EVIL}"))).await;
    assert_eq!(visitor.page.status, 422, "{}", visitor.page.text());
    let harmless = |visitor: &Visitor| !visitor.sees("<script>alert") && !visitor.sees("<img");
    assert!(visitor.sees("Consenting refused") && harmless(&visitor), "{}", visitor.page.text());
    let policy = visitor.page.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(visitor.page.header("referrer-policy"), Some("no-referrer"));

    visitor.fill(&[]).await;
    let asked: BTreeMap<_, _> = visitor.next().query_pairs().into_owned().collect();
    visitor.go(&back(&asked["state"], "error=access_denied")).await;
    assert!(
        visitor.sees("was not allowed") && visitor.sees("Continue to Consenting"),
        "{}",
        visitor.page.text()
    );
    visitor.fill(&[]).await;
    let asked: BTreeMap<_, _> = visitor.next().query_pairs().into_owned().collect();
    assert_ne!(asked["state"], state);
    visitor.go(&back(&asked["state"], "code=good")).await;
    assert!(visitor.sees("Consenting is connected"), "{}", visitor.page.text());
    assert_eq!(setting.tenants().await, ["umbrella active"]);

    let (mut visitor, _) = setting.sent_out("nobody").await;
    let evil = EVIL.replace('/', "%2F");
    visitor.go(&format!("/connect/{evil}/callback?state={evil}&error={evil}&iss={evil}")).await;
    assert!(visitor.page.status == 410 && harmless(&visitor), "{}", visitor.page.text());
}

#[tokio::test]
async fn a_reconnect_by_consent_keeps_its_account() {
    let setting = Setting::new().await;
    let (mut visitor, state) = setting.sent_out("umbrella").await;
    visitor.go(&back(&state, "code=first")).await;
    let account = setting.stand.accounts().await[0]["id"].clone();
    let again = json!({"integrated_account_id": account, "redirect_uri": "https://app.example.com/back?x=1"});
    let mut visitor = setting.stand.visitor(&again, "consenting").await;
    assert!(visitor.sees("Reconnect Consenting"), "{}", visitor.page.text());
    visitor.fill(&[]).await;
    let asked: BTreeMap<_, _> = visitor.next().query_pairs().into_owned().collect();
    visitor.go(&back(&asked["state"], "code=second&redirect_uri=https://evil.example.com/")).await;
    let next = visitor.next();
    assert!(next.as_str().starts_with("https://app.example.com/back?x=1&"), "{next}");
    let told: BTreeMap<_, _> = next.query_pairs().into_owned().collect();
    assert_eq!((&*told["result"], json!(told["integrated_account_id"])), ("success", account));
    assert_eq!(setting.tenants().await, ["umbrella active"]);
}

/// Without an app there is nothing to consent with, so the vendor's own token is asked for.
#[tokio::test]
async fn without_an_app_the_customer_fills_in_a_form() {
    let stand = Stand::start("127.0.0.0/8", &[("KOINE_PUBLIC_URL", PUBLIC)]).await;
    let visitor = stand.visitor(&json!({"tenant_id": "umbrella"}), "consenting").await;
    assert!(visitor.sees("field-refresh_token") && !visitor.sees("Continue to"), "{}", visitor.page.text());
}
