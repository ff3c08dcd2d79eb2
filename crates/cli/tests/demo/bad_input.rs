//! Bad input of callers: each a clear answer, and nothing sent where it should not go.

use serde_json::{Value, json};

use crate::support::{Answer, Demo};

fn clear(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.body["statusCode"], status, "{answer:?}");
    assert!(answer.body["error"].is_string() && answer.body["message"].is_string(), "{answer:?}");
}

#[tokio::test]
async fn tokens_and_accounts() {
    let demo = Demo::start().await;
    let path =
        format!("{}/unified/user-directory/users?integrated_account_id={}", demo.url(), demo.account("okta"));
    for headers in [vec![], vec![("authorization", "Bearer nonsense")], vec![("authorization", "Basic Og==")]]
    {
        let answer = koine_testkit::http::request("GET", &path, &headers, b"").await.unwrap();
        assert_eq!(answer.status, 401, "{}", answer.text());
        assert_eq!(answer.json().unwrap()["statusCode"], 401);
    }
    let without = demo.send("GET", "/unified/user-directory/users", b"", &[]).await;
    clear(&without, 400);
    for account in ["01a00000-0000-7000-8000-000000000000", "not-a-uuid", "", "..%2f.."] {
        let path = format!("/unified/user-directory/users?integrated_account_id={account}");
        let answer = demo.send("GET", &path, b"", &[]).await;
        assert!(matches!(answer.status, 400 | 404), "{account}: {answer:?}");
        clear(&answer, answer.status);
    }
    assert!(demo.seen("okta").await.is_empty());
}

#[tokio::test]
async fn unknown_words() {
    let demo = Demo::start().await;
    for path in ["undefined/undefined", "crm/users", "user-directory/wizards"] {
        clear(&demo.call("okta", "GET", path, &Value::Null).await, 404);
    }
    // SDKs do not encode ids, so what follows the resource is one id
    clear(&demo.call("okta", "GET", "user-directory/users/x/y/z", &Value::Null).await, 400);
    clear(&demo.call("okta", "POST", "user-directory/users/fire", &json!({"user_id": "1"})).await, 404);
    clear(
        &demo.call("help-scout", "POST", "ticketing/users/deactivate", &json!({"user_id": "1"})).await,
        404,
    );
    clear(&demo.send("GET", "/nowhere", b"", &[]).await, 404);
    clear(&demo.send("PUT", "/unified/user-directory/users", b"{}", &[]).await, 405);
}

#[tokio::test]
async fn bodies() {
    let demo = Demo::start().await;
    let account = demo.account("okta");
    let path = format!("/unified/user-directory/users/deactivate?integrated_account_id={account}");
    let json = [("content-type", "application/json")];
    for body in [
        "{",
        "[]",
        "\"text\"",
        "{\"user_id\": {\"a\": 1}}",
        "{\"user_id\": [\"1\"]}",
        "{\"user_id\": \"\"}",
        "{}",
        "{\"user_id\": null}",
        "{\"user_id\": true}",
    ] {
        clear(&demo.send("POST", &path, body.as_bytes(), &json).await, 400);
    }
    let large = format!("{{\"user_id\": \"{}\"}}", "x".repeat(12 << 20));
    clear(&demo.send("POST", &path, large.as_bytes(), &json).await, 413);
    let deep =
        format!("{{\"user_id\": \"00u1\", \"remote_data\": {}1{}}}", "[".repeat(5000), "]".repeat(5000));
    clear(&demo.send("POST", &path, deep.as_bytes(), &json).await, 400);
    assert!(demo.seen("okta").await.is_empty(), "nothing left the gateway");
    let text = [("content-type", "text/plain;charset=UTF-8")];
    let sniffed = demo.send("POST", &path, b"{\"user_id\": \"00unobody\"}", &text).await;
    clear(&sniffed, 404);
}

/// One of the databases could store it, the other not: so it is refused before.
#[tokio::test]
pub(crate) async fn the_character_nul_is_refused_everywhere() {
    let demo = Demo::start().await;
    let account = demo.account("okta").to_owned();
    let one = format!("/integrated-account/{account}");
    let context = json!({"domain": "acme.okta.com", "api_token": "a\0b"});
    for (verb, path, body) in [
        ("POST", "/api-token", json!({"name": "a\0b"})),
        ("GET", "/api-token?name=a%00b", Value::Null),
        ("GET", "/audit-log?action=a%00b", Value::Null),
        ("GET", "/environment/a%00b", Value::Null),
        ("PATCH", &one, json!({"tenant_id": "a\0b"})),
        ("PATCH", &one, json!({"context": context})),
        ("POST", "/integrated-account", json!({"tenant_id": "a\0b", "connector": "okta", "context": {}})),
        ("GET", "/integrated-account?tenant_id=a%00b", Value::Null),
        ("GET", "/integrated-account?a%00b=1", Value::Null),
        ("GET", "/ping/%00", Value::Null),
    ] {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = demo.send(verb, path, body.as_bytes(), &[]).await;
        clear(&answer, 400);
        assert!(answer.body["message"].as_str().unwrap().contains("NUL"), "{verb} {path}: {answer:?}");
    }
    let users = "user-directory/users";
    clear(&demo.call("okta", "DELETE", &format!("{users}/a%00b"), &Value::Null).await, 400);
    clear(
        &demo.call("okta", "DELETE", &format!("{users}/-?emails=a%00b@example.com"), &Value::Null).await,
        400,
    );
    for query in ["", "?truto_body_passthrough=true"] {
        let path = format!("{users}/deactivate{query}");
        clear(&demo.call("okta", "POST", &path, &json!({"user_id": "00u1\0"})).await, 400);
    }
    assert!(demo.seen("okta").await.is_empty(), "nothing left the gateway");
}

