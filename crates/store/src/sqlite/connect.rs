//! Opening the file: pragmas, pools, migrations.

use std::io;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};

use super::Changes;
use crate::StoreError;
use crate::migrations::{Migration, compare, failed};

/// How long a statement waits for another process's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that only read. SQLite has one writer, so the writing pool has one.
const READERS: u32 = 4;

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// An open database.
pub(super) struct Opened {
    /// One connection: writers queue here, not at SQLite's lock.
    pub(super) write: SqlitePool,
    /// Sees everything that was committed before its statement began.
    pub(super) read: SqlitePool,
    pub(super) changes: Changes,
}

/// The options, and whether the database is only in memory.
fn options(url: &str) -> Result<(SqliteConnectOptions, bool), StoreError> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true);
    Ok((options, url.contains(":memory:") || url.contains("mode=memory")))
}

pub(super) async fn connect(url: &str) -> Result<Opened, StoreError> {
    let (options, in_memory) = options(url)?;
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
    apply(&mut *write.acquire().await?).await?;
    if in_memory {
        return Ok(Opened { read: write.clone(), write, changes: Changes::new(None).await? });
    }
    let options = options.pragma("query_only", "ON");
    // A connection of its own sees whether others write.
    let changes = Changes::new(Some(SqliteConnection::connect_with(&options).await?)).await?;
    let read = SqlitePoolOptions::new().max_connections(READERS).connect_with(options).await?;
    Ok(Opened { write, read, changes })
}

/// All migrations or none, and by one process at a time.
async fn apply(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    MIGRATIONS.run(&mut *transaction).await.map_err(|error| failed(&MIGRATIONS, error))?;
    Ok(transaction.commit().await?)
}

/// As [`crate::migrations`].
pub(crate) async fn migrations(url: &str) -> Result<Vec<Migration>, StoreError> {
    let (options, _) = options(url)?;
    let is_there = options.get_filename().try_exists().map_err(StoreError::database)?;
    if !is_there {
        return Ok(compare(&MIGRATIONS, &[]));
    }
    let mut connection = SqliteConnection::connect_with(&options.create_if_missing(false)).await?;
    let has_any: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations')")
            .fetch_one(&mut connection)
            .await?;
    let applied: Vec<i64> = match has_any {
        true => sqlx::query_scalar("SELECT version FROM _sqlx_migrations").fetch_all(&mut connection).await?,
        false => Vec::new(),
    };
    connection.close().await?;
    Ok(compare(&MIGRATIONS, &applied))
}

/// As [`crate::migrate`].
pub(crate) async fn migrate(url: &str) -> Result<(), StoreError> {
    let (options, in_memory) = options(url)?;
    if !in_memory {
        create_private(options.get_filename()).map_err(StoreError::database)?;
    }
    let mut connection = SqliteConnection::connect_with(&options).await?;
    apply(&mut connection).await?;
    Ok(connection.close().await?)
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
        let refused = sqlx::query("DELETE FROM environments").execute(&pools.read).await;
        assert!(refused.is_err(), "the reading pool took a write");
    }
}
