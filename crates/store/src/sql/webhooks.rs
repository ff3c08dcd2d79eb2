//! Webhooks: who hears of events. Every statement names the environment; every change is in the audit log, without the
//! path of an address, which may be a capability.

use serde_json::{Value, json};
use sqlx::{QueryBuilder, Row};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::audit::Audited;
use super::{Db, DbConnection, DbRow, SqlStore, row};
use crate::time::now;
use crate::vault::{DataKey, Place};
use crate::{Actor, AuditEntry, NewWebhook, StoreError, Webhook, WebhookChange};

/// Most webhooks of an environment: each event is a row for every one of them, in the transaction of whoever makes it.
const MOST_WEBHOOKS: i64 = 100;

pub(super) async fn create(
    store: &SqlStore,
    new: NewWebhook,
    by: &Actor,
) -> Result<(Webhook, Zeroizing<String>), StoreError> {
    let key = store.data_key(new.environment_id).await?;
    let at = now();
    let webhook = Webhook {
        id: Uuid::now_v7(),
        environment_id: new.environment_id,
        target_url: new.target_url,
        event_types: new.event_types,
        is_active: new.is_active,
        failing_since: None,
        disabled_at: None,
        created_at: at.clone(),
        updated_at: at,
    };
    // 122 random bits.
    let secret = Zeroizing::new(Uuid::new_v4().to_string());
    let mut audited = Audited::begin(store).await?;
    let there: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM webhooks WHERE environment_id = $1")
        .bind(webhook.environment_id.to_string())
        .fetch_one(audited.connection())
        .await?;
    if there >= MOST_WEBHOOKS {
        audited.rollback().await?;
        return Err(StoreError::conflict(format!("an environment has at most {MOST_WEBHOOKS} webhooks")));
    }
    sqlx::query(
        "INSERT INTO webhooks (id, environment_id, target_sealed, secret_sealed, event_types, is_active, failures,
                               served_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, '', $7, $7)",
    )
    .bind(webhook.id.to_string())
    .bind(webhook.environment_id.to_string())
    .bind(key.seal(target_place(webhook.environment_id, webhook.id), webhook.target_url.as_bytes()))
    .bind(key.seal(secret_place(webhook.environment_id, webhook.id), secret.as_bytes()))
    .bind(types(webhook.event_types.as_deref()))
    .bind(webhook.is_active)
    .bind(&webhook.created_at)
    .execute(audited.connection())
    .await?;
    audited.commit(entry(by, "webhook.create", &webhook).making(state(&webhook))).await?;
    Ok((webhook, secret))
}

pub(super) async fn get(
    store: &SqlStore,
    environment: Uuid,
    id: Uuid,
) -> Result<Option<Webhook>, StoreError> {
    let found = select(&mut *store.read.acquire().await?, environment, id).await?;
    let Some(row) = found else { return Ok(None) };
    read(&row, &*store.data_key(environment).await?).map(Some)
}

pub(super) async fn list(
    store: &SqlStore,
    environment: Uuid,
    is_active: Option<bool>,
    limit: u32,
    after: Option<Uuid>,
) -> Result<Vec<Webhook>, StoreError> {
    let mut query = QueryBuilder::<Db>::new("SELECT * FROM webhooks WHERE environment_id = ");
    query.push_bind(environment.to_string());
    if let Some(is_active) = is_active {
        query.push(" AND is_active = ").push_bind(is_active);
    }
    if let Some(after) = after {
        query.push(" AND id > ").push_bind(after.to_string());
    }
    query.push(" ORDER BY id LIMIT ").push_bind(i64::from(limit));
    store.opened(environment, query, read).await
}

pub(super) async fn update(
    store: &SqlStore,
    environment: Uuid,
    id: Uuid,
    change: WebhookChange,
    by: &Actor,
) -> Result<Option<Webhook>, StoreError> {
    let key = match store.data_key(environment).await {
        Err(StoreError::NotFound { .. }) => return Ok(None),
        other => other?,
    };
    let mut audited = Audited::begin(store).await?;
    let Some(before) = select(audited.connection(), environment, id).await? else {
        audited.rollback().await?;
        return Ok(None);
    };
    let before = read(&before, &key)?;
    let moved = change.target_url.as_ref().is_some_and(|url| *url != before.target_url);
    let sealed = change.target_url.map(|url| key.seal(target_place(environment, id), url.as_bytes()));
    let changed = sqlx::query(
        "UPDATE webhooks SET target_sealed = COALESCE($3, target_sealed),
                             event_types = CASE WHEN $4 THEN $5 ELSE event_types END,
                             is_active = COALESCE($6, is_active),
                             failing_since = CASE WHEN $7 THEN NULL ELSE failing_since END,
                             failures = CASE WHEN $7 THEN 0 ELSE failures END,
                             lease_until = CASE WHEN $7 AND lease IS NULL THEN NULL ELSE lease_until END,
                             disabled_at = CASE WHEN $7 THEN NULL ELSE disabled_at END, updated_at = $8
         WHERE environment_id = $1 AND id = $2 RETURNING *",
    )
    .bind(environment.to_string())
    .bind(id.to_string())
    .bind(sealed)
    .bind(change.event_types.is_some())
    .bind(change.event_types.flatten().and_then(|wanted| types(Some(&wanted))))
    .bind(change.is_active)
    .bind(change.is_active == Some(true))
    .bind(now())
    .fetch_one(audited.connection())
    .await?;
    match change.is_active {
        Some(true) => super::deliveries::resume(audited.connection(), id).await?,
        Some(false) => super::deliveries::hold(audited.connection(), id).await?,
        None => {}
    }
    let after = read(&changed, &key)?;
    let mut told = state(&after);
    if moved {
        told["target_changed"] = json!(true);
    }
    audited.commit(entry(by, "webhook.update", &after).changing(&state(&before), &told)).await?;
    Ok(Some(after))
}

