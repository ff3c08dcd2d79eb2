//! Tokens and connections that were read from the store, kept while it says that they still hold: opening an account
//! means decrypting its credentials and working out where they go.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use koine_store::ApiToken;
use uuid::Uuid;

use crate::account::Connection;

/// Most entries of a kind; beyond, all are dropped and read again.
const MOST: usize = 4096;

/// The SHA-256 of a token: its secret is not kept.
pub(crate) type TokenKey = [u8; 32];

/// What is known of the store at one version of it.
#[derive(Default)]
pub(crate) struct Known(RwLock<Kept>);

#[derive(Default)]
struct Kept {
    version: u64,
    tokens: HashMap<TokenKey, Arc<ApiToken>>,
    connections: HashMap<(Uuid, Uuid), Arc<Connection>>,
}

impl Known {
    /// A token; the caller sees to its expiry. `version` is the store's present one, if it has one.
    pub(crate) fn token(&self, version: Option<u64>, key: &TokenKey) -> Option<Arc<ApiToken>> {
        self.at(version)?.tokens.get(key).cloned()
    }

    /// Keeps a token that was read after the store had this version.
    pub(crate) fn keep_token(&self, version: Option<u64>, key: TokenKey, token: &Arc<ApiToken>) {
        self.keep(version, |kept| insert(&mut kept.tokens, key, token));
    }

    /// A connection, by its environment and id.
    pub(crate) fn connection(&self, version: Option<u64>, key: (Uuid, Uuid)) -> Option<Arc<Connection>> {
        self.at(version)?.connections.get(&key).cloned()
    }

    /// Keeps a connection that was read after the store had this version.
    pub(crate) fn keep_connection(
        &self,
        version: Option<u64>,
        key: (Uuid, Uuid),
        connection: &Arc<Connection>,
    ) {
        self.keep(version, |kept| insert(&mut kept.connections, key, connection));
    }

    fn at(&self, version: Option<u64>) -> Option<RwLockReadGuard<'_, Kept>> {
        let version = version?;
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        (kept.version == version).then_some(kept)
    }

    /// What an older version knew goes; what was read at one gets no place.
    fn keep(&self, version: Option<u64>, insert: impl FnOnce(&mut Kept)) {
        let Some(version) = version else { return };
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.version < version {
            *kept = Kept { version, ..Kept::default() };
        }
        if kept.version == version {
            insert(&mut kept);
        }
    }
}

fn insert<K: Eq + std::hash::Hash, V>(kept: &mut HashMap<K, Arc<V>>, key: K, value: &Arc<V>) {
    if kept.len() >= MOST {
        kept.clear();
    }
    kept.insert(key, Arc::clone(value));
}
