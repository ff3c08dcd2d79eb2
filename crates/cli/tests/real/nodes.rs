//! Several servers on one database: what a dead one leaves is settled by a living one, and nobody settles what lives.

use std::time::Duration;

use koine_testkit::{LosingProxy, PostgresDatabase, RealServer, on_each_database};
use serde_json::{Value, json};

use crate::support::Gateway;

const KEY: (&str, &str) = ("idempotency-key", "offboard-cleo");
const CLEO: &str = "/api/v1/users/00ucleo";
const SETTLED: &str = "settled a call that was cut short";

on_each_database! {
    what_a_dead_server_left_is_settled_by_a_living_one,
    a_call_on_a_living_server_is_left_alone_and_waited_for,
}

async fn gateway(proxy: &LosingProxy, database: Option<&PostgresDatabase>) -> Gateway {
    let context = json!({"domain": "acme.okta.com", "api_token": "okta-token"});
    Gateway::start_on(database, "okta", &format!("{}/api/v1", proxy.url()), &context).await
}

/// Sends the removal and kills the server while the vendor's answer to it is on its way.
async fn kill_in_the_middle(gateway: &mut Gateway, proxy: &LosingProxy) {
    tokio::select! {
        answer = gateway.send("DELETE", "users/00ucleo", &Value::Null, &[KEY]) => panic!("answered: {answer:?}"),
        () = proxy.saw("DELETE", CLEO) => {}
    }
    gateway.kill().await;
}

/// The same key at another server gives the answer that the first one owed.
async fn is_replayed_as_removed(gateway: &Gateway, proxy: &LosingProxy) {
    let answer = gateway.send("DELETE", "users/00ucleo", &Value::Null, &[KEY]).await.unwrap();
    assert_eq!((answer.status, answer.header("koine-outcome")), (200, Some("removed")), "{answer:?}");
    assert_eq!(answer.header("idempotent-replayed"), Some("true"));
    assert_eq!(proxy.reached_server("DELETE", CLEO), 1);
}

async fn what_a_dead_server_left_is_settled_by_a_living_one(database: Option<PostgresDatabase>) {
    let okta = RealServer::okta_emulator().await;
    let proxy = LosingProxy::start(okta.url()).await.unwrap();
    proxy.hold_answer_of("DELETE", CLEO, 1);
    let mut first = gateway(&proxy, database.as_ref()).await;
    let mut second = first.another(false).await;
    kill_in_the_middle(&mut first, &proxy).await;
    second.logged(SETTLED).await;
    is_replayed_as_removed(&second, &proxy).await;
}

/// Servers on machines of their own see nothing of one another but the lease.
#[tokio::test]
async fn a_server_elsewhere_is_dead_when_its_lease_is_over() {
    let Some(database) = PostgresDatabase::create() else { return };
    let okta = RealServer::okta_emulator().await;
    let proxy = LosingProxy::start(okta.url()).await.unwrap();
    proxy.hold_answer_of("DELETE", CLEO, 1);
    let mut first = gateway(&proxy, Some(&database)).await;
    let mut second = first.another(true).await;
    kill_in_the_middle(&mut first, &proxy).await;
    // Long enough for it to look.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(!second.log().contains(SETTLED), "the lease is not over");
    let over = format!(
        "UPDATE leases SET expires_at = '2020-01-01T00:00:00.000Z' WHERE owner LIKE '% process {}'",
        first.pid()
    );
    database.run(&over);
    second.logged(SETTLED).await;
    is_replayed_as_removed(&second, &proxy).await;
}

async fn a_call_on_a_living_server_is_left_alone_and_waited_for(database: Option<PostgresDatabase>) {
    let okta = RealServer::okta_emulator().await;
    let proxy = LosingProxy::start(okta.url()).await.unwrap();
    proxy.hold_answer_of("DELETE", CLEO, 1);
    let first = gateway(&proxy, database.as_ref()).await;
    // Its client hangs up in the middle, and it goes on.
    tokio::select! {
        answer = first.send("DELETE", "users/00ucleo", &Value::Null, &[KEY]) => panic!("answered: {answer:?}"),
        () = proxy.saw("DELETE", CLEO) => {}
    }
    let mut second = first.another(false).await;
    // The same person by another call, elsewhere: it runs after the first one.
    let again = second.send("DELETE", "users/00ucleo", &Value::Null, &[]).await.unwrap();
    assert_eq!((again.status, again.header("koine-outcome")), (200, Some("already_gone")), "{again:?}");
    is_replayed_as_removed(&second, &proxy).await;
    let log = second.log();
    assert!(!log.contains(SETTLED), "{log}");
}
