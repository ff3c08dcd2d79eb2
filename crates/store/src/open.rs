//! From a URL to a store.

use std::sync::Arc;

use crate::postgres::PostgresStore;
use crate::sqlite::SqliteStore;
use crate::{Store, StoreError, Vault};

/// Opens the database at `url`, creating and migrating it as needed, and checks that `vault` holds its master key.
///
/// `sqlite://PATH` (or `sqlite:PATH`) is a file, `sqlite::memory:` lives as long as the store.
/// `postgres://USER:PASSWORD@HOST/DATABASE` is a server, with the parameters of libpq, such as `sslmode`. What a crash left
/// open stays: a server deals with it when it starts, and an administrator's command beside it must not.
///
/// # Errors
/// [`StoreError::UnsupportedUrl`] for another scheme, [`StoreError::WrongKey`] for another master key,
/// [`StoreError::NewerSchema`] when a newer Koine migrated it, [`StoreError::Unreachable`] when the server does not let us
/// in, [`StoreError::Database`] when a file cannot be opened or migrated.
pub async fn open(url: &str, vault: Vault) -> Result<Arc<dyn Store>, StoreError> {
    let Some((scheme, _)) = url.split_once(':') else {
        return Err(StoreError::UnsupportedUrl { scheme: "(none)".to_owned() });
    };
    match scheme {
        "sqlite" => Ok(Arc::new(SqliteStore::open(url, vault).await?)),
        "postgres" | "postgresql" => Ok(Arc::new(PostgresStore::open(url, vault).await?)),
        _ => Err(StoreError::UnsupportedUrl { scheme: scheme.to_owned() }),
    }
}
