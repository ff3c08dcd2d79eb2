//! SIGKILL between intent and outcome: the next start finds out by reading, and nobody is deleted twice.

use koine_testkit::{LosingProxy, PostgresDatabase, RealServer, on_each_database};
use serde_json::{Value, json};

use crate::support::Gateway;

const KEY: (&str, &str) = ("idempotency-key", "offboard-cleo");
const CLEO: &str = "/api/v1/users/00ucleo";

on_each_database! {
    a_deletion_that_happened_is_settled_as_removed,
    a_deletion_that_did_not_happen_can_be_asked_for_again,
}

/// A gateway that was killed while it waited for the answer to the DELETE of a suspended user.
async fn killed(proxy: &LosingProxy, database: Option<&PostgresDatabase>) -> Gateway {
    let context = json!({"domain": "acme.okta.com", "api_token": "okta-token"});
    let mut gateway = Gateway::start_on(database, "okta", &format!("{}/api/v1", proxy.url()), &context).await;
    tokio::select! {
        answer = gateway.send("DELETE", "users/00ucleo", &Value::Null, &[KEY]) => panic!("answered: {answer:?}"),
        () = proxy.saw("DELETE", CLEO) => {}
    }
    gateway.kill().await;
    gateway.restart().await;
    gateway
}

async fn a_deletion_that_happened_is_settled_as_removed(database: Option<PostgresDatabase>) {
    let okta = RealServer::okta_emulator().await;
    let proxy = LosingProxy::start(okta.url()).await.unwrap();
    proxy.hold_answer_of("DELETE", CLEO, 1);
    let gateway = killed(&proxy, database.as_ref()).await;

    let answer = gateway.send("DELETE", "users/00ucleo", &Value::Null, &[KEY]).await.unwrap();
    let record = answer.json().unwrap();
    assert_eq!((answer.status, answer.header("koine-outcome")), (200, Some("removed")), "{record}");
    assert_eq!(answer.header("idempotent-replayed"), Some("true"));
    assert_eq!(record["emails"][0]["email"], json!("cleo@acme.test"), "{record}");
    assert_eq!(proxy.reached_server("DELETE", CLEO), 1);
    assert_eq!(okta.call("GET", CLEO, None).await.unwrap().status, 404);
}

async fn a_deletion_that_did_not_happen_can_be_asked_for_again(database: Option<PostgresDatabase>) {
    let okta = RealServer::okta_emulator().await;
    let proxy = LosingProxy::start(okta.url()).await.unwrap();
    proxy.hold_request_of("DELETE", CLEO, 1);
    let gateway = killed(&proxy, database.as_ref()).await;
    assert_eq!(proxy.reached_server("DELETE", CLEO), 0, "the start only reads");
    assert_eq!(okta.call("GET", CLEO, None).await.unwrap().status, 200);

    let answer = gateway.send("DELETE", "users/00ucleo", &Value::Null, &[KEY]).await.unwrap();
    let record = answer.json().unwrap();
    assert_eq!((answer.status, answer.header("koine-outcome")), (200, Some("removed")), "{record}");
    assert_eq!(proxy.reached_server("DELETE", CLEO), 1);
    assert_eq!(okta.call("GET", CLEO, None).await.unwrap().status, 404);
}
