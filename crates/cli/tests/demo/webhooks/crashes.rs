//! Nodes that die, and several of them: nothing is lost, and nothing comes twice but after a crash.

use std::collections::BTreeMap;

use koine_testkit::receiver::Reply;
use koine_testkit::{PostgresDatabase, on_each_database};
use serde_json::{Value, json};

use super::support::{Home, assert_signed, receiver, told};

on_each_database! {
    what_a_killed_gateway_had_not_delivered_comes_after_its_restart,
    two_gateways_on_one_database_deliver_each_event_once,
}

async fn what_a_killed_gateway_had_not_delivered_comes_after_its_restart(database: Option<PostgresDatabase>) {
    let home = Home::on(database, &[("KOINE_WEBHOOK_TIMEOUT", "3")]);
    let receiver = receiver().await;
    receiver.then("/hook", [Reply::Never]);
    let mut gateway = home.serve().await;
    let (webhook, secret) =
        gateway.webhook(&receiver.url("/hook"), json!(["integrated_account:active"])).await;
    // The first is under way when the gateway dies; the second waits for it; the third comes while there is no gateway.
    gateway.account().await;
    receiver.wait("/hook", 1).await;
    gateway.account().await;
    gateway.process.kill().await.unwrap();
    home.account().await;

    let gateway = home.serve_with(&gateway.token).await;
    let log = gateway.settled(&webhook, &["delivered"]).await;
    assert_eq!(log.len(), 3);
    let received = receiver.received("/hook");
    let ids: Vec<_> = told(&received).into_iter().map(|(_, id)| id).collect();
    let logged: Vec<_> = log.iter().map(|entry| entry["event_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids[0], ids[1], "the one that was under way, again under the same id");
    assert_eq!(ids[1..], logged, "all of them, in order, once");
    assert_eq!(received[0].body, received[1].body);
    received.iter().for_each(|delivery| assert_signed(delivery, &secret));
}

async fn two_gateways_on_one_database_deliver_each_event_once(database: Option<PostgresDatabase>) {
    let (home, receiver) = (Home::on(database, &[]), receiver().await);
    let one = home.serve().await;
    let two = home.serve_with(&one.token).await;
    let mut webhooks = Vec::new();
    for path in ["/a", "/b", "/c"] {
        let (webhook, _) = one.webhook(&receiver.url(path), json!(["integrated_account:active"])).await;
        webhooks.push((path, webhook));
    }
    for _ in 0..6 {
        one.account().await;
        two.account().await;
    }
    for (path, webhook) in webhooks {
        let log = two.settled(&webhook, &["delivered"]).await;
        let mut counts = BTreeMap::new();
        for (_, id) in told(&receiver.received(path)) {
            *counts.entry(id).or_insert(0) += 1;
        }
        let logged: BTreeMap<_, _> =
            log.iter().map(|entry| (entry["event_id"].as_str().unwrap().to_owned(), 1)).collect();
        assert_eq!((counts.len(), &counts), (12, &logged), "{path}");
        let attempts = log.iter().map(|entry| entry["attempts"].as_array().unwrap().len());
        assert!(attempts.eq([1; 12]), "{}", Value::from(log.clone()));
    }
}
