//! The server asks for rights before a handler runs. What removes people asks once more.

use koine_engine::{Operation, UnifiedCall};
use koine_model::ErrorCode;
use koine_store::NewToken;
use serde_json::{Map, json};

use crate::support::{Setting, code};

#[tokio::test]
async fn who_may_only_read_gets_a_plan_and_no_removal_whoever_let_them_in() {
    let setting = Setting::new().await;
    let (environment_id, name) = (setting.environment, "reader".to_owned());
    let (account_ids, expires_at) = (None, None);
    let new =
        NewToken { environment_id, name, account_ids, read_only: true, administrator: false, expires_at };
    let (_, secret) = setting.command.create_token(new).await.unwrap();
    let reader = setting.engine.authenticate(Some(&format!("Bearer {secret}"))).await.unwrap();
    let account = ("integrated_account_id".to_owned(), json!(setting.account));
    let removal = |operation: Operation, plan: bool| UnifiedCall {
        model: "user-directory".to_owned(),
        resource: "users".to_owned(),
        id: (operation == Operation::Delete).then(|| "00u1".to_owned()),
        operation,
        query: Map::from_iter([account.clone(), ("koine_plan".to_owned(), json!(plan.to_string()))]),
        body: Map::from_iter([("user_id".to_owned(), json!("00u1"))]),
        path: String::new(),
        idempotency_key: None,
        passthrough: None,
    };
    for operation in [Operation::Delete, Operation::Custom("deactivate".to_owned())] {
        let refused = setting.engine.unified(&reader, removal(operation.clone(), false)).await;
        assert_eq!(code(refused), Some(ErrorCode::NotAllowed), "{operation:?}");
        assert!(setting.vendor.0.lock().unwrap().is_none(), "{operation:?}: nothing was sent");
        let plan = setting.engine.unified(&reader, removal(operation.clone(), true)).await;
        assert_eq!(code(plan), None, "{operation:?}");
        assert!(setting.vendor.0.lock().unwrap().take().is_some(), "a plan reads");
    }
    assert_eq!(setting.command.open_intents().await.unwrap(), []);
}
