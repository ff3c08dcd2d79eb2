//! From a URL to a store.

use std::sync::Arc;

use crate::sqlite::SqliteStore;
use crate::{Store, StoreError, Vault};

/// Opens the database at `url`, creating and migrating it as needed, and checks that `vault` holds its master key.
///
/// `sqlite://PATH` (or `sqlite:PATH`) is a file, `sqlite::memory:` lives as long as the store. What a crash left open
/// stays: a server deals with it when it starts, and an administrator's command beside it must not.
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
    Ok(Arc::new(SqliteStore::open(url, vault).await?))
}
