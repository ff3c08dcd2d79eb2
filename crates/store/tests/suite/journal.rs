//! The journal of write calls.

use std::sync::Arc;

use koine_store::{Finish, NewCall, Store, StoreError};
use serde_json::json;
use uuid::Uuid;

use crate::fixtures::{account, environment, exchange, finish, removal};

/// A begun removal of user 42.
async fn begun(store: &Arc<dyn Store>) -> NewCall {
    let home = environment(store).await;
    let account = account(store, &home).await;
    let call = removal(home.id, account.id, None);
    store.begin_call(call.clone()).await.unwrap();
    call
}

pub(crate) async fn intents_stay_open_until_finished(store: Arc<dyn Store>) {
    let call = begun(&store).await;
    assert_eq!(store.open_intents().await.unwrap(), [], "begun is not yet intended");
    let target = json!({ "id": "42", "name": "Ada" });
    store.record_intent(call.id, "delete", "sha256:d", Some(&target)).await.unwrap();
    let open = store.open_intents().await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].call_id, open[0].account_id), (call.id, call.account_id));
    assert_eq!((open[0].method.as_str(), open[0].target_id.as_deref()), ("delete", Some("42")));
    assert_eq!((&open[0].request, &open[0].target), (&call.request, &Some(target)));
    // What a vendor says may hold anything, and its outcome is kept all the same.
    let detail = Some("the vendor said: a\0b".to_owned());
    store.finish_call(call.id, Finish { detail, ..finish("removed", None) }).await.unwrap();
    assert_eq!(store.open_intents().await.unwrap(), []);
}

pub(crate) async fn first_snapshot_is_kept(store: Arc<dyn Store>) {
    let call = begun(&store).await;
    store.record_intent(call.id, "transfer", "1", None).await.unwrap();
    assert_eq!(store.open_intents().await.unwrap()[0].target, None);
    for (step, snapshot) in [("delete", "before"), ("delete", "after"), ("clean", "later")] {
        store.record_intent(call.id, step, "2", Some(&json!(snapshot))).await.unwrap();
    }
    let open = store.open_intents().await.unwrap();
    assert_eq!((open.len(), &open[0].target), (1, &Some(json!("before"))));
}

pub(crate) async fn finished_calls_take_no_intent(store: Arc<dyn Store>) {
    let call = begun(&store).await;
    store.finish_call(call.id, Finish::default()).await.unwrap();
    let late = store.record_intent(call.id, "delete", "d", None).await;
    assert!(matches!(late, Err(StoreError::Conflict { .. })));
    let again = store.finish_call(call.id, finish("removed", None)).await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "the first to settle wins");
}

pub(crate) async fn attempts_are_evidence(store: Arc<dyn Store>) {
    let call = begun(&store).await;
    let attempted = |environment, account, resource, target| {
        let store = Arc::clone(&store);
        async move { store.was_attempted(environment, account, "user-directory", resource, target).await.unwrap() }
    };
    let (environment, account) = (call.environment_id, call.account_id);
    assert!(!attempted(environment, account, "users", "42").await, "begun alone proves nothing");
    store.record_intent(call.id, "delete", "d", None).await.unwrap();
    assert!(attempted(environment, account, "users", "42").await);
    store.finish_call(call.id, finish("refused", None)).await.unwrap();
    assert!(attempted(environment, account, "users", "42").await);
    assert!(!attempted(environment, account, "users", "43").await);
    assert!(!attempted(environment, account, "groups", "42").await);
    assert!(!attempted(environment, Uuid::nil(), "users", "42").await);
    assert!(!attempted(Uuid::nil(), account, "users", "42").await);

    for (target, outcome, evidence) in [("50", "already_gone", true), ("51", "refused", false)] {
        let read_only = NewCall { target_id: Some(target.to_owned()), ..removal(environment, account, None) };
        store.begin_call(read_only.clone()).await.unwrap();
        store.finish_call(read_only.id, finish(outcome, None)).await.unwrap();
        assert_eq!(attempted(environment, account, "users", target).await, evidence);
    }

    let by_address = NewCall { target_id: Some("-".to_owned()), ..removal(environment, account, None) };
    store.begin_call(by_address.clone()).await.unwrap();
    store.name_target(by_address.id, "55").await.unwrap();
    store.finish_call(by_address.id, finish("removed", None)).await.unwrap();
    assert!(attempted(environment, account, "users", "55").await, "whoever it was found to be about");
    assert!(!attempted(environment, account, "users", "-").await);
    let late = store.name_target(by_address.id, "56").await;
    assert!(matches!(late, Err(StoreError::Conflict { .. })));

    let vain = NewCall { target_id: Some("60".to_owned()), ..removal(environment, account, None) };
    store.begin_call(vain.clone()).await.unwrap();
    store.record_intent(vain.id, "delete", "d", None).await.unwrap();
    store.finish_call(vain.id, Finish::default()).await.unwrap();
    assert!(!attempted(environment, account, "users", "60").await, "the vendor knew no such record");
}

pub(crate) async fn calls_show_their_exchanges(store: Arc<dyn Store>) {
    let first = begun(&store).await;
    let second = removal(first.environment_id, first.account_id, None);
    store.begin_call(second.clone()).await.unwrap();
    for exchange in [exchange(2, None), exchange(1, Some(204))] {
        store.record_exchange(first.id, exchange).await.unwrap();
    }
    let taken = store.record_exchange(first.id, exchange(1, None)).await;
    assert!(matches!(taken, Err(StoreError::Conflict { .. })));
    let detail = Some("read back".to_owned());
    let done = Finish { outcome: Some("removed".to_owned()), detail: detail.clone(), answer: None };
    store.finish_call(first.id, done).await.unwrap();

    let row = store.call(first.environment_id, first.id).await.unwrap().unwrap();
    assert_eq!(row.exchanges, [exchange(1, Some(204)), exchange(2, None)]);
    assert_eq!((row.outcome.as_deref(), &row.detail), (Some("removed"), &detail));
    assert!(row.finished_at.is_some());

    let listed = store.list_calls(first.environment_id, 10).await.unwrap();
    let ids: Vec<_> = listed.iter().map(|row| row.id).collect();
    assert_eq!(ids, [second.id, first.id]);
    assert_eq!(listed[1], row);
    assert_eq!(store.list_calls(first.environment_id, 1).await.unwrap().len(), 1);

    let elsewhere = environment(&store).await;
    assert_eq!(store.call(elsewhere.id, first.id).await.unwrap(), None);
    assert_eq!(store.list_calls(elsewhere.id, 10).await.unwrap(), []);
}

pub(crate) async fn unknown_calls_are_errors(store: Arc<dyn Store>) {
    let id = Uuid::now_v7();
    let results = [
        store.record_intent(id, "delete", "d", None).await,
        store.record_exchange(id, exchange(1, None)).await,
        store.finish_call(id, Finish::default()).await,
        store.begin_call(removal(Uuid::nil(), id, None)).await.map(|_| ()),
    ];
    for result in results {
        assert!(matches!(result, Err(StoreError::NotFound { .. })), "{result:?}");
    }
}
