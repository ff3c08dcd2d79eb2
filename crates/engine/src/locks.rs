//! Calls on the same person or group run one after another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

type Table = HashMap<String, Arc<AsyncMutex<()>>>;

/// Mutexes by key; a key costs memory only while somebody holds or awaits it.
#[derive(Clone, Default)]
pub(crate) struct Locks(Arc<Mutex<Table>>);

/// Holds a key until dropped.
pub(crate) struct Held {
    guard: Option<OwnedMutexGuard<()>>,
    key: String,
    locks: Locks,
}

impl Locks {
    pub(crate) async fn hold(&self, key: String) -> Held {
        let mutex = self.table().entry(key.clone()).or_default().clone();
        let guard = mutex.lock_owned().await;
        Held { guard: Some(guard), key, locks: self.clone() }
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
