//! What receivers get, and what becomes of it.

use std::time::Duration;

use koine_testkit::receiver::Reply;
use koine_testkit::{PostgresDatabase, Received, on_each_database};
use serde_json::{Value, json};

use super::support::{CREDENTIAL, Home, assert_signed, receiver, told};

on_each_database! {
    the_life_of_an_account_is_told,
    credentials_that_fail_and_work_again_are_told,
    tokens_are_told_of_too,
    a_failed_attempt_is_repeated_byte_for_byte,
    whoever_never_answers_well_is_turned_off,
    one_delivery_is_replayed_by_command,
    a_slow_receiver_keeps_nobody_waiting,
    the_end_of_a_gateway_waits_for_what_is_under_way,
    a_test_is_sent_at_once_and_tells_how_it_went,
}

/// Three attempts, quickly: after them a receiver is given up.
const QUICK: &[(&str, &str)] = &[("KOINE_WEBHOOK_RETRIES", "0.05,0.05")];
/// The same, and then patience that a slow machine does not use up.
const PATIENT: &[(&str, &str)] = &[("KOINE_WEBHOOK_RETRIES", "0.05,0.05,600")];

fn statuses(delivery: &Value) -> Vec<Value> {
    delivery["attempts"].as_array().unwrap().iter().map(|attempt| attempt["http_status"].clone()).collect()
}

async fn the_life_of_an_account_is_told(database: Option<PostgresDatabase>) {
    let (home, receiver) = (Home::on(database, &[]), receiver().await);
    let gateway = home.serve().await;
    let (webhook, secret) = gateway.webhook(&receiver.url("/hook"), json!(["integrated_account:*"])).await;
    let account = gateway.account().await;
    let path = format!("/integrated-account/{account}");
    gateway.call("PATCH", &path, &json!({"tenant_id": "globex"})).await;
    let shown = gateway.call("GET", &path, &Value::Null).await.1;
    gateway.call("DELETE", &path, &Value::Null).await;

    let received = receiver.wait("/hook", 4).await;
    let events: Vec<_> = told(&received).into_iter().map(|(event, _)| event).collect();
    let wanted = ["created", "active", "updated", "deleted"].map(|word| format!("integrated_account:{word}"));
    assert_eq!(events, wanted, "in the order in which it happened");
    for delivery in &received {
        assert_delivery(delivery, &webhook, &secret);
    }
    let updated = received[2].json();
    assert_eq!(updated["payload"]["tenant_id"], "globex");
    assert_eq!(updated["payload"]["context"], shown["context"]);
    let integration = json!({"id": "okta", "name": "okta", "config": {"label": "Okta"}});
    assert_eq!(updated["payload"]["integration"], integration);
    assert_eq!(received[3].json()["payload"], json!({"id": account}));
}

/// Form, headers and signature of the contract; nothing secret.
fn assert_delivery(delivery: &Received, webhook: &str, secret: &str) {
    let body = delivery.json();
    let keys: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["id", "event", "payload", "environment_id", "webhook_id", "created_at"]);
    assert_eq!((delivery.method.as_str(), &body["webhook_id"]), ("POST", &json!(webhook)));
    assert_eq!(delivery.header("content-type"), "application/json");
    assert_eq!(delivery.header("user-agent"), concat!("koine/", env!("CARGO_PKG_VERSION")));
    assert_eq!(delivery.header("webhook-id"), body["id"].as_str().unwrap());
    assert_eq!(delivery.header("koine-attempt"), "1");
    assert_signed(delivery, secret);
    assert!(!body.to_string().contains(CREDENTIAL), "{body}");
}

async fn credentials_that_fail_and_work_again_are_told(database: Option<PostgresDatabase>) {
    let receiver = receiver().await;
    // The vendor is played by the receiver as well.
    let bases = json!({"okta": receiver.url("/api/v1")}).to_string();
    let settings = [("KOINE_BASE_URLS", bases.as_str()), ("KOINE_ALLOW_ADDRESSES", "127.0.0.0/8")];
    let home = Home::on(database, &settings);
    let gateway = home.serve().await;
    let account = gateway.account().await;
    gateway.webhook(&receiver.url("/hook"), json!(["integrated_account:*"])).await;
    let user = json!({"id": "00u1", "status": "ACTIVE", "profile": {"login": "ada@example.com", "email": "ada@example.com"}});
    let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    let refused = |status| Reply::Now {
        status,
        headers: headers.clone(),
        body: json!({"errorCode": "E0000011", "errorSummary": format!("Invalid token {CREDENTIAL}")})
            .to_string(),
    };
    let found = Reply::Now { status: 200, headers: headers.clone(), body: user.to_string() };
    receiver.then("/api/v1/users/00u1", [refused(401), refused(401), found]);
    let path = format!("/unified/user-directory/users/00u1?integrated_account_id={account}");
    for expected in [401, 401, 200] {
        assert_eq!(gateway.call("GET", &path, &Value::Null).await.0, expected);
    }
    let received = receiver.wait("/hook", 2).await;
    let events: Vec<_> = told(&received).into_iter().map(|(event, _)| event).collect();
    let wanted = ["authentication_error", "reactivated"].map(|word| format!("integrated_account:{word}"));
    assert_eq!(events, wanted, "each once");
    let payload = |at: usize| received[at].json()["payload"].clone();
    assert_eq!((&payload(0)["id"], &payload(0)["status"]), (&json!(account), &json!("needs_reauth")));
    let why = payload(0)["last_error"].as_str().unwrap().to_owned();
    assert!(!why.is_empty() && !why.contains(CREDENTIAL), "{why}");
    assert_eq!((&payload(1)["status"], &payload(1)["last_error"]), (&json!("active"), &Value::Null));
}

