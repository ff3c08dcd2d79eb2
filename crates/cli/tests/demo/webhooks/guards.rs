//! Who may see a webhook and change it, and what is wrong with what they send. (Attempts: `tests/security/webhooks.rs`.)

use serde_json::{Value, json};

use super::support::{Gateway, Home, receiver};

/// Every route of a webhook, with what to send.
fn routes(webhook: &str) -> Vec<(&'static str, String, Value)> {
    let path = format!("/webhook/{webhook}");
    vec![
        ("GET", path.clone(), Value::Null),
        ("GET", format!("{path}/deliveries"), Value::Null),
        ("PATCH", path.clone(), json!({"is_active": false})),
        ("POST", format!("{path}/replay"), json!({"since": "2020-01-01T00:00:00Z"})),
        ("POST", "/webhook/test".to_owned(), json!({"id": webhook})),
        ("DELETE", path, Value::Null),
    ]
}

async fn statuses(gateway: &Gateway, token: &str, webhook: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (verb, path, body) in routes(webhook) {
        statuses.push(gateway.call_as(token, verb, &path, &body).await.0);
    }
    statuses
}

#[tokio::test]
async fn another_environment_sees_nothing() {
    let (home, receiver) = (Home::new(&[]), receiver().await);
    let gateway = home.serve().await;
    let (webhook, _) = gateway.webhook(&receiver.url("/hook"), json!(["integrated_account:*"])).await;
    let stranger = home.token("other", |_| {}).await;
    assert_eq!(statuses(&gateway, &stranger, &webhook).await, [404; 6]);
    for list in ["/webhook".to_owned(), format!("/webhook?environment_id={webhook}")] {
        let (status, page) = gateway.call_as(&stranger, "GET", &list, &Value::Null).await;
        assert_eq!((status, &page["result"]), (200, &json!([])));
    }
    let mine = gateway.call("GET", &format!("/webhook/{webhook}"), &Value::Null).await.1;
    let foreign = json!({"target_url": receiver.url("/hook"), "environment_id": mine["environment_id"]});
    assert_eq!(gateway.call_as(&stranger, "POST", "/webhook", &foreign).await.0, 404);

    // Its events are not told here, and ours are.
    let context = json!({"domain": "acme.okta.com", "api_token": "t"});
    let account = json!({"connector": "okta", "tenant_id": "stranger", "context": context});
    assert_eq!(gateway.call_as(&stranger, "POST", "/integrated-account", &account).await.0, 200);
    gateway.account().await;
    gateway.settled(&webhook, &["delivered"]).await;
    let tenants: Vec<_> = receiver
        .received("/hook")
        .iter()
        .map(|received| received.json()["payload"]["tenant_id"].clone())
        .collect();
    assert_eq!(tenants, ["acme", "acme"]);
}

#[tokio::test]
async fn a_token_does_what_it_is_for() {
    let (home, receiver) = (Home::new(&[]), receiver().await);
    let gateway = home.serve().await;
    let (webhook, _) = gateway.webhook(&receiver.url("/hook"), Value::Null).await;
    let account = gateway.account().await;
    let reader = home.token("default", |new| new.read_only = true).await;
    assert_eq!(statuses(&gateway, &reader, &webhook).await, [200, 200, 403, 403, 403, 403]);
    let single = home.token("default", |new| new.account_ids = Some(vec![account.parse().unwrap()])).await;
    assert_eq!(statuses(&gateway, &single, &webhook).await, [403; 6], "events tell of other accounts too");
    let new = json!({"target_url": receiver.url("/hook")});
    for narrow in [&reader, &single] {
        assert_eq!(gateway.call_as(narrow, "POST", "/webhook", &new).await.0, 403);
    }
    for (verb, path, body) in routes(&webhook) {
        assert_eq!(gateway.call_as("wrong", verb, &path, &body).await.0, 401, "{verb} {path}");
    }
}

