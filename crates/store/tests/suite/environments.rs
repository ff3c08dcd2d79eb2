//! Environments.

use std::sync::Arc;

use koine_store::{Store, StoreError};
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