async fn tokens_are_told_of_too(database: Option<PostgresDatabase>) {
    let (home, receiver) = (Home::on(database, &[]), receiver().await);
    let gateway = home.serve().await;
    gateway.webhook(&receiver.url("/hook"), json!(["api_token:*"])).await;
    let token = home.admin(&["token", "create", "--name", "other"]).await;
    home.admin(&["token", "revoke", token["id"].as_str().unwrap()]).await;
    let received = receiver.wait("/hook", 2).await;
    for (delivery, event) in received.iter().zip(["api_token:created", "api_token:deleted"]) {
        let body = delivery.json();
        assert_eq!((&body["event"], &body["payload"]["id"]), (&json!(event), &token["id"]));
        assert!(!body.to_string().contains(token["token"].as_str().unwrap()));
    }
}

async fn a_failed_attempt_is_repeated_byte_for_byte(database: Option<PostgresDatabase>) {
    let (home, receiver) = (Home::on(database, PATIENT), receiver().await);
    receiver.then("/hook", [Reply::status(500), Reply::status(400)]);
    let gateway = home.serve().await;
    let (webhook, secret) =
        gateway.webhook(&receiver.url("/hook"), json!(["integrated_account:active"])).await;
    gateway.account().await;
    let log = gateway.settled(&webhook, &["delivered"]).await;
    assert_eq!(statuses(&log[0]), [500, 400, 200]);

    let received = receiver.received("/hook");
    assert_eq!(received.len(), 3);
    for (delivery, attempt) in received.iter().zip(["1", "2", "3"]) {
        assert_eq!((delivery.header("koine-attempt"), &delivery.body), (attempt, &received[0].body));
        assert_signed(delivery, &secret);
    }
    assert_eq!(log[0]["event_id"], received[0].json()["id"]);
}

async fn whoever_never_answers_well_is_turned_off(database: Option<PostgresDatabase>) {
    let (home, receiver) = (Home::on(database, QUICK), receiver().await);
    receiver.always("/dead", Reply::status(503));
    let gateway = home.serve().await;
    let (dead, _) = gateway.webhook(&receiver.url("/dead"), json!(["integrated_account:active"])).await;
    gateway.webhook(&receiver.url("/alive"), json!(["webhook:disabled"])).await;
    gateway.account().await;

    let alarm = receiver.wait("/alive", 1).await[0].json();
    assert_eq!((&alarm["event"], &alarm["payload"]["id"]), (&json!("webhook:disabled"), &json!(dead)));
    let path = format!("/webhook/{dead}");
    let off = gateway.call("GET", &path, &Value::Null).await.1;
    assert_eq!(off["is_active"], false);
    assert!(off["disabled_at"].is_string() && off["failing_since"].is_string(), "{off}");
    let tried = receiver.received("/dead").len();
    gateway.webhook(&receiver.url("/other"), json!(["integrated_account:active"])).await;
    gateway.account().await;
    receiver.wait("/other", 1).await;
    assert_eq!(receiver.received("/dead").len(), tried, "nothing since");
    assert!((2..=3).contains(&tried), "{tried}");
    assert!(gateway.process.stderr().contains("turned off"), "{}", gateway.process.stderr());

    let replay = format!("{path}/replay");
    let since = json!({"since": "2020-01-01T00:00:00Z"});
    assert_eq!(gateway.call("POST", &replay, &since).await.0, 409, "it is off");
    receiver.always("/dead", Reply::status(204));
    gateway.call("PATCH", &path, &json!({"is_active": true})).await;
    // What had failed for good by then is sent again by hand; what had not was held, and comes by itself.
    assert_eq!(gateway.call("POST", &replay, &since).await.0, 200);
    let log = gateway.settled(&dead, &["delivered"]).await;
    assert_eq!((log.len(), statuses(&log[0]).last()), (1, Some(&json!(204))));
    let received = receiver.received("/dead");
    assert_eq!(
        (received.len(), &received[0].body),
        (tried + 1, &received[tried].body),
        "the same event and id"
    );
}

