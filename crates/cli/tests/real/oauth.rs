//! Consents and refreshes on a real authorization server, with up to two nodes on one database.

mod attacks;
mod consent;
mod events;
mod killed;
mod node;
mod own;
mod setting;

use koine_engine::{Caller, NewAccount};
use koine_testkit::{PostgresDatabase, Refreshing, on_each_database};
use serde_json::{Map, Value, json};
use setting::{Setting, TOKEN};

on_each_database! {
    tokens_that_end_are_renewed_again_and_again,
    one_refresh_reaches_the_server_whoever_asks,
    a_revoked_grant_needs_its_owner_who_mends_it,
    a_refusal_is_remembered_by_all_nodes,
}

async fn tokens_that_end_are_renewed_again_and_again(database: Option<PostgresDatabase>) {
    let setting = Setting::on(database, 1, Refreshing::Once).await;
    let account = setting.connected("ada").await;
    let node = setting.node().await;
    for _ in 0..3 {
        assert_eq!(node.users(&account).await, (200, json!([{"id": "ada"}])));
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    }
    assert!(setting.proxy.reached_server("POST", TOKEN) >= 3, "each with a refresh token of its own");
    assert_eq!(setting.status(&account).await, "active");
}

async fn one_refresh_reaches_the_server_whoever_asks(database: Option<PostgresDatabase>) {
    let setting = Setting::on(database, 3600, Refreshing::Once).await;
    let account = setting.connected("ada").await;
    let nodes = [setting.node().await, setting.node().await];
    for round in 1..=3 {
        setting.expire(&account).await;
        let calls = (0..10).map(|number| nodes[number % 2].users(&account));
        for answer in futures::future::join_all(calls).await {
            assert_eq!(answer, (200, json!([{"id": "ada"}])));
        }
        assert_eq!(setting.proxy.reached_server("POST", TOKEN), 1 + round, "the code, and one a round");
    }
}

#[tokio::test]
async fn a_caller_who_goes_away_takes_no_token_along() {
    let setting = Setting::new(3600).await;
    let account = setting.connected("ada").await;
    let node = setting.node().await;
    for _ in 0..5 {
        setting.expire(&account).await;
        let before = setting.proxy.reached_server("POST", TOKEN);
        // Gone as soon as the server has been asked.
        let asking = node.users(&account);
        tokio::select! {
            _ = asking => {}
            () = setting.reached(before + 1) => {}
        }
        assert_eq!(node.users(&account).await, (200, json!([{"id": "ada"}])));
    }
}

async fn a_revoked_grant_needs_its_owner_who_mends_it(database: Option<PostgresDatabase>) {
    let setting = Setting::on(database, 3600, Refreshing::Once).await;
    let account = setting.connected("ada").await;
    let node = setting.node().await;
    assert_eq!(node.users(&account).await.0, 200);
    setting.revoke(&account).await;
    let (status, error) = node.users(&account).await;
    assert_eq!(status, 401, "{error}");
    assert_eq!(error["truto_is_remote_error"], true, "{error}");
    assert_eq!(setting.status(&account).await, "needs_reauth");
    let told = setting.account(&account).await["last_error"].as_str().unwrap().to_owned();
    assert!(told.contains("invalid_grant") && !told.contains("made-up-secret"), "{told}");
    let error = setting.engine.refresh_credentials(&setting.caller(), account).await.unwrap_err();
    assert_eq!(error.status(), 401, "{error}");

    setting.connect_again(&account, "ada").await;
    assert_eq!(node.users(&account).await.0, 200);
    assert_eq!(setting.status(&account).await, "active");
    assert_eq!(setting.account(&account).await["last_error"], json!(null));
}

async fn a_refusal_is_remembered_by_all_nodes(database: Option<PostgresDatabase>) {
    let setting = Setting::on(database, 3600, Refreshing::Once).await;
    setting.listen().await;
    let account = setting.connected("ada").await;
    setting.revoke(&account).await;
    let nodes = [setting.node().await, setting.node().await];
    let calls = (0..10).map(|number| nodes[number % 2].users(&account));
    for (status, error) in futures::future::join_all(calls).await {
        assert_eq!(status, 401, "{error}");
    }
    assert_eq!(setting.proxy.reached_server("POST", TOKEN), 2, "the code, and one refresh");
    assert_eq!(setting.status(&account).await, "needs_reauth");
    assert_eq!(nodes[0].own_account(&account).await["context"], json!({}), "there is no token that works");
    assert_eq!(setting.proxy.reached_server("POST", TOKEN), 2);
    let (status, error) = nodes[1].refresh(&account).await;
    assert_eq!(status, 401, "{error}");
    assert_eq!(setting.proxy.reached_server("POST", TOKEN), 3, "who insists asks");

    setting.connect_again(&account, "ada").await;
    let token = setting.grant(&account).await["access_token"].clone();
    let own = nodes[0].own_account(&account).await;
    assert_eq!(own["context"], json!({"oauth": {"token": {"access_token": token}}}), "browsers need it");
    assert_eq!(nodes[1].users(&account).await.0, 200);
    assert_eq!(setting.status(&account).await, "active");
    let told = ["integrated_account:authentication_error", "integrated_account:reactivated"];
    assert_eq!(setting.told().await, told, "each once");
}

