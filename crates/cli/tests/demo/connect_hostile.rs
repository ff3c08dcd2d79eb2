//! What somebody may try against links and the page.

use koine_testkit::{Visitor, http};
use serde_json::{Value, json};

use crate::connect::{accounts_of, ask_for_link, credentials, fields, link};
use crate::support::Demo;

const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7919*7907}}";

fn is_harmless(page: &str) -> bool {
    !page.contains("<script>alert") && !page.contains("<img src=x")
}

#[tokio::test]
async fn links_are_made_for_what_there_is() {
    let demo = Demo::start().await;
    let id = demo.account("okta");
    let nobody = "00000000-0000-7000-8000-000000000000";
    let cases = [
        (json!({}), 400, "`tenant_id` is required"),
        (json!({"tenant_id": " "}), 400, "`tenant_id` is required"),
        (json!({"tenant_id": null, "integrated_account_id": ""}), 400, "`tenant_id` is required"),
        (json!({"tenant_id": 7}), 400, "`tenant_id` must be text"),
        (json!({"tenant_id": "a\u{7}b"}), 400, "`tenant_id` must be plain text"),
        (json!({"integrated_account_id": nobody}), 404, "there is no integrated account"),
        (json!({"integrated_account_id": "x"}), 404, "there is no integrated account"),
        (json!({"tenant_id": "a", "environment_id": nobody}), 404, "there is no such environment"),
        (json!({"tenant_id": "a", "redirect_uri": "http://app.example.com"}), 400, "`redirect_uri` must be"),
        (json!({"tenant_id": "a", "redirect_uri": "javascript:alert(1)"}), 400, "`redirect_uri` must be"),
        (json!({"tenant_id": "a", "scopes": [1]}), 400, "`scopes` must be text or a list"),
        (json!({"tenant_id": "a", "context": "x"}), 400, "`context` must be an object"),
        (json!({"tenant_id": "a", "region": "mars"}), 400, "`region` must be one of"),
        (json!({"tenant_id": "a", "unified_model_id": "crm"}), 404, "there is no model `crm`"),
        (json!({"tenant_id": "a", "truto_static_gate_id": "x"}), 400, "no static gates"),
        (json!({"tenant_id": "a", "is_sandbox": "maybe"}), 400, "`is_sandbox` must be true or false"),
    ];
    for (body, status, words) in cases {
        let told = ask_for_link(&demo, &body).await;
        assert_eq!(told.status, status, "{body}: {told:?}");
        assert!(told.body["message"].as_str().unwrap().contains(words), "{body}: {told:?}");
    }
    for body in [
        json!({"integrated_account_id": id}),
        json!({"tenant_id": "a", "scopes": ["x"], "region": "eu", "is_sandbox": true}),
        json!({"tenant_id": "a", "unified_model_id": "user-directory"}),
        json!({"tenant_id": "a", "environment_unified_model_id": ["ticketing", "e_signature"]}),
    ] {
        assert_eq!(ask_for_link(&demo, &body).await.status, 200, "{body}");
    }
    let (status, _) = http::post_json(&format!("{}/link-token", demo.url()), &[], &json!({"tenant_id": "a"}))
        .await
        .unwrap();
    assert_eq!(status, 401, "a token is needed");
}

#[tokio::test]
async fn models_narrow_the_choice() {
    let demo = Demo::start().await;
    let token = link(&demo, &json!({"tenant_id": "a", "unified_model_id": "e-signature"})).await;
    let browser = Visitor::open(demo.url(), &token, "").await;
    assert!(browser.sees("DocuSign") && !browser.sees("Okta"), "{}", browser.page.text());
}