async fn one_delivery_is_replayed_by_command(database: Option<PostgresDatabase>) {
    let (home, receiver) = (Home::on(database, PATIENT), receiver().await);
    let gateway = home.serve().await;
    let made = home
        .admin(&["webhook", "create", &receiver.url("/hook"), "--event", "integrated_account:active"])
        .await;
    let (webhook, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    gateway.account().await;
    let log = gateway.settled(webhook, &["delivered"]).await;
    let delivery = log[0]["id"].as_str().unwrap();
    let queued = home.admin(&["webhook", "replay", webhook, "--delivery", delivery]).await;
    assert_eq!(queued, json!({"queued": 1}));
    let received = receiver.wait("/hook", 2).await;
    assert_eq!(received[0].body, received[1].body);
    assert_signed(&received[1], secret);

    gateway.settled(webhook, &["delivered"]).await;
    let printed = home.admin(&["webhook", "deliveries", webhook]).await;
    assert_eq!(statuses(&printed[0]), [200, 200]);
    let listed = home.admin(&["webhook", "list"]).await;
    assert_eq!((listed[0]["id"].as_str(), listed[0].get("secret")), (Some(webhook), None));
    assert_eq!(home.admin(&["webhook", "remove", webhook]).await, json!({"id": webhook}));
    assert_eq!(home.admin(&["webhook", "list"]).await, json!([]));
}

async fn a_slow_receiver_keeps_nobody_waiting(database: Option<PostgresDatabase>) {
    let (home, receiver) = (Home::on(database, &[]), receiver().await);
    receiver.always("/slow", Reply::Never);
    let gateway = home.serve().await;
    gateway.webhook(&receiver.url("/slow"), Value::Null).await;
    gateway.webhook(&receiver.url("/quick"), json!(["integrated_account:active"])).await;
    for _ in 0..5 {
        gateway.account().await;
    }
    receiver.wait("/quick", 5).await;
    assert_eq!(receiver.received("/slow").len(), 1, "still with its first, and one at a time");
}

async fn the_end_of_a_gateway_waits_for_what_is_under_way(database: Option<PostgresDatabase>) {
    let (home, receiver) = (Home::on(database, &[]), receiver().await);
    receiver.then("/hook", [Reply::Late(Duration::from_millis(500))]);
    let mut gateway = home.serve().await;
    let (webhook, _) = gateway.webhook(&receiver.url("/hook"), json!(["integrated_account:active"])).await;
    gateway.account().await;
    receiver.wait("/hook", 1).await;
    assert!(gateway.process.terminate().await.unwrap().success());
    let log = home.admin(&["webhook", "deliveries", &webhook]).await;
    assert_eq!((&log[0]["status"], statuses(&log[0])), (&json!("delivered"), vec![json!(200)]));
}

async fn a_test_is_sent_at_once_and_tells_how_it_went(database: Option<PostgresDatabase>) {
    let (home, receiver) = (Home::on(database, &[]), receiver().await);
    let gateway = home.serve().await;
    let (webhook, secret) = gateway.webhook(&receiver.url("/hook"), json!([])).await;
    gateway.call("PATCH", &format!("/webhook/{webhook}"), &json!({"is_active": false})).await;
    let test = json!({"id": webhook});
    assert_eq!(gateway.call("POST", "/webhook/test", &test).await, (200, json!({"success": true})));
    let received = receiver.received("/hook");
    let body = received[0].json();
    assert_eq!((&body["event"], &body["payload"]), (&json!("test"), &json!({"foo": "bar"})));
    assert_signed(&received[0], &secret);

    let echo = format!("{secret}{}", "x".repeat(200_000));
    receiver.then("/hook", [Reply::Now { status: 500, headers: Vec::new(), body: echo }]);
    let (status, envelope) = gateway.call("POST", "/webhook/test", &test).await;
    assert_eq!(status, 502, "{envelope}");
    assert!(envelope["message"].as_str().unwrap().contains("answered 500"), "{envelope}");
    let log = gateway.settled(&webhook, &["delivered", "failed"]).await;
    assert_eq!(log.iter().map(statuses).collect::<Vec<_>>(), [[json!(200)], [json!(500)]]);
    let log = json!(log).to_string();
    assert!(log.len() < 3000 && !log.contains(&secret), "{log}");
    assert_eq!(home.admin(&["webhook", "test", &webhook]).await, json!({"success": true}));
}