#[tokio::test]
async fn missing_parameters_are_named() {
    let demo = Demo::start().await;
    let answer = demo.call("github", "DELETE", "user-directory/users/ada", &Value::Null).await;
    clear(&answer, 400);
    assert!(answer.body["message"].as_str().unwrap().contains("`organization_id`"), "{answer:?}");
    let answer =
        demo.call("okta", "POST", "user-directory/groups/remove-user", &json!({"user_id": "00u1"})).await;
    clear(&answer, 400);
    let missing = &answer.body["truto_error_insight"]["missing_required_body_fields"]["value"];
    assert_eq!(missing, &json!(["group_id"]), "{answer:?}");
    for hostile in ["00u1/../00u2", "me@example.com", "a b", "%2e%2e"] {
        let body = json!({"user_id": hostile});
        clear(&demo.call("okta", "POST", "user-directory/users/deactivate", &body).await, 400);
    }
    let user_type = "user-directory/users/0000000000000000?user_type=wizard";
    clear(&demo.call("dropbox-sign", "DELETE", user_type, &Value::Null).await, 400);
    assert!(demo.seen("github").await.is_empty() && demo.seen("okta").await.is_empty());
}

#[tokio::test]
async fn cursors_and_limits() {
    let demo = Demo::start().await;
    let page = demo.call("okta", "GET", "user-directory/users?limit=5", &Value::Null).await;
    let cursor = page.body["next_cursor"].as_str().unwrap().to_owned();
    let mut edited = cursor.clone().into_bytes();
    let middle = edited.len() / 2;
    edited[middle] = if edited[middle] == b'A' { b'B' } else { b'A' };
    let edited = String::from_utf8(edited).unwrap();
    let long = "A".repeat(9000);
    for cursor in [edited.as_str(), "x", "https://evil.example/", "%00", &long] {
        let path = format!("user-directory/users?next_cursor={cursor}");
        clear(&demo.call("okta", "GET", &path, &Value::Null).await, 400);
    }
    let foreign = format!("user-directory/users?next_cursor={cursor}");
    clear(&demo.call("miro-scim", "GET", &foreign, &Value::Null).await, 400);
    clear(
        &demo.call("okta", "GET", &format!("user-directory/groups?next_cursor={cursor}"), &Value::Null).await,
        400,
    );
    for limit in ["-1", "many", "1e3", "0", "99999999999999999999"] {
        let answer =
            demo.call("okta", "GET", &format!("user-directory/users?limit={limit}"), &Value::Null).await;
        assert!(matches!(answer.status, 200 | 400), "{limit}: {answer:?}");
    }
}

#[tokio::test]
pub(crate) async fn account_contexts() {
    let demo = Demo::start().await;
    let json = [("content-type", "application/json")];
    let create = async |domain: &str| {
        let context = json!({"domain": domain, "api_token": "secret-of-acme"});
        let body = json!({"tenant_id": "acme", "connector": "okta", "context": context});
        demo.send("POST", "/integrated-account", body.to_string().as_bytes(), &json).await
    };
    let good = create("acme.okta.com").await;
    assert_eq!(good.status, 200, "{good:?}");
    let path = format!("/integrated-account/{}", good.body["id"].as_str().unwrap());
    let hostile = [
        "evil.example/#.okta.com",
        "acme.okta.com@evil.example",
        "evil.example?.okta.com",
        "acme.okta.com:8080",
        "127.0.0.1",
        "ACME.okta.com/..",
        "",
        "a\r\nb.okta.com",
        "evil.example\\.okta.com",
        "acme.okta.com.evil.example",
    ];
    for domain in hostile {
        let answer = create(domain).await;
        clear(&answer, 400);
        let message = answer.body["message"].as_str().unwrap();
        assert!(message.contains("domain"), "{domain}: {message}");
        let change = json!({"context": {"domain": domain}});
        clear(&demo.send("PATCH", &path, change.to_string().as_bytes(), &json).await, 400);
    }
    let shown = demo.send("GET", &path, b"", &[]).await;
    assert_eq!(shown.body["context"]["domain"], "acme.okta.com", "{shown:?}");
    assert!(!shown.http.text().contains("secret-of-acme"), "never shown again");
}
