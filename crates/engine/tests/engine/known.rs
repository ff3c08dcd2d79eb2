//! What the engine keeps of tokens and accounts never outlives them: not for changes of its own, and not for those of a
//! command that runs beside it on the same database.

use std::time::Duration;

use koine_engine::AccountPatch;
use koine_model::ErrorCode;
use koine_store::{AccountChange, NOTICED_WITHIN, NewToken};
use serde_json::Value;

use crate::support::{Setting, code, fields};

#[tokio::test]
async fn own_changes_count_at_once() {
    let setting = Setting::new().await;
    assert_eq!(setting.call_twice().await, "SSWS first");
    let caller = setting.caller().await.unwrap();
    let patch = AccountPatch { context: Some(fields("second")), ..AccountPatch::default() };
    setting.engine.patch_account(&caller, setting.account, patch).await.unwrap();
    assert_eq!(setting.call_twice().await, "SSWS second");
    setting.engine.delete_account(&caller, setting.account).await.unwrap();
    assert_eq!(code(setting.call().await), Some(ErrorCode::NotFound));
    setting.engine.store().revoke_token(setting.token.0).await.unwrap();
    assert_eq!(code(setting.caller().await), Some(ErrorCode::Unauthenticated));
}

#[tokio::test]
async fn changes_by_a_command_beside_the_server_count_in_time() {
    let setting = Setting::new().await;
    assert_eq!(setting.call_twice().await, "SSWS first");
    let context = Some(Value::Object(fields("second")));
    let change = AccountChange { context, ..AccountChange::default() };
    setting.command.update_account(setting.environment, setting.account, change).await.unwrap();
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(setting.call_twice().await, "SSWS second");
    setting.command.delete_account(setting.environment, setting.account).await.unwrap();
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(code(setting.call().await), Some(ErrorCode::NotFound));
    setting.command.revoke_token(setting.token.0).await.unwrap();
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(code(setting.caller().await), Some(ErrorCode::Unauthenticated));
}

#[tokio::test]
async fn a_token_that_is_kept_expires_all_the_same() {
    let setting = Setting::new().await;
    let at = std::time::SystemTime::now() + Duration::from_millis(400);
    let expires_at = Some(jiff::Timestamp::try_from(at).unwrap().to_string());
    let (name, account_ids) = ("short".to_owned(), None);
    let environment_id = setting.environment;
    let new =
        NewToken { environment_id, name, account_ids, read_only: false, administrator: false, expires_at };
    let (_, secret) = setting.command.create_token(new).await.unwrap();
    let header = format!("Bearer {secret}");
    while setting.engine.authenticate(Some(&header)).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(std::time::SystemTime::now() >= at);
}