/// The token is not the reason: it is renewed once, not with every call.
#[tokio::test]
async fn a_vendor_that_takes_no_token_is_not_fed_with_new_ones() {
    let setting = Setting::new(3600).await;
    let account = setting.connected("ada").await;
    let node = setting.node().await;
    setting.proxy.answer_for("GET", "/whoami", 99, "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n");
    for _ in 0..4 {
        assert_eq!(node.users(&account).await.0, 401);
    }
    assert_eq!(setting.proxy.reached_server("POST", TOKEN), 2, "the code, and one refresh");
    assert_eq!(setting.status(&account).await, "needs_reauth");
    setting.proxy.forget_rules();
    assert_eq!(node.users(&account).await.0, 200);
    assert_eq!(setting.status(&account).await, "active");
}

/// What a changed app, or a changed account, would be told is another matter.
#[tokio::test]
async fn a_refusal_counts_for_the_same_question_alone() {
    let setting = Setting::new(3600).await;
    let account = setting.connected("ada").await;
    let node = setting.node().await;
    setting.expire(&account).await;
    setting.proxy.answer_for("POST", TOKEN, 1, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    for _ in 0..2 {
        let (status, error) = node.users(&account).await;
        assert_eq!(status, 401, "{error}");
    }
    assert_eq!(setting.status(&account).await, "needs_reauth");
    setting.set_app("koine", "another-secret").await;
    assert_eq!(node.users(&account).await.0, 502, "it was asked, with that");
    setting.set_app("koine", setting::SECRET).await;
    let (status, _) = node.refresh(&account).await;
    assert_eq!(status, 200);
    assert_eq!(node.users(&account).await.0, 200);
    assert_eq!(setting.status(&account).await, "active");
}

#[tokio::test]
async fn an_endpoint_that_asks_for_patience_gets_it() {
    let setting = Setting::new(3600).await;
    let account = setting.connected("ada").await;
    let nodes = [setting.node().await, setting.node().await];
    let busy = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 300\r\ncontent-length: 5\r\n\r\nlater";
    setting.proxy.answer_for("POST", TOKEN, 99, busy);
    setting.make_stale(&account).await;
    assert_eq!(nodes[0].users(&account).await.0, 200, "the access token is still good");
    setting.expire(&account).await;
    for node in &nodes {
        let answer = node.ask_for_users(&account).await;
        assert_eq!(answer.status, 429, "{}", answer.text());
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((240..=300).contains(&seconds), "{seconds}");
    }
    let asked = setting.proxy.seen().iter().filter(|seen| seen.path == TOKEN && seen.lost).count();
    assert_eq!(asked, 1, "both nodes wait");
    assert_eq!(setting.status(&account).await, "active");
}

/// The endpoint hangs: who asks gives up, and all others have waited for the next one to ask.
#[tokio::test]
async fn an_endpoint_that_hangs_is_asked_again() {
    let setting = Setting::new(3600).await;
    let account = setting.connected("ada").await;
    let nodes = [setting.node().await, setting.node().await];
    setting.expire(&account).await;
    setting.proxy.hold_request_of("POST", TOKEN, 1);
    let calls = (0..6).map(|number| nodes[number % 2].users(&account));
    for answer in futures::future::join_all(calls).await {
        assert_eq!(answer, (200, json!([{"id": "ada"}])));
    }
    assert_eq!(setting.proxy.reached_server("POST", TOKEN), 2, "the code, and one refresh");
}

#[tokio::test]
async fn an_endpoint_that_is_down_changes_no_account() {
    let setting = Setting::new(3600).await;
    let account = setting.connected("ada").await;
    let node = setting.node().await;
    setting.expire(&account).await;
    setting.proxy.lose_request_of("POST", TOKEN, 99);
    let (status, error) = node.users(&account).await;
    assert_eq!(status, 502, "{error}");
    assert_eq!(setting.status(&account).await, "active");
    let error = setting.engine.refresh_credentials(&setting.caller(), account).await.unwrap_err();
    assert_eq!(error.status(), 502, "{error}");
    assert_eq!(setting.status(&account).await, "active");
    setting.proxy.forget_rules();
    assert_eq!(node.users(&account).await.0, 200, "it went by itself");
}

#[tokio::test]
async fn a_token_in_its_last_minute_does_while_the_endpoint_is_down() {
    let setting = Setting::new(3600).await;
    let account = setting.connected("ada").await;
    let node = setting.node().await;
    setting.make_stale(&account).await;
    setting.proxy.lose_request_of("POST", TOKEN, 99);
    assert_eq!(node.users(&account).await.0, 200);
    assert_eq!(setting.status(&account).await, "active");
}

/// The server has replaced the refresh token, and nobody but the server knows by what: a new consent is the only way.
#[tokio::test]
async fn an_answer_that_is_lost_after_the_server_rotated() {
    let setting = Setting::new(3600).await;
    let account = setting.connected("ada").await;
    let node = setting.node().await;
    setting.expire(&account).await;
    setting.proxy.lose_answer_of("POST", TOKEN, 1);
    let (status, error) = node.users(&account).await;
    assert_eq!(status, 401, "the call that tried again was told: {error}");
    assert_eq!(setting.status(&account).await, "needs_reauth");
    setting.connect_again(&account, "ada").await;
    assert_eq!(node.users(&account).await.0, 200);
    assert_eq!(setting.status(&account).await, "active");
}

/// A node whose clock is behind takes the token for good; the server knows better.
#[tokio::test]
async fn clocks_may_differ() {
    let setting = Setting::new(3600).await;
    let account = setting.connected("ada").await;
    let node = setting.node().await;
    setting.write_other_token(&account).await;
    assert_eq!(node.users(&account).await, (200, json!([{"id": "ada"}])));
    assert_eq!(setting.status(&account).await, "active");
}

#[tokio::test]
async fn credentials_are_refreshed_when_somebody_asks() {
    let setting = Setting::new(3600).await;
    let account = setting.connected("ada").await;
    let before = setting.grant(&account).await;
    let done = setting.engine.refresh_credentials(&setting.caller(), account).await.unwrap();
    assert_eq!(done, json!({"success": true}));
    let after = setting.grant(&account).await;
    for name in ["access_token", "refresh_token"] {
        assert_ne!(before[name], after[name], "{name}");
    }
    let other = setting.engine.store().create_environment("other").await.unwrap();
    let foreign = setting.engine.refresh_credentials(&Caller::operator(other.id), account).await.unwrap_err();
    assert_eq!(foreign.status(), 404, "{foreign}");
}

#[tokio::test]
async fn an_app_that_the_vendor_does_not_know_is_no_fault_of_the_account() {
    let setting = Setting::new(3600).await;
    let account = setting.connected("ada").await;
    let node = setting.node().await;
    setting.set_app("koine", "another-secret").await;
    setting.expire(&account).await;
    let (status, error) = node.users(&account).await;
    assert_eq!(status, 502, "{error}");
    assert_eq!(setting.status(&account).await, "active");
    setting.set_app("koine", setting::SECRET).await;
    assert_eq!(node.users(&account).await.0, 200);
}

#[tokio::test]
async fn an_account_can_be_taken_over_with_its_tokens() {
    let setting = Setting::new(3600).await;
    let granted = setting.connected("ada").await;
    let token = setting.grant(&granted).await["refresh_token"].clone();
    let new = |token: Value| NewAccount {
        tenant_id: "acme".to_owned(),
        connector: "acme-oauth".to_owned(),
        authentication_method: None,
        context: Map::from_iter([("oauth".to_owned(), json!({"token": token}))]),
    };
    let account = new(json!({"refresh_token": token}));
    let account = setting.engine.create_account(&setting.caller(), account).await.unwrap();
    assert_eq!(account["context"], json!({}), "tokens are not shown");
    let node = setting.node().await;
    let id = account["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(node.users(&id).await, (200, json!([{"id": "ada"}])));
    for wrong in [json!({}), json!({"access_token": 7}), json!(null), json!({"access_token": "a\nb"})] {
        let error = setting.engine.create_account(&setting.caller(), new(wrong)).await.unwrap_err();
        assert_eq!(error.status(), 400, "{error}");
    }
}
