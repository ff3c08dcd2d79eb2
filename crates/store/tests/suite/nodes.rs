//! Several nodes on one database: whose calls are whose.

use std::sync::Arc;
use std::time::Duration;

use koine_store::{Begun, Lease, NewCall, Store, StoreError, node_lease};
use uuid::Uuid;

use crate::fixtures::{account, environment, finish, removal};

const LONG: Duration = Duration::from_secs(3600);

/// A node that lives until its lease is released.
async fn node(store: &Arc<dyn Store>) -> (Uuid, Lease) {
    let id = Uuid::now_v7();
    (id, store.acquire_lease(&node_lease(id), "a test", LONG).await.unwrap().unwrap())
}

/// A begun call of this node.
async fn begun(store: &Arc<dyn Store>, node_id: Option<Uuid>) -> NewCall {
    let home = environment(store).await;
    let account = account(store, &home).await;
    let call = NewCall { node_id, ..removal(home.id, account.id, Some("key")) };
    assert_eq!(store.begin_call(call.clone()).await.unwrap(), Begun::Started);
    call
}

async fn open(store: &Arc<dyn Store>) -> Vec<Uuid> {
    store.open_intents().await.unwrap().iter().map(|intent| intent.call_id).collect()
}

pub(crate) async fn calls_of_living_nodes_are_left_alone(store: Arc<dyn Store>) {
    let (living, _lease) = node(&store).await;
    let (dying, dying_lease) = node(&store).await;
    let mut intended = Vec::new();
    let mut unstarted = Vec::new();
    for node in [living, dying] {
        let call = begun(&store, Some(node)).await;
        store.record_intent(call.id, "delete", "d", None).await.unwrap();
        intended.push(call.id);
        unstarted.push(begun(&store, Some(node)).await.id);
    }
    assert!(open(&store).await.is_empty());
    assert_eq!(store.release_unstarted_calls().await.unwrap(), 0);

    assert!(store.release_lease(&dying_lease).await.unwrap());
    assert_eq!(open(&store).await, intended[1..]);
    assert_eq!(store.release_unstarted_calls().await.unwrap(), 1);
    for (call, goes_on) in [(unstarted[0], true), (unstarted[1], false)] {
        assert_eq!(store.record_intent(call, "delete", "d", None).await.is_ok(), goes_on);
    }

    assert!(store.forget_node(living).await.unwrap());
    assert!(!store.forget_node(living).await.unwrap());
    assert_eq!(open(&store).await.len(), 3);
}

pub(crate) async fn a_node_whose_lease_is_over_may_not_send(store: Arc<dyn Store>) {
    let (id, lease) = node(&store).await;
    let call = begun(&store, Some(id)).await;
    store.record_intent(call.id, "delete", "1", None).await.unwrap();
    store.renew_lease(&lease, Duration::ZERO).await.unwrap();
    for step in ["delete", "clean"] {
        let late = store.record_intent(call.id, step, "2", None).await;
        assert!(matches!(late, Err(StoreError::Conflict { .. })), "{late:?}");
    }
    // What it knows about its own call is still welcome.
    store.finish_call(call.id, finish("removed", None)).await.unwrap();
    assert!(open(&store).await.is_empty());
}

pub(crate) async fn one_call_at_a_time_has_a_lock(store: Arc<dyn Store>) {
    let (id, _lease) = node(&store).await;
    let (first, second) = (begun(&store, Some(id)).await.id, begun(&store, Some(id)).await.id);
    assert!(store.lock_for_call(first, "person 42").await.unwrap());
    assert!(store.lock_for_call(first, "person 42").await.unwrap(), "it has it");
    assert!(!store.lock_for_call(second, "person 42").await.unwrap());
    assert!(store.lock_for_call(second, "person 43").await.unwrap());
    store.finish_call(first, finish("removed", None)).await.unwrap();
    assert!(store.lock_for_call(second, "person 42").await.unwrap());
}

pub(crate) async fn of_many_calls_at_once_one_gets_the_lock(store: Arc<dyn Store>) {
    let (id, _lease) = node(&store).await;
    let over = begun(&store, None).await.id;
    assert!(store.lock_for_call(over, "person 42").await.unwrap());
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let (store, call) = (Arc::clone(&store), begun(&store, Some(id)).await.id);
        tasks.push(tokio::spawn(async move { store.lock_for_call(call, "person 42").await.unwrap() }));
    }
    let mut holders = 0;
    for task in tasks {
        holders += usize::from(task.await.unwrap());
    }
    assert_eq!(holders, 1);
}

pub(crate) async fn locks_end_with_their_call(store: Arc<dyn Store>) {
    let (id, lease) = node(&store).await;
    let held = [begun(&store, Some(id)).await.id, begun(&store, Some(id)).await.id];
    let (other, _other_lease) = node(&store).await;
    let waiting = begun(&store, Some(other)).await.id;
    for (call, key) in held.iter().zip(["abandoned", "of a dead node"]) {
        assert!(store.lock_for_call(*call, key).await.unwrap());
        assert!(!store.lock_for_call(waiting, key).await.unwrap());
    }
    assert!(store.abandon_call(held[0]).await.unwrap());
    assert!(store.lock_for_call(waiting, "abandoned").await.unwrap());
    assert!(!store.lock_for_call(waiting, "of a dead node").await.unwrap());
    store.release_lease(&lease).await.unwrap();
    assert!(store.lock_for_call(waiting, "of a dead node").await.unwrap());
    assert_eq!(store.release_unstarted_calls().await.unwrap(), 2);
    assert!(!store.abandon_call(held[0]).await.unwrap(), "it is over");
}

pub(crate) async fn tidying_keeps_what_counts(store: Arc<dyn Store>) {
    let (id, lease) = node(&store).await;
    let call = begun(&store, Some(id)).await;
    store.tidy().await.unwrap();
    assert!(store.renew_lease(&lease, LONG).await.unwrap().is_some());
    let again = NewCall { id: Uuid::now_v7(), ..call };
    assert_eq!(store.begin_call(again).await.unwrap(), Begun::InProgress);
}
