//! Environments and the audit log.

use std::sync::Arc;

use koine_store::{AuditEntry, Store, StoreError};
use serde_json::json;
use uuid::Uuid;

pub(crate) async fn environments_are_found_and_unique(store: Arc<dyn Store>) {
    store.ping().await.unwrap();
    let first = store.create_environment("production").await.unwrap();
    let second = store.create_environment("staging").await.unwrap();
    assert_eq!(store.list_environments().await.unwrap(), [first.clone(), second.clone()]);
    assert_eq!(store.get_environment(first.id).await.unwrap(), Some(first));
    assert_eq!(store.find_environment("staging").await.unwrap(), Some(second));
    assert_eq!(store.find_environment("none").await.unwrap(), None);
    assert_eq!(store.get_environment(Uuid::nil()).await.unwrap(), None);
    let again = store.create_environment("production").await;
    assert!(matches!(again, Err(StoreError::Conflict { what }) if what.contains("production")));
}

pub(crate) async fn audit_keeps_order(store: Arc<dyn Store>) {
    for (action, environment_id) in [("token.create", Some(Uuid::from_u128(7))), ("token.revoke", None)] {
        let entry = AuditEntry {
            environment_id,
            actor: "cli".to_owned(),
            action: action.to_owned(),
            subject: "token 1".to_owned(),
            detail: json!({ "read_only": true }),
        };
        store.audit(entry).await.unwrap();
    }
    let listed = store.list_audit(10).await.unwrap();
    let actions: Vec<_> = listed.iter().map(|record| record.entry.action.as_str()).collect();
    assert_eq!(actions, ["token.revoke", "token.create"]);
    assert_eq!(listed[1].entry.environment_id, Some(Uuid::from_u128(7)));
    assert_eq!(listed[1].entry.detail, json!({ "read_only": true }));
    assert_eq!(store.list_audit(1).await.unwrap().len(), 1);
}
