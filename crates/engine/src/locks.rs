//! Calls on the same person or group run one after another: those of this process in the order in which they came,
//! and then, by the database, those of all nodes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use koine_model::Error;
use koine_store::Store;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use uuid::Uuid;

/// How often a lock that a call of another node has is asked for again, at first and later.
const ASKED_EVERY: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(400));

type Table = HashMap<String, Arc<AsyncMutex<()>>>;

/// Mutexes by key; a key costs memory only while somebody holds or awaits it.
#[derive(Clone, Default)]
pub(crate) struct Locks(Arc<Mutex<Table>>);

/// Holds a key in this process until dropped. The database's lock goes with the call that has it.
pub(crate) struct Held {
    guard: Option<OwnedMutexGuard<()>>,
    key: String,
    locks: Locks,
}

impl Locks {
    /// Waits until the call has the key to itself.
    pub(crate) async fn hold(&self, store: &Arc<dyn Store>, call: Uuid, key: String) -> Result<Held, Error> {
        let mutex = self.table().entry(key.clone()).or_default().clone();
        let guard = mutex.lock_owned().await;
        let held = Held { guard: Some(guard), key, locks: self.clone() };
        let (mut pause, longest) = ASKED_EVERY;
        while !store.lock_for_call(call, &held.key).await.map_err(Error::internal)? {
            tokio::time::sleep(pause).await;
            pause = longest.min(pause * 2);
        }
        Ok(held)
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut table = self.locks.table();
        self.guard = None;
        // Only the table itself still knows the mutex: nobody waits for it.
        if table.get(&self.key).is_some_and(|mutex| Arc::strong_count(mutex) == 1) {
            table.remove(&self.key);
        }
    }
}
