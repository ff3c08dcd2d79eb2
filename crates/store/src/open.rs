//! From a URL to a store.

use std::sync::Arc;

use crate::sqlite::SqliteStore;
use crate::{Store, StoreError, Vault};

/// Opens the database at `url`, creating and migrating it as needed, and checks that `vault` holds its master key.
///
/// `sqlite://PATH` (or `sqlite:PATH`) is a file, `sqlite::memory:` lives as long as the store. Calls that a crash
/// left open before any intent are released; those with an intent wait in [`Store::open_intents`].
///
/// # Errors
/// [`StoreError::UnsupportedUrl`] for another scheme, [`StoreError::WrongKey`] for another master key,
/// [`StoreError::Database`] when the file cannot be opened or migrated.
pub async fn open(url: &str, vault: Vault) -> Result<Arc<dyn Store>, StoreError> {
    let Some((scheme, _)) = url.split_once(':') else {
        return Err(StoreError::UnsupportedUrl { scheme: "(none)".to_owned() });
    };
    if scheme != "sqlite" {
        return Err(StoreError::UnsupportedUrl { scheme: scheme.to_owned() });
    }
    let store = SqliteStore::open(url, vault).await?;
    let released = store.release_unstarted_calls().await?;
    if released > 0 {
        tracing::info!(calls.released = released, "released calls that an earlier run had not started");
    }
    Ok(Arc::new(store))
}