#[tokio::test]
async fn bad_input_is_named() {
    let (home, receiver) = (Home::new(&[]), receiver().await);
    let gateway = home.serve().await;
    let url = receiver.url("/hook");
    for (body, word) in [
        (json!({"target_url": 7}), "target_url"),
        (json!({"target_url": url, "event_types": "all"}), "event_types"),
        (json!({"target_url": url, "event_types": [1]}), "event_types"),
        (json!({"target_url": url, "event_types": ["integrated_account:gone"]}), "integrated_account:gone"),
        (json!({"target_url": url, "is_active": "yes"}), "is_active"),
        (json!({"target_url": format!("{url}/{}", "x".repeat(4000))}), "longer"),
    ] {
        let (status, envelope) = gateway.call("POST", "/webhook", &body).await;
        assert_eq!(status, 400, "{body}: {envelope}");
        assert!(envelope["message"].as_str().unwrap().contains(word), "{envelope}");
    }
    let (webhook, _) = gateway.webhook(&url, Value::Null).await;
    let deliveries = format!("/webhook/{webhook}/deliveries");
    for query in ["next_cursor=zzz", "limit=x"] {
        for list in ["/webhook", &deliveries] {
            assert_eq!(gateway.call("GET", &format!("{list}?{query}"), &Value::Null).await.0, 400);
        }
    }
    let replay = format!("/webhook/{webhook}/replay");
    for body in [
        json!({}),
        json!({"since": "yesterday"}),
        json!({"since": "2026-01-01T00:00:00Z", "delivery_id": "1"}),
    ] {
        assert_eq!(gateway.call("POST", &replay, &body).await.0, 400, "{body}");
    }
    let nobody = json!({"delivery_id": webhook});
    assert_eq!(gateway.call("POST", &replay, &nobody).await, (200, json!({"queued": 0})));
    assert_eq!(gateway.call("POST", "/webhook/test", &json!({})).await.0, 400);
    assert_eq!(gateway.call("GET", "/webhook/nothing", &Value::Null).await.0, 404);
    for url in ["ftp://example.com/", "file:///etc/passwd", "example.com", ""] {
        let (status, envelope) = gateway.call("POST", "/webhook", &json!({"target_url": url})).await;
        assert_eq!(status, 400, "{url}: {envelope}");
    }
    let (code, said) = home.refused(&["webhook", "create", "https://10.0.0.1/"]).await;
    assert_eq!(code, Some(2), "{said}");
}

#[tokio::test]
async fn lists_have_pages_and_filters() {
    let (home, receiver) = (Home::new(&[]), receiver().await);
    let gateway = home.serve().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(gateway.webhook(&receiver.url("/hook"), json!(["integrated_account:active"])).await.0);
    }
    gateway.call("PATCH", &format!("/webhook/{}", ids[1]), &json!({"is_active": false})).await;
    let list = async |query: &str| {
        let (status, page) = gateway.call("GET", &format!("/webhook?{query}"), &Value::Null).await;
        assert_eq!(status, 200, "{page}");
        let ids: Vec<_> = page["result"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect();
        (ids, page["next_cursor"].as_str().map(ToOwned::to_owned))
    };
    assert_eq!(list("is_active=false").await.0, ids[1..2]);
    assert_eq!(list("is_active[eq]=true").await.0, [ids[0].clone(), ids[2].clone()]);
    let (first, next) = list("limit=2").await;
    let (rest, end) = list(&format!("limit=2&next_cursor={}", next.unwrap())).await;
    assert_eq!(([first, rest].concat(), end), (ids.clone(), None));

    gateway.account().await;
    gateway.account().await;
    let log = gateway.settled(&ids[0], &["delivered"]).await;
    let page = |query: String| {
        let (gateway, path) = (&gateway, format!("/webhook/{}/deliveries?{query}", ids[0]));
        async move { gateway.call("GET", &path, &Value::Null).await.1 }
    };
    let first = page("limit=1".to_owned()).await;
    assert_eq!(first["result"], json!([log[1]]), "newest first");
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(page(format!("limit=1&next_cursor={cursor}")).await["result"], json!([log[0]]));
    assert_eq!(page("status=failed".to_owned()).await["result"], json!([]));
    assert_eq!(page("event=test".to_owned()).await["result"], json!([]));
}
