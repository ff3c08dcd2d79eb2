//! Tokens, environments and the audit log over HTTP.

use koine_testkit::http;
use serde_json::{Value, json};

use crate::access::Setting;

impl Setting {
    async fn ask(&self, token: &str, verb: &str, path: &str, body: &Value) -> (u16, Value) {
        let bearer = format!("Bearer {token}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let url = format!("{}{path}", self.demo.url());
        let headers = [("authorization", bearer.as_str())];
        let answer = http::request(verb, &url, &headers, body.as_bytes()).await.unwrap();
        (answer.status, answer.json().unwrap())
    }
}

#[tokio::test]
pub(crate) async fn tokens_are_made_listed_renamed_and_revoked() {
    let setting = Setting::new().await;
    let chief = setting.token(|new| new.administrator = true).await;
    let okta = setting.demo.account("okta");
    let wanted = json!({"name": "help desk", "account_ids": [okta], "read_only": true, "expires_at": "90d"});
    let (status, made) = setting.ask(&chief, "POST", "/api-token", &wanted).await;
    assert_eq!(status, 200, "{made}");
    let (secret, id) = (made["token"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert!(made["created_by"].as_str().unwrap().starts_with("token:") && made["expires_at"].is_string());
    let users = format!("/unified/user-directory/users?limit=1&integrated_account_id={okta}");
    assert_eq!(setting.ask(secret, "GET", &users, &Value::Null).await.0, 200);

    let (_, listed) = setting.ask(&chief, "GET", "/api-token?name=help%20desk", &Value::Null).await;
    assert_eq!(listed["result"].as_array().unwrap().len(), 1, "{listed}");
    assert!(listed["result"][0].get("token").is_none(), "shown once");
    let path = format!("/api-token/{id}");
    let (_, renamed) = setting.ask(&chief, "PATCH", &path, &json!({"name": "desk"})).await;
    assert_eq!((&renamed["name"], &renamed["account_ids"]), (&json!("desk"), &json!([okta])));
    for _ in 0..100 {
        let (_, token) = setting.ask(&chief, "GET", &path, &Value::Null).await;
        if token["last_used_at"].is_string() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let (_, token) = setting.ask(&chief, "GET", &path, &Value::Null).await;
    assert!(token["last_used_at"].is_string(), "{token}");
    assert_eq!(setting.ask(&chief, "DELETE", &path, &Value::Null).await, (200, json!({"id": id})));
    assert_eq!(setting.ask(&chief, "DELETE", &path, &Value::Null).await.0, 404);
    assert_eq!(setting.ask(secret, "GET", &users, &Value::Null).await.0, 401, "at once");
}

#[tokio::test]
pub(crate) async fn a_token_makes_none_that_may_do_more() {
    let setting = Setting::new().await;
    let ends = "2999-01-01T00:00:00Z";
    let chief =
        setting.token(|new| (new.administrator, new.expires_at) = (true, Some(ends.to_owned()))).await;
    let make = async |body: Value| setting.ask(&chief, "POST", "/api-token", &body).await;
    let (status, heir) = make(json!({"name": "heir", "administrator": true})).await;
    assert_eq!((status, heir["expires_at"].as_str()), (200, Some("2999-01-01T00:00:00.000Z")), "{heir}");
    let later = json!({"name": "heir", "expires_at": "3000-01-01T00:00:00Z"});
    assert_eq!(make(later).await.0, 403);
    for wrong in [
        json!({}),
        json!({"name": " "}),
        json!({"name": "x", "read_only": true, "administrator": true}),
        json!({"name": "x", "read_only": "true"}),
        json!({"name": "x", "account_ids": "all"}),
        json!({"name": "x", "account_ids": ["01a00000-0000-7000-8000-000000000000"]}),
        json!({"name": "x", "expires_at": "yesterday"}),
        json!({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}),
        json!({"name": "x", "expires_at": 90}),
    ] {
        assert_eq!(make(wrong.clone()).await.0, 400, "{wrong}");
    }
    let writer = setting.token(|_| {}).await;
    assert_eq!(setting.ask(&writer, "POST", "/api-token", &json!({"name": "x"})).await.0, 403);
}

#[tokio::test]
pub(crate) async fn an_environment_is_renamed_and_the_log_says_by_whom() {
    let setting = Setting::new().await;
    let chief = setting.token(|new| new.administrator = true).await;
    let path = format!("/environment/{}", setting.home);
    let (status, renamed) = setting.ask(&chief, "PATCH", &path, &json!({"name": "production"})).await;
    assert_eq!((status, &renamed["name"]), (200, &json!("production")), "{renamed}");
    let (_, listed) = setting.ask(&chief, "GET", "/environment", &Value::Null).await;
    assert_eq!((listed["result"].as_array().unwrap().len(), &listed["result"][0]), (1, &renamed));
    let taken = setting.ask(&chief, "PATCH", &path, &json!({"name": "elsewhere"})).await;
    assert_eq!(taken.0, 409, "{taken:?}");

    let (_, log) = setting.ask(&chief, "GET", "/audit-log?limit=1&action=environment", &Value::Null).await;
    let entry = &log["result"][0];
    let caller = setting.store.find_token(&chief).await.unwrap().unwrap().id;
    assert_eq!(entry["actor"], format!("token:{caller}"));
    assert_eq!((&entry["source"], &entry["action"]), (&json!("127.0.0.1"), &json!("environment.rename")));
    assert_eq!(
        (&entry["before"], &entry["after"]),
        (&json!({"name": "default"}), &json!({"name": "production"}))
    );
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/audit-log?limit=50&next_cursor={cursor}");
        let (status, page) = setting.ask(&chief, "GET", &path, &Value::Null).await;
        assert_eq!(status, 200, "{page}");
        seen.extend(page["result"].as_array().unwrap().iter().map(|entry| entry["seq"].as_i64().unwrap()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert!(seen.len() > 60 && seen.is_sorted_by(|newer, older| newer > older), "{seen:?}");
    for wrong in
        ["created_at=now", "created_at[gt]=2026-01-01T00:00:00Z", "created_at[gte]=now", "next_cursor=x"]
    {
        let answer = setting.ask(&chief, "GET", &format!("/audit-log?{wrong}"), &Value::Null).await;
        assert_eq!(answer.0, 400, "{wrong}: {answer:?}");
    }
    assert_eq!(setting.store.verify_audit(None).await.unwrap().broken, None);
}
