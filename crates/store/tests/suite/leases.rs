//! Leases: one holds a name at a time, and its time ends.

use std::sync::Arc;
use std::time::Duration;

use koine_store::Store;

const LONG: Duration = Duration::from_secs(3600);
/// Over before anybody can ask.
const OVER: Duration = Duration::ZERO;

pub(crate) async fn a_lease_is_held_by_one_until_released(store: Arc<dyn Store>) {
    let held = store.acquire_lease("refresh/1", "node a", LONG).await.unwrap().unwrap();
    assert_eq!((held.name.as_str(), held.owner.as_str()), ("refresh/1", "node a"));
    for owner in ["node b", "node a"] {
        assert_eq!(store.acquire_lease("refresh/1", owner, LONG).await.unwrap(), None, "{owner}");
    }
    let other = store.acquire_lease("refresh/2", "node b", LONG).await.unwrap();
    assert!(other.is_some(), "another name is free");
    assert!(store.release_lease(&held).await.unwrap());
    assert!(!store.release_lease(&held).await.unwrap(), "it was given back");
    assert_eq!(store.renew_lease(&held, LONG).await.unwrap(), None);
    assert!(store.acquire_lease("refresh/1", "node b", LONG).await.unwrap().is_some());
}

pub(crate) async fn of_many_at_once_one_gets_the_lease(store: Arc<dyn Store>) {
    for round in 0..5 {
        let name = format!("removal/{round}");
        // In every second round there is an old one to take over.
        if round % 2 == 0 {
            store.acquire_lease(&name, "a dead node", OVER).await.unwrap();
        }
        let tasks: Vec<_> = (0..12)
            .map(|number| {
                let (store, name) = (Arc::clone(&store), name.clone());
                tokio::spawn(async move {
                    store.acquire_lease(&name, &format!("node {number}"), LONG).await.unwrap()
                })
            })
            .collect();
        let mut holders = Vec::new();
        for task in tasks {
            holders.extend(task.await.unwrap());
        }
        assert_eq!(holders.len(), 1, "{holders:?}");
        assert!(store.release_lease(&holders[0]).await.unwrap(), "the winner's is the one that is stored");
    }
}

pub(crate) async fn a_lease_whose_time_is_over_is_free(store: Arc<dyn Store>) {
    let old = store.acquire_lease("node/1", "node a", OVER).await.unwrap().unwrap();
    assert_eq!(store.renew_lease(&old, LONG).await.unwrap(), None, "somebody may have relied on its end");
    assert!(!store.release_lease(&old).await.unwrap());
    // By the same owner, and still another lease.
    let new = store.acquire_lease("node/1", "node a", LONG).await.unwrap().unwrap();
    assert_eq!(store.renew_lease(&old, LONG).await.unwrap(), None);
    assert!(!store.release_lease(&old).await.unwrap(), "only its holder gives a lease back");
    assert_eq!(store.acquire_lease("node/1", "node b", LONG).await.unwrap(), None);
    assert!(store.release_lease(&new).await.unwrap());
}

pub(crate) async fn renewing_prolongs(store: Arc<dyn Store>) {
    let held = store.acquire_lease("node/1", "node a", LONG).await.unwrap().unwrap();
    let renewed = store.renew_lease(&held, 2 * LONG).await.unwrap().unwrap();
    assert!(renewed.expires_at > held.expires_at, "{renewed:?}");
    let shortened = store.renew_lease(&held, OVER).await.unwrap().unwrap();
    assert!(shortened.expires_at < held.expires_at, "{shortened:?}");
    let taken = store.acquire_lease("node/1", "node b", LONG).await.unwrap();
    assert!(taken.is_some(), "what is stored counts, not what its holder remembers");
}
