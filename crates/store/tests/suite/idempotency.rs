//! Idempotency keys: one key, one run, one answer.

use std::sync::Arc;

use koine_store::{Begun, NewCall, Store, StoreError};
use uuid::Uuid;

use crate::fixtures::{account, answer, environment, finish, removal};

async fn keyed(store: &Arc<dyn Store>) -> NewCall {
    let home = environment(store).await;
    let account = account(store, &home).await;
    removal(home.id, account.id, Some("key-1"))
}

/// The same request as `call`, as another call.
fn repeated(call: &NewCall) -> NewCall {
    NewCall { id: Uuid::now_v7(), ..call.clone() }
}

pub(crate) async fn concurrent_calls_start_once(store: Arc<dyn Store>) {
    let call = keyed(&store).await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (store, call) = (Arc::clone(&store), repeated(&call));
            tokio::spawn(async move { store.begin_call(call).await.unwrap() })
        })
        .collect();
    let mut started = 0;
    for task in tasks {
        match task.await.unwrap() {
            Begun::Started => started += 1,
            other => assert_eq!(other, Begun::InProgress),
        }
    }
    assert_eq!(started, 1);
}

pub(crate) async fn another_request_under_a_key_mismatches(store: Arc<dyn Store>) {
    let call = keyed(&store).await;
    assert_eq!(store.begin_call(call.clone()).await.unwrap(), Begun::Started);
    let different = NewCall { fingerprint: "sha256:2".to_owned(), ..repeated(&call) };
    assert_eq!(store.begin_call(different.clone()).await.unwrap(), Begun::Mismatch);
    store.finish_call(call.id, finish("removed", Some(answer()))).await.unwrap();
    assert_eq!(store.begin_call(different).await.unwrap(), Begun::Mismatch);
}

pub(crate) async fn answers_are_replayed(store: Arc<dyn Store>) {
    let call = keyed(&store).await;
    assert_eq!(store.begin_call(call.clone()).await.unwrap(), Begun::Started);
    assert_eq!(store.begin_call(repeated(&call)).await.unwrap(), Begun::InProgress);
    store.finish_call(call.id, finish("removed", Some(answer()))).await.unwrap();
    for _ in 0..2 {
        assert_eq!(store.begin_call(repeated(&call)).await.unwrap(), Begun::Replayed(answer()));
    }
    let calls = store.list_calls(call.environment_id, 10).await.unwrap();
    assert_eq!(calls.len(), 1, "a replay is no call");
}

pub(crate) async fn released_keys_start_again(store: Arc<dyn Store>) {
    let call = keyed(&store).await;
    assert_eq!(store.begin_call(call.clone()).await.unwrap(), Begun::Started);
    store.finish_call(call.id, finish("refused", None)).await.unwrap();
    let again = NewCall { fingerprint: "sha256:2".to_owned(), ..repeated(&call) };
    assert_eq!(store.begin_call(again).await.unwrap(), Begun::Started);
}

pub(crate) async fn keys_count_per_account_path_and_environment(store: Arc<dyn Store>) {
    let call = keyed(&store).await;
    let other_environment = environment(&store).await.id;
    let variants = [
        repeated(&call),
        NewCall { account_id: Uuid::now_v7(), ..repeated(&call) },
        NewCall { path: "/elsewhere".to_owned(), ..repeated(&call) },
        NewCall { environment_id: other_environment, ..repeated(&call) },
        NewCall { idempotency_key: Some("key-2".to_owned()), ..repeated(&call) },
        NewCall { idempotency_key: None, ..repeated(&call) },
        NewCall { idempotency_key: None, ..repeated(&call) },
    ];
    for variant in variants.clone() {
        assert_eq!(store.begin_call(variant).await.unwrap(), Begun::Started);
    }
    let same_id = NewCall { idempotency_key: None, ..variants[0].clone() };
    assert!(matches!(store.begin_call(same_id).await, Err(StoreError::Conflict { .. })));
}

pub(crate) async fn unstarted_calls_are_released(store: Arc<dyn Store>) {
    let unstarted = keyed(&store).await;
    let started = NewCall { idempotency_key: Some("key-2".to_owned()), ..repeated(&unstarted) };
    for call in [&unstarted, &started] {
        assert_eq!(store.begin_call(call.clone()).await.unwrap(), Begun::Started);
    }
    store.record_intent(started.id, "delete", "d", None).await.unwrap();
    assert_eq!(store.release_unstarted_calls().await.unwrap(), 1);
    assert_eq!(store.release_unstarted_calls().await.unwrap(), 0);

    // Whoever still ran the released call is stopped before it sends anything.
    let late = store.record_intent(unstarted.id, "delete", "d", None).await;
    assert!(matches!(late, Err(StoreError::Conflict { .. })));
    assert_eq!(store.begin_call(repeated(&unstarted)).await.unwrap(), Begun::Started);
    assert_eq!(store.begin_call(repeated(&started)).await.unwrap(), Begun::InProgress);
    let row = store.call(unstarted.environment_id, unstarted.id).await.unwrap().unwrap();
    assert!(row.released_at.is_some() && row.finished_at.is_none());
}
