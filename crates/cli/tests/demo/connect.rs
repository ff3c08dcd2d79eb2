//! Connecting an account on the hosted page, as a browser without scripts does it.

use koine_testkit::{Visitor, http};
use serde_json::{Value, json};

use crate::support::{Answer, Demo};

async fn get(url: &str, cookie: &str) -> http::Answer {
    let headers: Vec<_> = [("cookie", cookie)].into_iter().filter(|(_, value)| !value.is_empty()).collect();
    http::request("GET", url, &headers, b"").await.unwrap()
}

pub(crate) async fn ask_for_link(demo: &Demo, body: &Value) -> Answer {
    demo.send("POST", "/link-token", body.to_string().as_bytes(), &[]).await
}

pub(crate) async fn link(demo: &Demo, body: &Value) -> String {
    let made = ask_for_link(demo, body).await;
    assert_eq!(made.status, 200, "{made:?}");
    made.body["link_token"].as_str().unwrap().to_owned()
}

/// The credential fields that the sandbox accepts.
pub(crate) async fn credentials(demo: &Demo, connector: &str) -> Value {
    let (_, vendors) = http::get_json(&demo.sandbox("/_sandbox/vendors"), &[]).await.unwrap();
    let own = vendors.as_array().unwrap().iter().find(|vendor| vendor["name"] == connector);
    own.unwrap()["context"].clone()
}

pub(crate) fn fields(context: &Value) -> Vec<(&str, &str)> {
    let texts = context.as_object().unwrap().iter();
    texts.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect()
}

pub(crate) async fn account(demo: &Demo, id: &str) -> Value {
    demo.send("GET", &format!("/integrated-account/{id}"), b"", &[]).await.body
}

