//! The PostgreSQL backend: any number of nodes on one database. Transactions see what was committed before each of
//! their statements, so whatever must not change between two of them is locked.

mod changes;
mod connect;
#[expect(clippy::duplicate_mod, reason = "one source, compiled for each database")]
#[path = "../sql/mod.rs"]
mod sql;

use sqlx::{Pool, Transaction};
use uuid::Uuid;

use crate::StoreError;

pub(crate) use sql::SqlStore as PostgresStore;

use changes::Changes;
type Db = sqlx::Postgres;
type DbRow = sqlx::postgres::PgRow;
type DbConnection = sqlx::PgConnection;

/// A transaction that writes.
async fn begin(pool: &Pool<Db>) -> Result<Transaction<'static, Db>, StoreError> {
    Ok(pool.begin().await?)
}

/// A transaction whose statements all see the same state.
async fn begin_reading(pool: &Pool<Db>) -> Result<Transaction<'static, Db>, StoreError> {
    Ok(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
}

/// Keeps others from finishing or releasing a call, and from recording an intent of it, until the transaction ends.
async fn lock_call(transaction: &mut DbConnection, call: Uuid) -> Result<(), StoreError> {
    sqlx::query("SELECT 1 FROM calls WHERE id = $1 FOR NO KEY UPDATE")
        .bind(call.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}
