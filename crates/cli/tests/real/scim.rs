//! A SCIM 2.0 server: list, get, deactivate, out of a group, delete; also with the answer lost.

use koine_testkit::{LosingProxy, RealServer};
use serde_json::{Value, json};

use crate::support::Gateway;

async fn gateway(server: &str) -> Gateway {
    Gateway::start("acme-scim", &format!("{server}/v2"), &json!({"token": "scim-token"})).await
}

async fn user(scim: &RealServer, name: &str) -> String {
    let email = format!("{name}@example.com");
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": email, "active": true,
        "name": {"givenName": name, "familyName": "Example"}, "emails": [{"value": email, "primary": true}],
    });
    let answer = scim.call("POST", "/v2/Users", Some(&body)).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json().unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_goes_step_by_step() {
    let scim = RealServer::scim2().await;
    let (ada, bob) = (user(&scim, "ada").await, user(&scim, "bob").await);
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Engines",
        "members": [{"value": ada}, {"value": bob}],
    });
    let group = scim.call("POST", "/v2/Groups", Some(&group)).await.unwrap().json().unwrap();
    let group = group["id"].as_str().unwrap();
    let gateway = gateway(scim.url()).await;

    let (status, _, page) = gateway.call("GET", "users?limit=1", &Value::Null).await;
    assert_eq!((status, page["result_count"].as_u64()), (200, Some(1)), "{page}");
    let cursor = page["next_cursor"].as_str().unwrap();
    let (_, _, last) =
        gateway.call("GET", &format!("users?limit=1&next_cursor={cursor}"), &Value::Null).await;
    assert_eq!((last["result_count"].as_u64(), &last["next_cursor"]), (Some(1), &Value::Null), "{last}");
    let (status, _, error) = gateway.call("GET", &format!("users?next_cursor={cursor}x"), &Value::Null).await;
    assert_eq!(status, 400, "{error}");
    let (status, _, record) = gateway.call("GET", &format!("users/{ada}"), &Value::Null).await;
    assert_eq!((status, &record["emails"][0]["email"]), (200, &json!("ada@example.com")), "{record}");

    let body = json!({"group_id": group, "user_id": ada});
    let (status, outcome, left) = gateway.call("POST", "groups/remove-user", &body).await;
    assert_eq!(
        (status, outcome.as_deref(), &left["name"]),
        (200, Some("removed"), &json!("Engines")),
        "{left}"
    );
    let group = scim.call("GET", &format!("/v2/Groups/{group}"), None).await.unwrap().json().unwrap();
    assert_eq!(group["members"].as_array().unwrap().len(), 1, "only Ada left: {group}");

    let (status, outcome, record) = gateway.call("POST", "users/deactivate", &json!({"user_id": ada})).await;
    assert_eq!((status, outcome.as_deref()), (200, Some("deactivated")), "{record}");
    let raw = scim.call("GET", &format!("/v2/Users/{ada}"), None).await.unwrap().json().unwrap();
    assert_eq!(raw["active"], json!(false));

    let (status, outcome, _) = gateway.call("DELETE", "users/-?emails=ADA@example.com", &Value::Null).await;
    assert_eq!((status, outcome.as_deref()), (200, Some("removed")));
    assert_eq!(scim.call("GET", &format!("/v2/Users/{ada}"), None).await.unwrap().status, 404);
    let (status, _, _) = gateway.call("DELETE", "users/-?emails=nobody@example.com", &Value::Null).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_lost_answer_and_a_lost_request_both_end_in_one_removal() {
    let scim = RealServer::scim2().await;
    let (ada, bob) = (user(&scim, "ada").await, user(&scim, "bob").await);
    let proxy = LosingProxy::start(scim.url()).await.unwrap();
    let gateway = gateway(&proxy.url()).await;
    proxy.lose_answer_of("DELETE", &format!("/v2/Users/{ada}"), 1);
    proxy.lose_request_of("DELETE", &format!("/v2/Users/{bob}"), 1);
    for id in [&ada, &bob] {
        let (status, outcome, record) = gateway.call("DELETE", &format!("users/{id}"), &Value::Null).await;
        assert_eq!((status, outcome.as_deref()), (200, Some("removed")), "{record}");
        assert_eq!(proxy.reached_server("DELETE", &format!("/v2/Users/{id}")), 1);
        assert_eq!(scim.call("GET", &format!("/v2/Users/{id}"), None).await.unwrap().status, 404);
    }
}
