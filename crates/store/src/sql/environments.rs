//! Environments and their wrapped data keys.

use uuid::Uuid;

use super::{DbRow, SqlStore, row};
use crate::time::now;
use crate::{Environment, StoreError};

pub(super) async fn create(store: &SqlStore, name: &str) -> Result<Environment, StoreError> {
    let (id, at) = (Uuid::now_v7(), now());
    sqlx::query(
        "INSERT INTO environments (id, name, data_key_sealed, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)",
    )
    .bind(id.to_string())
    .bind(name)
    .bind(store.vault.new_data_key(id))
    .bind(&at)
    .execute(&store.write)
    .await
    .map_err(|error| row::unique(error, || format!("an environment named '{name}' exists")))?;
    Ok(Environment { id, name: name.to_owned(), created_at: at.clone(), updated_at: at })
}

pub(super) async fn list(store: &SqlStore) -> Result<Vec<Environment>, StoreError> {
    let rows = sqlx::query("SELECT * FROM environments ORDER BY id").fetch_all(&store.read).await?;
    rows.iter().map(read).collect()
}

pub(super) async fn get(store: &SqlStore, id: Uuid) -> Result<Option<Environment>, StoreError> {
    let query = sqlx::query("SELECT * FROM environments WHERE id = $1").bind(id.to_string());
    query.fetch_optional(&store.read).await?.as_ref().map(read).transpose()
}

pub(super) async fn find(store: &SqlStore, name: &str) -> Result<Option<Environment>, StoreError> {
    let query = sqlx::query("SELECT * FROM environments WHERE name = $1").bind(name.to_owned());
    query.fetch_optional(&store.read).await?.as_ref().map(read).transpose()
}

fn read(row: &DbRow) -> Result<Environment, StoreError> {
    Ok(Environment {
        id: row::id(row, "id")?,
        name: row::text(row, "name")?,
        created_at: row::text(row, "created_at")?,
        updated_at: row::text(row, "updated_at")?,
    })
}