async fn select(
    connection: &mut DbConnection,
    environment: Uuid,
    id: Uuid,
) -> Result<Option<DbRow>, StoreError> {
    let query = sqlx::query("SELECT * FROM webhooks WHERE environment_id = $1 AND id = $2")
        .bind(environment.to_string())
        .bind(id.to_string());
    Ok(query.fetch_optional(connection).await?)
}

pub(super) async fn delete(
    store: &SqlStore,
    environment: Uuid,
    id: Uuid,
    by: &Actor,
) -> Result<bool, StoreError> {
    // One that cannot be opened any more can still be deleted, but not described.
    let known = get(store, environment, id).await.ok().flatten();
    let mut audited = Audited::begin(store).await?;
    let done = sqlx::query("DELETE FROM webhooks WHERE environment_id = $1 AND id = $2")
        .bind(environment.to_string())
        .bind(id.to_string())
        .execute(audited.connection())
        .await?;
    if done.rows_affected() == 0 {
        audited.rollback().await?;
        return Ok(false);
    }
    let mut entry = AuditEntry::new(by, Some(environment), "webhook.delete", &id);
    entry.before = known.as_ref().map(state);
    audited.commit(entry).await?;
    Ok(true)
}

fn entry(by: &Actor, action: &str, webhook: &Webhook) -> AuditEntry {
    AuditEntry::new(by, Some(webhook.environment_id), action, &webhook.id)
}

/// What the audit log tells of a webhook: of its address, where it leads and not its path.
fn state(webhook: &Webhook) -> Value {
    let after_scheme = webhook.target_url.find("://").map_or(0, |at| at + 3);
    let end = webhook.target_url[after_scheme..].find(['/', '?', '#']).map(|at| after_scheme + at);
    let origin = &webhook.target_url[..end.unwrap_or(webhook.target_url.len())];
    json!({"target": origin, "event_types": webhook.event_types, "is_active": webhook.is_active})
}

/// The address and the signing secret.
pub(super) fn secrets(row: &DbRow, key: &DataKey) -> Result<(String, Zeroizing<String>), StoreError> {
    let (id, environment) = (row::id(row, "id")?, row::id(row, "environment_id")?);
    let secret = opened(row, key, "secret_sealed", secret_place(environment, id))?;
    let target = opened(row, key, "target_sealed", target_place(environment, id))?;
    Ok((target.to_string(), secret))
}

fn opened(
    row: &DbRow,
    key: &DataKey,
    column: &str,
    place: Place<'_>,
) -> Result<Zeroizing<String>, StoreError> {
    let sealed: Vec<u8> = row.try_get(column)?;
    let plain = key.open(place, &sealed)?;
    let text = std::str::from_utf8(&plain).map_err(|_| StoreError::corrupt(format!("webhooks.{column}")))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn types(wanted: Option<&[String]>) -> Option<String> {
    wanted.map(|wanted| serde_json::json!(wanted).to_string())
}

fn target_place(environment: Uuid, row: Uuid) -> Place<'static> {
    Place { environment, row, column: "webhooks.target_sealed" }
}

fn secret_place(environment: Uuid, row: Uuid) -> Place<'static> {
    Place { environment, row, column: "webhooks.secret_sealed" }
}

pub(super) fn read(row: &DbRow, key: &DataKey) -> Result<Webhook, StoreError> {
    let (id, environment_id) = (row::id(row, "id")?, row::id(row, "environment_id")?);
    let event_types = row::optional_text(row, "event_types")?
        .map(|json| serde_json::from_str(&json).map_err(|_| StoreError::corrupt("webhooks.event_types")))
        .transpose()?;
    Ok(Webhook {
        id,
        environment_id,
        target_url: opened(row, key, "target_sealed", target_place(environment_id, id))?.to_string(),
        event_types,
        is_active: row.try_get("is_active")?,
        failing_since: row::optional_text(row, "failing_since")?,
        disabled_at: row::optional_text(row, "disabled_at")?,
        created_at: row::text(row, "created_at")?,
        updated_at: row::text(row, "updated_at")?,
    })
}
