//! The PostgreSQL backend: any number of nodes on one database. Transactions see what was committed before each of
//! their statements, so whatever must not change between two of them is locked.

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
pub(crate) use sql::SqlStore as PostgresStore;

use changes::Changes;
pub(crate) use connect::{migrate, migrations};
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

/// The schema that this build makes.
fn schema() -> i64 {
    crate::migrations::newest(&connect::MIGRATIONS)
}

/// The columns of a table, in order.
async fn columns(connection: &mut DbConnection, table: &str) -> Result<Vec<Column>, StoreError> {
    let found: Vec<(String, String)> = sqlx::query_as(
        "SELECT column_name::text, data_type::text FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
    )
    .bind(table.to_owned())
    .fetch_all(connection)
    .await?;
    found
        .into_iter()
        .map(|(name, declared)| match declared.as_str() {
            "text" => Ok(Column { name, kind: Kind::Text }),
            "bigint" => Ok(Column { name, kind: Kind::Number }),
            "boolean" => Ok(Column { name, kind: Kind::Flag }),
            "bytea" => Ok(Column { name, kind: Kind::Bytes }),
            _ => Err(StoreError::corrupt(format!("{table}.{name} is of the type {declared}"))),
        })
        .collect()
}
