//! One of two nodes is killed while the token endpoint answers it.

use koine_testkit::{LosingProxy, PostgresDatabase, Refreshing, on_each_database};
use serde_json::json;
use uuid::Uuid;

use super::node::Node;
use super::setting::{Setting, TOKEN};

on_each_database! {
    a_node_that_dies_before_the_server_heard_of_it_is_followed_by_another,
    a_node_that_dies_with_an_answer_that_does_no_harm_is_followed_by_another,
    a_node_that_dies_with_the_only_refresh_token_leaves_an_account_that_says_so,
}

type Hold = fn(&LosingProxy, &str, &str, usize);

/// Two nodes, of which one was killed while it asked for tokens, and the account.
async fn killed_while_it_asks(setting: &Setting, hold: Hold) -> (Uuid, Node) {
    let account = setting.connected("ada").await;
    let (mut dies, lives) = (setting.node().await, setting.node().await);
    setting.expire(&account).await;
    hold(&setting.proxy, "POST", TOKEN, 1);
    let asking = dies.users(&account);
    tokio::select! {
        answer = asking => panic!("nothing could be answered: {answer:?}"),
        () = setting.proxy.saw_lost("POST", TOKEN) => {}
    }
    dies.kill().await;
    (account, lives)
}

async fn a_node_that_dies_before_the_server_heard_of_it_is_followed_by_another(
    database: Option<PostgresDatabase>,
) {
    let setting = Setting::on(database, 3600, Refreshing::Once).await;
    let (account, lives) = killed_while_it_asks(&setting, LosingProxy::hold_request_of).await;
    assert_eq!(lives.users(&account).await, (200, json!([{"id": "ada"}])));
    assert_eq!(setting.proxy.reached_server("POST", TOKEN), 2, "the code, and one refresh");
    assert_eq!(setting.status(&account).await, "active");
}

async fn a_node_that_dies_with_an_answer_that_does_no_harm_is_followed_by_another(
    database: Option<PostgresDatabase>,
) {
    let setting = Setting::on(database, 3600, Refreshing::Often).await;
    let (account, lives) = killed_while_it_asks(&setting, LosingProxy::hold_answer_of).await;
    assert_eq!(lives.users(&account).await, (200, json!([{"id": "ada"}])));
    assert_eq!(setting.proxy.reached_server("POST", TOKEN), 3, "the code, and two refreshes");
    assert_eq!(setting.status(&account).await, "active");
}

/// The server has replaced the refresh token, and the node that it told is dead.
async fn a_node_that_dies_with_the_only_refresh_token_leaves_an_account_that_says_so(
    database: Option<PostgresDatabase>,
) {
    let setting = Setting::on(database, 3600, Refreshing::Once).await;
    let (account, lives) = killed_while_it_asks(&setting, LosingProxy::hold_answer_of).await;
    let (status, error) = lives.users(&account).await;
    assert_eq!((status, &error["truto_is_remote_error"]), (401, &json!(true)), "{error}");
    let shown = setting.account(&account).await;
    assert_eq!(shown["status"], "needs_reauth");
    let told = shown["last_error"].as_str().unwrap();
    assert!(told.contains("connect the account again") && told.contains("invalid_grant"), "{told}");
    setting.connect_again(&account, "ada").await;
    assert_eq!(lives.users(&account).await, (200, json!([{"id": "ada"}])));
    assert_eq!(setting.status(&account).await, "active");
}
