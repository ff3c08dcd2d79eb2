//! The SQLite backend: one writing connection, several reading ones, WAL with `synchronous = FULL`.

mod changes;
mod connect;
mod inspect;
#[expect(clippy::duplicate_mod, reason = "one source, compiled for each database")]
#[path = "../sql/mod.rs"]
mod sql;

use sqlx::{Pool, Transaction};
use uuid::Uuid;

use crate::StoreError;
use crate::export::{Column, Kind};

pub(crate) use inspect::inspect;
pub(crate) use sql::SqlStore as SqliteStore;

use changes::Changes;
pub(crate) use connect::{migrate, migrations};
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

/// The schema that this build makes.
fn schema() -> i64 {
    crate::migrations::newest(&connect::MIGRATIONS)
}

/// The columns of a table, in order.
async fn columns(connection: &mut DbConnection, table: &str) -> Result<Vec<Column>, StoreError> {
    let found: Vec<(String, String)> =
        sqlx::query_as("SELECT name, type FROM pragma_table_info($1) ORDER BY cid")
            .bind(table.to_owned())
            .fetch_all(connection)
            .await?;
    found
        .into_iter()
        .map(|(name, declared)| match declared.as_str() {
            "TEXT" => Ok(Column { name, kind: Kind::Text }),
            "INTEGER" => Ok(Column { name, kind: Kind::Number }),
            "BLOB" => Ok(Column { name, kind: Kind::Bytes }),
            _ => Err(StoreError::corrupt(format!("{table}.{name} is of the type {declared}"))),
        })
        .collect()
}
