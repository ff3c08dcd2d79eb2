//! Parameters that every unified call understands.

use serde_json::{Value, json};

use crate::support::Demo;

/// Texts of the sandbox's credentials that must never be seen.
async fn secrets(demo: &Demo) -> Vec<String> {
    let (_, vendors) = koine_testkit::http::get_json(&demo.sandbox("/_sandbox/vendors"), &[]).await.unwrap();
    let mut secrets = Vec::new();
    for vendor in vendors.as_array().unwrap() {
        for (name, value) in vendor["context"].as_object().unwrap() {
            let is_secret = ["token", "secret", "key"].iter().any(|word| name.contains(word));
            secrets
                .extend(value.as_str().filter(|_| is_secret && name != "token_name").map(ToOwned::to_owned));
        }
    }
    assert!(secrets.len() >= 8, "{secrets:?}");
    secrets
}

#[tokio::test]
async fn debug_shows_the_exchange_and_no_credential() {
    let demo = Demo::start().await;
    let secrets = secrets(&demo).await;
    for (connector, path) in [
        ("okta", "user-directory/users"),
        ("monday", "user-directory/users"),
        ("miro-scim", "user-directory/users"),
        ("help-scout", "ticketing/users"),
        ("tableau", "user-directory/users"),
    ] {
        let path = format!("{path}?truto_response_format=debug&limit=2");
        let list = demo.call(connector, "GET", &path, &Value::Null).await;
        assert_eq!(list.status, 200, "{connector}: {list:?}");
        let debug = &list.body["debug"];
        assert!(debug["requestUrl"].as_str().unwrap().starts_with("http"), "{debug}");
        assert!(
            debug["requestOptions"]["method"].is_string()
                && debug["data"].is_object() | debug["data"].is_array()
        );
        assert_eq!(debug["resultCount"], list.body["result"]["result_count"], "{connector}");
        assert_eq!((&debug["isLooping"], &debug["isEmptyResult"]), (&json!(false), &json!(false)));
        assert!(debug["nextCursor"].is_string(), "{connector}: {debug}");
        for secret in &secrets {
            assert!(!list.http.text().contains(secret), "{connector} shows a credential: {debug}");
        }
    }
}

#[tokio::test]
async fn debug_of_a_removal() {
    let demo = Demo::start().await;
    let id = demo.id_of("okta", "user-directory/users", "ada@example.com").await;
    let path = format!("user-directory/users/{id}?truto_response_format=debug");
    let removed = demo.call("okta", "DELETE", &path, &Value::Null).await;
    assert_eq!(removed.told(), (200, Some("removed")), "{removed:?}");
    assert_eq!(removed.body["result"]["status"], "deleted");
    let debug = &removed.body["debug"];
    assert_eq!(debug["requestOptions"]["method"], "DELETE", "{debug}");
    assert!(debug["requestUrl"].as_str().unwrap().contains(&format!("/users/{id}")), "{debug}");
}

#[tokio::test]
async fn without_the_call_nothing_is_sent() {
    let demo = Demo::start().await;
    let skip = "truto_skip_api_call=true&truto_response_format=debug";
    let list = demo.call("okta", "GET", &format!("user-directory/users?{skip}"), &Value::Null).await;
    assert_eq!((list.status, &list.body["debug"]), (200, &Value::Null), "{list:?}");
    assert_eq!(list.body["result"]["result"], json!([]));
    let delete =
        demo.call("okta", "DELETE", &format!("user-directory/users/00u1?{skip}"), &Value::Null).await;
    assert_eq!(delete.told(), (200, None), "{delete:?}");
    assert_eq!(delete.body["result"], json!({"id": "00u1"}));
    // what would be refused before the call is refused
    let bad = demo.call("okta", "DELETE", &format!("user-directory/users/no.id?{skip}"), &Value::Null).await;
    assert_eq!(bad.status, 400, "{bad:?}");
    let both = demo.call(
        "okta",
        "DELETE",
        "user-directory/users/00u1?koine_plan=true&truto_skip_api_call=1",
        &Value::Null,
    );
    assert_eq!(both.await.status, 400);
    assert!(demo.seen("okta").await.is_empty());
    // and it leaves no evidence that somebody was there
    let unknown = demo.call("okta", "DELETE", "user-directory/users/00u1", &Value::Null).await;
    assert_eq!(unknown.status, 404, "{unknown:?}");
}

#[tokio::test]
async fn a_body_goes_through_byte_for_byte() {
    let demo = Demo::start().await;
    let user = demo.id_of("miro-scim", "user-directory/users", "ada@example.com").await;
    let groups = demo.state("miro-scim", "groups").await;
    let group = groups.iter().find(|group| group["members"].to_string().contains(&user)).unwrap();
    let (group, account) = (group["id"].as_str().unwrap(), demo.account("miro-scim"));
    let path = format!(
        "/unified/user-directory/groups/remove-user?truto_body_passthrough=true&integrated_account_id={account}"
    );
    let scim = [("content-type", "application/scim+json")];
    let mut body = json!({"group_id": group, "user_id": user, "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]});
    let refused = demo.send("POST", &path, body.to_string().as_bytes(), &scim).await;
    assert_eq!(refused.told(), (400, Some("refused")), "the vendor misses the operations: {refused:?}");
    body["Operations"] = json!([{"op": "Remove", "path": "members", "value": [{"value": user}]}]);
    let removed = demo.send("POST", &path, body.to_string().as_bytes(), &scim).await;
    assert_eq!(removed.told(), (200, Some("removed")), "{removed:?}");
    for hostile in [&b"\xff\xfe"[..], b"<xml/>", b"", b"{\"group_id\": 1"] {
        let answer = demo.send("POST", &path, hostile, &scim).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
}