#[tokio::test]
async fn pages_are_sealed_off() {
    let demo = Demo::start().await;
    let token = link(&demo, &json!({"tenant_id": "a"})).await;
    let mut browser = Visitor::open(demo.url(), &token, "").await;
    let visit = browser.here.clone();
    let entry = format!("{}/connect-account?link_token=x", demo.url());
    let mut pages = vec![http::request("GET", &entry, &[], b"").await.unwrap(), browser.page.clone()];
    for path in ["/to/okta", "/to/nobody", "/close"] {
        browser.go(&format!("{visit}{path}")).await;
        pages.push(browser.page.clone());
    }
    for page in pages {
        let header = |name: &str| page.header(name).unwrap_or_default().to_owned();
        let policy = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{part} in {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-content-type-options"), "nosniff");
        let text = page.text();
        assert!(
            !text.contains(" style=") && !text.contains(" onclick=") && !text.contains("<style"),
            "{text}"
        );
        assert!(!text.contains(&token), "the link's secret is in no page");
        assert!(
            text.matches("<script").count() == 1 && !text.contains("http://") && !text.contains("//cdn"),
            "{text}"
        );
    }
    for file in ["connect.js", "connect.css"] {
        let asset = http::request("GET", &format!("{}/connect-account/assets/{file}", demo.url()), &[], b"")
            .await
            .unwrap();
        assert_eq!((asset.status, asset.header("x-content-type-options")), (200, Some("nosniff")));
    }
}

#[tokio::test]
async fn the_secret_of_a_link_leaves_the_address_at_once() {
    let demo = Demo::start().await;
    let token = link(&demo, &json!({"tenant_id": "a"})).await;
    let url = format!("{}/connect-account?link_token={token}", demo.url());
    let first = http::request("GET", &url, &[], b"").await.unwrap();
    let (to, cookie) = (first.header("location").unwrap(), first.header("set-cookie").unwrap());
    assert!(!to.contains(&token) && !cookie.contains(&token));
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    assert!(cookie.contains(&format!("Path={to};")), "for this visit alone: {cookie}");
    assert_eq!(first.header("referrer-policy"), Some("no-referrer"));
    let secret = cookie.split(['=', ';']).nth(1).unwrap();
    let log = demo.process.stderr();
    assert!(log.contains("/connect-account") && !log.contains(&token) && !log.contains(secret), "{log}");
}

#[tokio::test]
async fn another_browser_sees_nothing_of_a_visit() {
    let demo = Demo::start().await;
    let token = link(&demo, &json!({"tenant_id": "a"})).await;
    let browser = Visitor::open(demo.url(), &token, "").await;
    let other = link(&demo, &json!({"tenant_id": "b"})).await;
    let mut stranger = Visitor::open(demo.url(), &other, "").await;
    for path in ["", "/to/okta", "/done", "/close"] {
        stranger.go(&format!("{}{path}", browser.here)).await;
        assert_eq!(stranger.page.status, 410, "{path}: {}", stranger.page.text());
    }
    stranger.post(&format!("{}/to/okta", browser.here), "field.domain=acme.okta.com").await;
    assert_eq!(stranger.page.status, 410);
    assert!(accounts_of(&demo, "a").await.is_empty());
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let demo = Demo::start().await;
    let right = credentials(&demo, "okta").await;
    let token = link(&demo, &json!({"tenant_id": "a"})).await;
    let mut browser = Visitor::open(demo.url(), &token, "&integration=okta").await;
    let domain = right["domain"].as_str().unwrap();
    let key = right["api_token"].as_str().unwrap();
    for form_key in ["", "form_key=&", "form_key=wrong&"] {
        let form = format!("{form_key}way=api_token&field.domain={domain}&field.api_token={key}");
        browser.post(&browser.here.clone(), &form).await;
        assert_eq!(browser.page.status, 403, "{form_key}");
    }
    assert!(accounts_of(&demo, "a").await.is_empty());
}

#[tokio::test]
async fn a_link_makes_one_account_however_often_it_is_opened() {
    let demo = Demo::start().await;
    let right = credentials(&demo, "okta").await;
    let token = link(&demo, &json!({"tenant_id": "twice"})).await;
    let mut one = Visitor::open(demo.url(), &token, "&integration=okta").await;
    let mut other = Visitor::open(demo.url(), &token, "&integration=okta").await;
    let context = fields(&right);
    tokio::join!(one.fill(&context), other.fill(&context));
    let ends = [one.sees("Okta is connected"), other.sees("Okta is connected")];
    assert_eq!(ends.iter().filter(|end| **end).count(), 1, "{ends:?}");
    let loser = if ends[0] { &other } else { &one };
    assert_eq!((loser.page.status, &loser.result()["error_type"]), (410, &json!("invalid_token")));
    assert_eq!(accounts_of(&demo, "twice").await.len(), 1);
}

#[tokio::test]
async fn links_that_are_none_say_the_same() {
    let demo = Demo::start().await;
    let mut pages = Vec::new();
    for token in
        ["", "koine_link_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "%ff", EVIL_ENCODED, demo.token()]
    {
        let url = format!("{}/connect-account?link_token={token}", demo.url());
        let page = http::request("GET", &url, &[], b"").await.unwrap();
        assert_eq!((page.status, page.header("set-cookie")), (410, None), "{token}");
        pages.push(page.text());
    }
    assert!(pages.iter().all(|page| *page == pages[0]), "nobody learns which link was one");
    let page = http::request("GET", &format!("{}/connect-account", demo.url()), &[], b"").await.unwrap();
    assert_eq!(page.status, 410);
}

const EVIL_ENCODED: &str = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";

#[tokio::test]
async fn nothing_that_is_typed_or_told_runs_in_the_page() {
    let demo = Demo::start().await;
    let token =
        link(&demo, &json!({"tenant_id": EVIL, "redirect_uri": "https://app.example.com/?x=%22%3E<b>'"}))
            .await;
    let mut browser = Visitor::open(demo.url(), &token, &format!("&x={EVIL_ENCODED}")).await;
    let visit = browser.here.clone();
    for path in [
        format!("{visit}?q={EVIL_ENCODED}"),
        format!("{visit}/to/okta?way={EVIL_ENCODED}"),
        format!("{visit}/to/{EVIL_ENCODED}"),
        format!("{visit}/close"),
    ] {
        browser.go(&path).await;
        assert!(is_harmless(&browser.page.text()) && !browser.sees("<b>"), "{path}: {}", browser.page.text());
    }
    browser.go(&format!("{visit}/to/okta")).await;
    browser.fill(&[("domain", EVIL), ("api_token", EVIL), (EVIL, EVIL)]).await;
    assert_eq!(browser.page.status, 422);
    assert!(is_harmless(&browser.page.text()) && !browser.sees("62615533"), "{}", browser.page.text());
    browser.fill(&[("domain", "acme.okta.com"), ("api_token", EVIL)]).await;
    assert!(is_harmless(&browser.page.text()), "{}", browser.page.text());
    browser.go(&format!("{visit}/close")).await;
    assert!(is_harmless(&browser.page.text()) && browser.result()["error"].is_string());
}

#[tokio::test]
async fn what_a_vendor_says_is_text() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("evil");
    std::fs::create_dir(&own).unwrap();
    let label = "Evil <script>alert(1)</script> & \"Co\"";
    let connector = json!({
        "name": "evil", "label": label, "category": "<img src=x>", "api": "v1", "base_url": "https://evil.example.com/v1",
        "credentials": {"key": {
            "label": "<script>alert(3)</script>",
            "fields": {"key": {"label": label, "secret": true, "help": EVIL.replace("{{", "{ {"), "example": "<img src=x>"}},
            "authorization": {"format": "bearer", "config": {"token": "{{key}}"}}}},
        "resources": {"users": {"list": "GET /users"}}
    });
    let sandbox = json!({
        "base_path": "/v1", "context": {"key": "right"},
        "auth": {"accepts": "request.headers.authorization = 'Bearer right'", "refusal": {"status": 401, "body": {"message": EVIL.replace("{{", "{ {")}}},
        "collections": {"users": {"key": "id", "items": [{"id": "1"}]}},
        "routes": {"GET /users": {"list": "users", "reply": {"body": "items"}}}
    });
    std::fs::write(own.join("connector.yaml"), connector.to_string()).unwrap();
    std::fs::write(own.join("sandbox.yaml"), sandbox.to_string()).unwrap();
    std::fs::write(
        own.join("user-directory.yaml"),
        "users: {record: {id: $string(id)}, list: {call: users.list}}\n",
    )
    .unwrap();
    std::fs::write(own.join("setup.md"), format!("# X\n\n{EVIL}\n\n[go](javascript:alert(1))\n")).unwrap();
    let env = [("KOINE_CONNECTORS_DIR", folder.path().to_str().unwrap())];
    let demo = Demo::start_with(&[], &env).await;
    let mut browser = Visitor::open(demo.url(), &link(&demo, &json!({"tenant_id": "a"})).await, "").await;
    assert!(browser.sees("Evil") && is_harmless(&browser.page.text()), "{}", browser.page.text());
    browser.go(&format!("{}/to/evil", browser.here)).await;
    assert!(browser.sees("Evil") && is_harmless(&browser.page.text()), "{}", browser.page.text());
    assert!(!browser.sees("javascript:"), "{}", browser.page.text());
    browser.fill(&[("key", "wrong")]).await;
    assert!(browser.sees("says:") && is_harmless(&browser.page.text()), "{}", browser.page.text());
    browser.fill(&[("key", "right")]).await;
    assert!(browser.sees("is connected") && is_harmless(&browser.page.text()), "{}", browser.page.text());
}

#[tokio::test]
async fn tokens_that_may_not_manage_make_no_links() {
    let demo = Demo::start().await;
    let made = ask_for_link(&demo, &json!({"tenant_id": "a"})).await;
    assert_eq!(made.body.as_object().unwrap().len(), 1, "nothing but the token: {made:?}");
    let listed = demo.send("GET", "/link-token", b"", &[]).await;
    assert_eq!(listed.status, 405, "links cannot be read: {listed:?}");
    let bearer = format!("Bearer {}", made.body["link_token"].as_str().unwrap());
    let url = format!("{}/integrated-account", demo.url());
    let (status, told): (u16, Value) = http::get_json(&url, &[("authorization", &bearer)]).await.unwrap();
    assert_eq!(status, 401, "a link opens nothing but its page: {told}");
}
