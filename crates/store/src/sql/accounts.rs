//! Integrated accounts. Every statement names the environment: another environment's account does not exist.

use sqlx::{QueryBuilder, Row};
use uuid::Uuid;

use super::{Db, DbConnection, DbRow, SqlStore, begin, events, row};
use crate::time::now;
use crate::vault::{DataKey, Place};
use crate::{Account, AccountChange, AccountFilter, Announce, NewAccount, StoreError};

/// The status of a new account.
const ACTIVE: &str = "active";

pub(super) async fn create(store: &SqlStore, new: NewAccount) -> Result<Account, StoreError> {
    let key = store.data_key(new.environment_id).await?;
    let account = begun(new);
    insert(&mut *store.write.acquire().await?, &account, &key).await?;
    Ok(account)
}

/// A new account, not stored yet.
pub(super) fn begun(new: NewAccount) -> Account {
    let at = now();
    Account {
        id: Uuid::now_v7(),
        environment_id: new.environment_id,
        tenant_id: new.tenant_id,
        connector: new.connector,
        status: ACTIVE.to_owned(),
        authentication_method: new.authentication_method,
        context: new.context,
        last_error: None,
        created_at: at.clone(),
        updated_at: at,
    }
}

pub(super) async fn insert(
    connection: &mut DbConnection,
    account: &Account,
    key: &DataKey,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO accounts (id, environment_id, tenant_id, connector, status, authentication_method,
                               context_sealed, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
    )
    .bind(account.id.to_string())
    .bind(account.environment_id.to_string())
    .bind(&account.tenant_id)
    .bind(&account.connector)
    .bind(&account.status)
    .bind(&account.authentication_method)
    .bind(key.seal_json(place(account.environment_id, account.id), &account.context))
    .bind(&account.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn get(
    store: &SqlStore,
    environment: Uuid,
    id: Uuid,
) -> Result<Option<Account>, StoreError> {
    let key = match store.data_key(environment).await {
        Err(StoreError::NotFound { .. }) => return Ok(None),
        other => other?,
    };
    select(&mut *store.read.acquire().await?, environment, id, &key).await
}

pub(super) async fn select(
    connection: &mut DbConnection,
    environment: Uuid,
    id: Uuid,
    key: &DataKey,
) -> Result<Option<Account>, StoreError> {
    let found = sqlx::query("SELECT * FROM accounts WHERE environment_id = $1 AND id = $2")
        .bind(environment.to_string())
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    found.map(|row| read(&row, key)).transpose()
}

pub(super) async fn list(
    store: &SqlStore,
    environment: Uuid,
    filter: AccountFilter,
    limit: u32,
    after: Option<Uuid>,
) -> Result<Vec<Account>, StoreError> {
    let mut query = QueryBuilder::<Db>::new("SELECT * FROM accounts WHERE environment_id = ");
    query.push_bind(environment.to_string());
    let AccountFilter { tenant_id, connector, status } = filter;
    let wanted = [
        (" AND tenant_id = ", tenant_id),
        (" AND connector = ", connector),
        (" AND status = ", status),
        (" AND id > ", after.map(|id| id.to_string())),
    ];
    for (condition, value) in wanted {
        if let Some(value) = value {
            query.push(condition).push_bind(value);
        }
    }
    query.push(" ORDER BY id LIMIT ").push_bind(i64::from(limit));
    store.opened(environment, query, read).await
}

pub(super) async fn update(
    store: &SqlStore,
    environment: Uuid,
    id: Uuid,
    change: AccountChange,
    announce: Announce<'_>,
) -> Result<Option<Account>, StoreError> {
    let key = match store.data_key(environment).await {
        Err(StoreError::NotFound { .. }) => return Ok(None),
        other => other?,
    };
    let mut transaction = begin(&store.write).await?;
    let changed = change_in(&mut transaction, environment, id, change, &key).await?;
    if let Some(account) = &changed {
        events::record_all(&mut transaction, &key, &announce(account)).await?;
    }
    transaction.commit().await?;
    Ok(changed)
}

pub(super) async fn change_in(
    connection: &mut DbConnection,
    environment: Uuid,
    id: Uuid,
    change: AccountChange,
    key: &DataKey,
) -> Result<Option<Account>, StoreError> {
    let changed = sqlx::query(
        "UPDATE accounts SET context_sealed = COALESCE($3, context_sealed), tenant_id = COALESCE($4, tenant_id),
                             status = COALESCE($5, status),
                             last_error = CASE WHEN $6 THEN $7 ELSE last_error END, updated_at = $8
         WHERE environment_id = $1 AND id = $2 AND COALESCE($9, status) = status RETURNING *",
    )
    .bind(environment.to_string())
    .bind(id.to_string())
    .bind(change.context.as_ref().map(|context| key.seal_json(place(environment, id), context)))
    .bind(change.tenant_id)
    .bind(change.status)
    .bind(change.last_error.is_some())
    .bind(change.last_error.flatten().map(row::without_nul))
    .bind(now())
    .bind(change.only_from)
    .fetch_optional(connection)
    .await?;
    changed.map(|row| read(&row, key)).transpose()
}

pub(super) async fn delete(store: &SqlStore, environment: Uuid, id: Uuid) -> Result<bool, StoreError> {
    remove(&mut *store.write.acquire().await?, environment, id).await
}

pub(super) async fn remove(
    connection: &mut DbConnection,
    environment: Uuid,
    id: Uuid,
) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM accounts WHERE environment_id = $1 AND id = $2")
        .bind(environment.to_string())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

pub(super) fn place(environment: Uuid, row: Uuid) -> Place<'static> {
    Place { environment, row, column: "accounts.context_sealed" }
}

pub(super) fn read(row: &DbRow, key: &DataKey) -> Result<Account, StoreError> {
    let (id, environment_id) = (row::id(row, "id")?, row::id(row, "environment_id")?);
    let sealed: Vec<u8> = row.try_get("context_sealed")?;
    Ok(Account {
        id,
        environment_id,
        tenant_id: row::text(row, "tenant_id")?,
        connector: row::text(row, "connector")?,
        status: row::text(row, "status")?,
        authentication_method: row::text(row, "authentication_method")?,
        context: key.open_json(place(environment_id, id), &sealed)?,
        last_error: row::optional_text(row, "last_error")?,
        created_at: row::text(row, "created_at")?,
        updated_at: row::text(row, "updated_at")?,
    })
}
