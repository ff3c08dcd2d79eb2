//! Environments and their wrapped data keys.

use serde_json::json;
use uuid::Uuid;

use super::audit::Audited;
use super::{DbConnection, DbRow, SqlStore, keys, row};
use crate::time::now;
use crate::vault::Master;
use crate::{Actor, AuditEntry, Environment, StoreError};

pub(super) async fn create(store: &SqlStore, name: &str, by: &Actor) -> Result<Environment, StoreError> {
    for _ in 0..keys::TRIES {
        let master = store.vault.master()?;
        let mut audited = Audited::begin(store).await?;
        if !keys::hold_check(audited.connection(), &master).await? {
            audited.rollback().await?;
            keys::notice(store).await?;
            continue;
        }
        let made = insert(audited.connection(), name, &master).await?;
        let entry = AuditEntry::new(by, Some(made.id), "environment.create", &made.id);
        audited.commit(entry.making(json!({"name": name}))).await?;
        return Ok(made);
    }
    Err(keys::changing())
}

async fn insert(
    connection: &mut DbConnection,
    name: &str,
    master: &Master,
) -> Result<Environment, StoreError> {
    let (id, at) = (Uuid::now_v7(), now());
    sqlx::query(
        "INSERT INTO environments (id, name, data_key_sealed, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)",
    )
    .bind(id.to_string())
    .bind(name.to_owned())
    .bind(master.new_data_key(id))
    .bind(&at)
    .execute(connection)
    .await
    .map_err(|error| row::unique(error, || format!("an environment named '{name}' exists")))?;
    Ok(Environment { id, name: name.to_owned(), created_at: at.clone(), updated_at: at })
}

pub(super) async fn rename(
    store: &SqlStore,
    id: Uuid,
    name: &str,
    by: &Actor,
) -> Result<Option<Environment>, StoreError> {
    let mut audited = Audited::begin(store).await?;
    let before: Option<String> = sqlx::query_scalar("SELECT name FROM environments WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(audited.connection())
        .await?;
    let Some(before) = before else {
        audited.rollback().await?;
        return Ok(None);
    };
    let renamed = sqlx::query("UPDATE environments SET name = $2, updated_at = $3 WHERE id = $1 RETURNING *")
        .bind(id.to_string())
        .bind(name.to_owned())
        .bind(now())
        .fetch_one(audited.connection())
        .await
        .map_err(|error| row::unique(error, || format!("an environment named '{name}' exists")))?;
    let entry = AuditEntry::new(by, Some(id), "environment.rename", &id);
    audited.commit(entry.changing(&json!({"name": before}), &json!({"name": name}))).await?;
    read(&renamed).map(Some)
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
