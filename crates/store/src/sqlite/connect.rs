//! Opening the file: pragmas, pools, migrations, the master key check.

use std::io;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};

use crate::{StoreError, Vault};

/// How long a statement waits for another process's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that only read. SQLite has one writer, so the writing pool has one.
const READERS: u32 = 4;

/// The two pools over one database.
pub(super) struct Pools {
    /// One connection: writers queue here, not at SQLite's lock.
    pub(super) write: SqlitePool,
    /// Sees everything that was committed before its statement began.
    pub(super) read: SqlitePool,
    /// A connection of its own that sees whether others write; `None` in memory.
    pub(super) watch: Option<SqliteConnection>,
}

pub(super) async fn connect(url: &str) -> Result<Pools, StoreError> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true);
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    if !in_memory {
        create_private(options.get_filename()).map_err(StoreError::database)?;
    }
    // An in-memory database dies with its last connection, so that one is never closed.
    let lifetime = (!in_memory).then_some(Duration::from_secs(1800));
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(lifetime)
        .max_lifetime(lifetime)
        .connect_with(options.clone())
        .await?;
    sqlx::migrate!("migrations/sqlite").run(&write).await.map_err(StoreError::database)?;
    if in_memory {
        return Ok(Pools { read: write.clone(), write, watch: None });
    }
    let options = options.pragma("query_only", "ON");
    let watch = Some(SqliteConnection::connect_with(&options).await?);
    let read = SqlitePoolOptions::new().max_connections(READERS).connect_with(options).await?;
    Ok(Pools { write, read, watch })
}

/// Stores the key check in a new database, compares it in an old one.
pub(super) async fn check_master_key(write: &SqlitePool, vault: &Vault) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO vault_check (id, sealed) SELECT 1, ?1
         WHERE NOT EXISTS (SELECT 1 FROM environments) ON CONFLICT (id) DO NOTHING",
    )
    .bind(vault.key_check())
    .execute(write)
    .await?;
    let stored: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT sealed FROM vault_check WHERE id = 1").fetch_optional(write).await?;
    vault.verify_key_check(&stored.ok_or_else(|| StoreError::corrupt("vault_check is empty"))?)
}

/// Creates the file readable by its owner alone; SQLite gives its side files the same mode.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(io::Error::new(error.kind(), format!("cannot create {}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_are_durable_and_readers_only_read() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("koine.db").display());
        let pools = connect(&url).await.unwrap();
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&pools.write).await.unwrap();
        let full: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&pools.write).await.unwrap();
        let keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&pools.write).await.unwrap();
        let busy: i64 = sqlx::query_scalar("PRAGMA busy_timeout").fetch_one(&pools.write).await.unwrap();
        assert_eq!((mode.as_str(), full, keys, busy), ("wal", 2, 1, 10_000));
        let refused = sqlx::query("DELETE FROM audit").execute(&pools.read).await;
        assert!(refused.is_err(), "the reading pool took a write");
    }
}
