//! The SQLite backend: one writing connection, several reading ones, WAL with `synchronous = FULL`.

mod changes;
mod connect;
#[expect(clippy::duplicate_mod, reason = "one source, compiled for each database")]
#[path = "../sql/mod.rs"]
mod sql;

use sqlx::{Pool, Transaction};
use uuid::Uuid;

use crate::StoreError;

pub(crate) use sql::SqlStore as SqliteStore;

use changes::Changes;
type Db = sqlx::Sqlite;
type DbRow = sqlx::sqlite::SqliteRow;
type DbConnection = sqlx::SqliteConnection;

/// A transaction that writes: it takes SQLite's one write lock before its first look, so what it sees stays.
async fn begin(pool: &Pool<Db>) -> Result<Transaction<'static, Db>, StoreError> {
    Ok(pool.begin_with("BEGIN IMMEDIATE").await?)
}

/// A transaction whose statements all see the same state.
async fn begin_reading(pool: &Pool<Db>) -> Result<Transaction<'static, Db>, StoreError> {
    Ok(pool.begin().await?)
}

/// Nobody else writes during a transaction: there is nothing to lock.
async fn lock_call(_transaction: &mut DbConnection, _call: Uuid) -> Result<(), StoreError> {
    Ok(())
}
