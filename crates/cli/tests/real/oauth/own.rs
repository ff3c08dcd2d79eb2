//! Apps that ask on their own behalf, and what stays of secrets.

use koine_engine::AccountPatch;
use koine_testkit::{PostgresDatabase, Refreshing, on_each_database};
use serde_json::json;

use super::setting::{SECRET, Setting, TOKEN};

on_each_database! {
    tokens_are_in_no_log_and_readable_nowhere,
}

#[tokio::test]
async fn an_app_on_its_own_behalf_has_one_token_for_all_its_calls() {
    let setting = Setting::new(3600).await;
    let account = setting.own("koine", SECRET).await;
    let node = setting.node().await;
    let calls = (0..10).map(|_| node.users(&account));
    for answer in futures::future::join_all(calls).await {
        assert_eq!(answer, (200, json!([{"id": "koine"}])));
    }
    assert_eq!(setting.proxy.reached_server("POST", TOKEN), 1);
}

#[tokio::test]
async fn a_wrong_secret_is_not_tried_again_and_again() {
    let setting = Setting::new(3600).await;
    let account = setting.own("koine", "another-secret").await;
    let node = setting.node().await;
    for _ in 0..3 {
        let (status, error) = node.users(&account).await;
        assert_eq!(status, 401, "{error}");
    }
    assert_eq!(setting.proxy.reached_server("POST", TOKEN), 1);
    assert_eq!(setting.status(&account).await, "needs_reauth");
    let context = json!({"client_secret": SECRET}).as_object().cloned();
    let patch = AccountPatch { tenant_id: None, context };
    setting.engine.patch_account(&setting.caller(), account, patch).await.unwrap();
    tokio::time::sleep(koine_store::NOTICED_WITHIN * 2).await;
    assert_eq!(node.users(&account).await, (200, json!([{"id": "koine"}])), "it is another question");
    assert_eq!(setting.status(&account).await, "active");
}

async fn tokens_are_in_no_log_and_readable_nowhere(database: Option<PostgresDatabase>) {
    let setting = Setting::on(database, 3600, Refreshing::Once).await;
    let account = setting.connected("ada").await;
    let mut node = setting.node_with(&[("RUST_LOG", "trace")]).await;
    let old = setting.grant(&account).await;
    assert_eq!(node.users(&account).await.0, 200);
    assert_eq!(node.refresh(&account).await, (200, json!({"success": true})));
    let new = setting.grant(&account).await;
    let (rest, log) = (setting.at_rest(), node.log());
    assert!(log.contains("TRACE"), "it tells everything");
    let text = String::from_utf8_lossy(&rest);
    assert!(text.contains(&account.to_string()), "it is looked for in the right place");
    let tokens = [&old["access_token"], &old["refresh_token"], &new["access_token"], &new["refresh_token"]];
    for secret in tokens.map(|token| token.as_str().unwrap()).into_iter().chain([SECRET]) {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!log.contains(secret) && !text.contains(secret) && !text.contains(&hex), "{secret}");
    }
}