pub(crate) async fn accounts_of(demo: &Demo, tenant: &str) -> Vec<Value> {
    let all = demo.send("GET", &format!("/integrated-account?tenant_id={tenant}"), b"", &[]).await;
    all.body["result"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_account_is_connected_by_key() {
    let demo = Demo::start().await;
    let token = link(&demo, &json!({"tenant_id": "umbrella"})).await;
    let mut browser = Visitor::open(demo.url(), &token, "").await;
    assert!(browser.sees("Okta") && browser.sees("Zendesk"), "the choice");
    browser.go(&format!("{}?q=oKt", browser.here)).await;
    assert!(browser.sees("Okta") && !browser.sees("Zendesk") && browser.sees("1 product"), "the search");

    let visit = browser.here.split('?').next().unwrap().to_owned();
    browser.go(&format!("{visit}/to/okta")).await;
    assert!(browser.sees("Connect Okta") && browser.sees("Where to find this"), "{}", browser.page.text());
    browser.fill(&[("domain", "acme.okta.com"), ("api_token", "wrong")]).await;
    assert_eq!(browser.page.status, 422);
    assert!(browser.sees("did not accept these credentials"), "{}", browser.page.text());
    assert!(
        browser.sees(r#"value="acme.okta.com""#) && !browser.sees("wrong\""),
        "secrets are not shown again"
    );
    let failed = accounts_of(&demo, "umbrella").await;
    assert_eq!((failed.len(), &failed[0]["status"]), (1, &json!("validation_error")), "{failed:?}");
    assert!(failed[0]["last_error"].is_string());

    let right = credentials(&demo, "okta").await;
    browser.fill(&fields(&right)).await;
    assert!(browser.sees("Okta is connected"), "{}", browser.page.text());
    let after = accounts_of(&demo, "umbrella").await;
    assert_eq!(after.len(), 1, "the same account: {after:?}");
    assert_eq!((&after[0]["status"], &after[0]["last_error"]), (&json!("active"), &Value::Null));
    assert_eq!(
        browser.result(),
        json!({"is_truto": true, "result": "success", "integration": "okta", "integrated_account_id": after[0]["id"]})
    );
    let path =
        format!("/unified/user-directory/users?integrated_account_id={}", after[0]["id"].as_str().unwrap());
    assert_eq!(demo.send("GET", &path, b"", &[]).await.status, 200);

    browser.go(&format!("{visit}/to/okta")).await;
    assert!(browser.here.ends_with("/done") && browser.sees("is connected"), "the way back ends here");
    browser.fill(&fields(&right)).await;
    assert_eq!(accounts_of(&demo, "umbrella").await.len(), 1);
    let again = get(&format!("{}/connect-account?link_token={token}", demo.url()), "").await;
    assert_eq!(again.status, 410, "a link works once");
}

#[tokio::test]
async fn every_vendor_can_be_connected_and_wrong_keys_are_noticed() {
    let demo = Demo::start().await;
    let (_, vendors) = http::get_json(&demo.sandbox("/_sandbox/vendors"), &[]).await.unwrap();
    let mut trouble = Vec::new();
    for vendor in vendors.as_array().unwrap().iter().filter(|one| one["context"] != json!({})) {
        let name = vendor["name"].as_str().unwrap();
        let token = link(&demo, &json!({"tenant_id": format!("page-{name}")})).await;
        let mut browser = Visitor::open(demo.url(), &token, &format!("&integration={name}")).await;
        let form = browser.page.text();
        let right = fields(&vendor["context"]);
        let is_secret = |field: &str| {
            let id = format!(r#"id="field-{field}""#);
            let tag = form.split(&id).nth(1).map(|rest| rest.split('>').next().unwrap_or_default());
            tag.is_some_and(|tag| tag.contains("password"))
        };
        let wrong: Vec<_> = right
            .iter()
            .map(|(field, value)| (*field, if is_secret(field) { "0000wrong0000" } else { *value }))
            .collect();
        // Whose only list needs to know the organization.
        let is_tried = name != "signnow";
        if wrong != right && is_tried {
            browser.fill(&wrong).await;
            if browser.page.status != 422 {
                trouble.push(format!("{name}: a wrong key: {} {}", browser.page.status, browser.page.text()));
                continue;
            }
        }
        browser.fill(&right).await;
        if !browser.sees(" is connected") {
            trouble.push(format!("{name}: {} {}", browser.page.status, browser.page.text()));
        }
    }
    assert!(trouble.is_empty(), "{} of them:\n{}", trouble.len(), trouble.join("\n"));
}

#[tokio::test]
async fn a_reconnect_keeps_what_it_is_asked_to_keep() {
    let demo = Demo::start().await;
    let id = demo.account("zendesk").to_owned();
    let right = credentials(&demo, "zendesk").await;
    let again =
        json!({"integrated_account_id": id, "tenant_id": "ignored", "persist_previous_context": true});
    let mut browser = Visitor::open(demo.url(), &link(&demo, &again).await, "").await;
    assert!(
        browser.sees("Reconnect Zendesk") && browser.sees("Leave empty to keep"),
        "{}",
        browser.page.text()
    );
    assert!(!browser.sees(right["api_token"].as_str().unwrap()), "no secret is shown");
    browser
        .fill(&[
            ("subdomain", right["subdomain"].as_str().unwrap()),
            ("email", right["email"].as_str().unwrap()),
            ("api_token", ""),
        ])
        .await;
    assert!(browser.sees("Zendesk is connected"), "{}", browser.page.text());
    assert_eq!(account(&demo, &id).await["tenant_id"], "acme", "the account has its tenant");

    let mut browser = Visitor::open(demo.url(), &link(&demo, &again).await, "").await;
    browser
        .fill(&[("subdomain", "elsewhere"), ("email", right["email"].as_str().unwrap()), ("api_token", "")])
        .await;
    assert_eq!(browser.page.status, 422);
    assert!(
        browser.sees("Enter the API token."),
        "a key that is kept goes nowhere else: {}",
        browser.page.text()
    );
    let moved = json!({"integrated_account_id": id, "persist_previous_context": true, "context": {"subdomain": "elsewhere"}});
    let mut browser = Visitor::open(demo.url(), &link(&demo, &moved).await, "").await;
    browser.fill(&[("email", right["email"].as_str().unwrap()), ("api_token", "")]).await;
    assert_eq!((browser.page.status, browser.sees("Enter the API token.")), (422, true));

    let again = json!({"integrated_account_id": id});
    let mut browser = Visitor::open(demo.url(), &link(&demo, &again).await, "").await;
    browser.fill(&[("subdomain", "acme"), ("email", "ada@example.com")]).await;
    assert_eq!(browser.page.status, 422);
    assert!(browser.sees("Enter the API token."), "nothing is kept: {}", browser.page.text());
    assert_eq!(account(&demo, &id).await["status"], "active", "nothing was saved");
    browser.go(&browser.here.replace("zendesk", "okta")).await;
    assert_eq!(browser.page.status, 404, "another vendor would be another account");
}

#[tokio::test]
async fn a_link_says_more_than_the_customer() {
    let demo = Demo::start().await;
    let right = credentials(&demo, "okta").await;
    let body = json!({"tenant_id": "umbrella", "context": {"domain": right["domain"]},
                      "redirect_uri": "https://app.example.com/done?state=a%20b"});
    let mut browser = Visitor::open(demo.url(), &link(&demo, &body).await, "&integration=okta").await;
    assert!(!browser.sees("field-domain") && browser.sees("field-api_token"), "{}", browser.page.text());
    browser.fill(&[("domain", "evil.okta.com"), ("api_token", right["api_token"].as_str().unwrap())]).await;
    assert!(browser.sees("Okta is connected"), "{}", browser.page.text());
    let made = &accounts_of(&demo, "umbrella").await[0];
    assert_eq!(made["context"]["domain"], right["domain"]);
    let next = format!(
        "https://app.example.com/done?state=a%20b&amp;is_truto=true&amp;result=success&amp;integration=okta&amp;integrated_account_id={}",
        made["id"].as_str().unwrap()
    );
    let page = browser.page.text().replace("&#38;", "&amp;");
    assert!(page.contains(&format!("content=\"0; url={next}\"")), "{page}");
}

#[tokio::test]
async fn who_gives_up_is_sent_back_with_the_reason() {
    let demo = Demo::start().await;
    let body = json!({"tenant_id": "umbrella", "redirect_uri": "http://localhost:3000/back"});
    let mut browser =
        Visitor::open(demo.url(), &link(&demo, &body).await, "&integrations=okta,zendesk&no_back=true").await;
    let visit = browser.here.clone();
    assert!(browser.sees("2 products"), "{}", browser.page.text());
    browser.go(&format!("{visit}/close")).await;
    assert!(browser.sees("http://localhost:3000/back?is_truto=true&") && browser.result() == json!("closed"));
    browser.go(&format!("{visit}/to/okta")).await;
    assert!(!browser.sees("All products"), "no way back");
    browser.fill(&[("domain", "acme.okta.com"), ("api_token", "wrong")]).await;
    browser.go(&format!("{visit}/close")).await;
    let result = browser.result();
    assert_eq!(
        (&result["result"], &result["error_type"]),
        (&json!("error"), &json!("validation_error")),
        "{result}"
    );
    browser.go(&format!("{visit}/to/box")).await;
    assert_eq!((browser.page.status, &browser.result()["error_type"]), (404, &json!("invalid_integration")));
}

#[tokio::test]
async fn customers_read_what_to_do_next() {
    let demo = Demo::start().await;
    let token = link(&demo, &json!({"tenant_id": "umbrella"})).await;
    let mut browser = Visitor::open(demo.url(), &token, "&integration=zendesk").await;
    browser.fill(&[("subdomain", "not a host/"), ("email", ""), ("api_token", "")]).await;
    for words in [
        "3 fields need another look",
        "It should look like acme",
        "Enter the e-mail of the admin",
        "Enter the API token",
    ] {
        assert!(browser.sees(words), "{words}: {}", browser.page.text());
    }
    assert!(browser.sees(r#"aria-invalid="true""#) && browser.sees("hint-subdomain error-subdomain"));
    assert!(accounts_of(&demo, "umbrella").await.is_empty(), "nothing is saved that cannot be right");

    let right = credentials(&demo, "zendesk").await;
    for (fault, words) in [
        (json!({"kind": "status", "status": 403}), "lack a permission that is needed. "),
        (json!({"kind": "status", "status": 404}), "nothing at this address. Check “Subdomain”"),
        (json!({"kind": "lose_request"}), "Zendesk cannot be reached. Check “Subdomain”"),
        (json!({"kind": "html"}), "Zendesk "),
    ] {
        let mut fault = fault;
        fault["vendor"] = json!("zendesk");
        fault["times"] = json!(99);
        demo.fault(&fault).await;
        browser.fill(&fields(&right)).await;
        assert_eq!(browser.page.status, 422, "{fault}");
        assert!(browser.sees(words), "{words}: {}", browser.page.text());
        http::post_json(&demo.sandbox("/_sandbox/reset"), &[], &json!({})).await.unwrap();
    }
    browser.fill(&fields(&right)).await;
    assert!(browser.sees("Zendesk is connected"), "{}", browser.page.text());
}

#[tokio::test]
async fn what_nobody_has_to_type_is_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("seeker");
    std::fs::create_dir(&own).unwrap();
    let connector = json!({
        "name": "seeker", "label": "Seeker", "category": "test", "api": "v1", "base_url": "https://seeker.example.com/v1",
        "credentials": {"key": {
            "fields": {
                "key": {"label": "Key", "secret": true},
                "org": {"label": "Organization", "required": false, "pattern": "o[0-9]+"}
            },
            "authorization": {"format": "bearer", "config": {"token": "{{key}}"}}}},
        "post_install": [{"call": "user-directory.organizations.list", "context": {"org": "records[0].id"}}],
        "resources": {
            "organizations": {"list": "GET /orgs"},
            "users": {"list": {"method": "GET", "path": "/orgs/{{org}}/users"}}
        }
    });
    let sandbox = json!({
        "base_path": "/v1", "context": {"key": "right", "org": "o1"},
        "auth": {"accepts": "request.headers.authorization = 'Bearer right'", "refusal": {"status": 401, "body": {"message": "no"}}},
        "collections": {"orgs": {"key": "id", "items": [{"id": "o1"}]}, "users": {"key": "id", "items": [{"id": "1"}]}},
        "routes": {
            "GET /orgs": {"list": "orgs", "reply": {"body": "items"}},
            "GET /orgs/o1/users": {"list": "users", "reply": {"body": "items"}}
        }
    });
    std::fs::write(own.join("connector.yaml"), connector.to_string()).unwrap();
    std::fs::write(own.join("sandbox.yaml"), sandbox.to_string()).unwrap();
    let mapping = "organizations: {record: {id: id}, list: {call: organizations.list}}\n\
                   users: {record: {id: id}, list: {call: users.list}}\n";
    std::fs::write(own.join("user-directory.yaml"), mapping).unwrap();
    let demo = Demo::start_with(&[], &[("KOINE_CONNECTORS_DIR", folder.path().to_str().unwrap())]).await;
    let token = link(&demo, &json!({"tenant_id": "umbrella"})).await;
    let mut browser = Visitor::open(demo.url(), &token, "&integration=seeker").await;
    assert!(!browser.sees("field-org"), "{}", browser.page.text());
    browser.fill(&[("key", "wrong")]).await;
    assert!(browser.sees("did not accept these credentials"), "{}", browser.page.text());
    assert_eq!(accounts_of(&demo, "umbrella").await[0]["status"], "post_install_error");
    browser.fill(&[("key", "right")]).await;
    assert!(browser.sees("Seeker is connected"), "{}", browser.page.text());
    let account = &accounts_of(&demo, "umbrella").await[0];
    assert_eq!(
        (&account["status"], &account["context"]["org"]),
        (&json!("active"), &json!("o1")),
        "{account}"
    );
    let body = json!({"id": account["id"]}).to_string();
    let again = demo.send("POST", "/integrated-account/run-post-install-actions", body.as_bytes(), &[]).await;
    assert_eq!((again.status, &again.body["status"]), (200, &json!("active")), "{again:?}");
}
