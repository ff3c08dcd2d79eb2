//! The life of an Okta user, also with the answer to the DELETE lost. Gone is asserted in the server's own API.

use koine_testkit::{LosingProxy, RealServer};
use serde_json::{Value, json};

use crate::support::Gateway;

async fn gateway(server: &str) -> Gateway {
    let context = json!({"domain": "acme.okta.com", "api_token": "okta-token"});
    Gateway::start("okta", &format!("{server}/api/v1"), &context).await
}

#[tokio::test]
async fn a_user_is_found_and_removed() {
    let okta = RealServer::okta_emulator().await;
    let gateway = gateway(okta.url()).await;
    let (status, _, list) = gateway.call("GET", "users", &Value::Null).await;
    assert_eq!(status, 200, "{list}");
    assert!(list["result"].as_array().unwrap().iter().any(|user| user["id"] == "00uann"), "{list}");
    let (status, outcome, record) = gateway.call("DELETE", "users/00uann", &Value::Null).await;
    assert_eq!((status, outcome.as_deref()), (200, Some("removed")), "{record}");
    assert_eq!((&record["id"], &record["status"]), (&json!("00uann"), &json!("deleted")));
    assert_eq!(okta.call("GET", "/api/v1/users/00uann", None).await.unwrap().status, 404);
    let (status, outcome, _) = gateway.call("DELETE", "users/00uann", &Value::Null).await;
    assert_eq!((status, outcome.as_deref()), (200, Some("already_gone")));
    let (status, outcome, error) = gateway.call("DELETE", "users/00unever", &Value::Null).await;
    assert_eq!((status, outcome), (404, None), "{error}");
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_reading_with_one_deletion() {
    let okta = RealServer::okta_emulator().await;
    let proxy = LosingProxy::start(okta.url()).await.unwrap();
    let gateway = gateway(&proxy.url()).await;
    proxy.lose_answer_of("DELETE", "/api/v1/users/00ubob", 1);
    let (status, outcome, record) = gateway.call("DELETE", "users/00ubob", &Value::Null).await;
    assert_eq!((status, outcome.as_deref()), (200, Some("removed")), "{record}");
    assert_eq!(proxy.reached_server("DELETE", "/api/v1/users/00ubob"), 1);
    assert_eq!(okta.call("GET", "/api/v1/users/00ubob", None).await.unwrap().status, 404);
}

#[tokio::test]
async fn deactivate_plan_and_group_removal() {
    let okta = RealServer::okta_emulator().await;
    let gateway = gateway(okta.url()).await;
    let (status, outcome, plan) = gateway.call("DELETE", "users/00ubob?koine_plan=true", &Value::Null).await;
    assert_eq!((status, outcome), (200, None), "{plan}");
    assert!(
        plan["plan"]["steps"].as_array().unwrap().iter().any(|step| step["method"] == "DELETE"),
        "{plan}"
    );
    assert_eq!(
        okta.call("GET", "/api/v1/users/00ubob", None).await.unwrap().json().unwrap()["status"],
        "ACTIVE"
    );
    let body = json!({"group_id": "00gdev", "user_id": "00ubob"});
    let (status, outcome, group) = gateway.call("POST", "groups/remove-user", &body).await;
    assert_eq!((status, outcome.as_deref()), (200, Some("removed")), "{group}");
    let (status, outcome, user) =
        gateway.call("POST", "users/deactivate", &json!({"user_id": "00ubob"})).await;
    assert_eq!((status, outcome.as_deref()), (200, Some("deactivated")), "{user}");
    assert_eq!(user["status"], "inactive");
    let (status, _, error) =
        gateway.call("DELETE", "users/00ucleo?emails=other@example.com", &Value::Null).await;
    assert_eq!(status, 409, "{error}");
}
