//! From a URL to a store.

use std::sync::Arc;

use crate::postgres::{self, PostgresStore};
use crate::sqlite::{self, SqliteStore};
use crate::{Migration, Store, StoreError, Vault};

/// The databases that there are.
enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    fn of(url: &str) -> Result<Self, StoreError> {
        let scheme = url.split_once(':').map_or("(none)", |(scheme, _)| scheme);
        match scheme {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" | "postgresql" => Ok(Self::Postgres),
            _ => Err(StoreError::UnsupportedUrl { scheme: scheme.to_owned() }),
        }
    }
}

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
    match Backend::of(url)? {
        Backend::Sqlite => Ok(Arc::new(SqliteStore::open(url, vault).await?)),
        Backend::Postgres => Ok(Arc::new(PostgresStore::open(url, vault).await?)),
    }
}

/// The steps of the schema, and which of them the database at `url` has. Changes nothing.
///
/// # Errors
/// As [`open`], and a schema that is too new is none.
pub async fn migrations(url: &str) -> Result<Vec<Migration>, StoreError> {
    match Backend::of(url)? {
        Backend::Sqlite => sqlite::migrations(url).await,
        Backend::Postgres => postgres::migrations(url).await,
    }
}

/// Brings the database at `url` to this build's schema, as [`open`] does, without the master key.
///
/// # Errors
/// As [`open`].
pub async fn migrate(url: &str) -> Result<(), StoreError> {
    match Backend::of(url)? {
        Backend::Sqlite => sqlite::migrate(url).await,
        Backend::Postgres => postgres::migrate(url).await,
    }
}
