//! Deliveries: taken under a lease on their webhook, recorded attempt by attempt.

use std::time::Duration;

use sqlx::Row;
use uuid::Uuid;

use super::{DbConnection, DbRow, SqlStore, begin, events, row, webhooks};
use crate::time::{ago, now, now_and, until};
use crate::vault::{DataKey, Place};
use crate::{Attempt, DueDelivery, NewEvent, Next, Recorded, StoreError, Verdict};

/// What the other webhooks of the environment hear when one is turned off.
const DISABLED: &str = "webhook:disabled";

pub(super) async fn claim(
    store: &SqlStore,
    limit: u32,
    time: Duration,
) -> Result<Vec<DueDelivery>, StoreError> {
    let lease = Uuid::new_v4();
    // The free ones are looked for twice: what another node took between the two is locked, and no longer free.
    let taken = sqlx::query(
        "UPDATE webhooks SET lease = $1, lease_until = $2, served_at = $3
         WHERE id IN (SELECT id FROM webhooks
                      WHERE id IN (SELECT webhook_id FROM deliveries WHERE next_at <= $3)
                        AND is_active AND (lease_until IS NULL OR lease_until <= $3)
                      ORDER BY served_at, id LIMIT $4)
           AND (lease_until IS NULL OR lease_until <= $3)
         RETURNING *",
    )
    .bind(lease.to_string())
    .bind(now_and(time))
    .bind(now())
    .bind(i64::from(limit))
    .fetch_all(&store.write)
    .await?;
    let mut due = Vec::with_capacity(taken.len());
    for webhook in &taken {
        match oldest(store, webhook, lease).await {
            Ok(Some(delivery)) => due.push(delivery),
            Ok(None) => release(store, &row::text(webhook, "id")?, lease).await?,
            // One webhook that cannot be read keeps nobody else waiting; its lease keeps it from being tried at once.
            Err(error) => tracing::error!(%error, "a due delivery cannot be read"),
        }
    }
    Ok(due)
}

/// The delivery that has been due for longest, of a webhook that is ours.
async fn oldest(store: &SqlStore, webhook: &DbRow, lease: Uuid) -> Result<Option<DueDelivery>, StoreError> {
    let found = sqlx::query(
        "SELECT deliveries.id, deliveries.event_id, deliveries.attempts, deliveries.retries,
                events.event, events.payload_sealed, events.created_at
         FROM deliveries JOIN events ON events.id = deliveries.event_id
         WHERE deliveries.webhook_id = $1 AND deliveries.next_at <= $2
         ORDER BY deliveries.next_at, deliveries.id LIMIT 1",
    )
    .bind(row::text(webhook, "id")?)
    .bind(now())
    .fetch_optional(&store.read)
    .await?;
    let Some(found) = found else { return Ok(None) };
    let environment_id = row::id(webhook, "environment_id")?;
    let key = store.data_key(environment_id).await?;
    let (target_url, secret) = webhooks::secrets(webhook, &key)?;
    let event_id = row::id(&found, "event_id")?;
    let payload: Vec<u8> = found.try_get("payload_sealed")?;
    Ok(Some(DueDelivery {
        id: row::id(&found, "id")?,
        lease: Some(lease),
        webhook_id: row::id(webhook, "id")?,
        environment_id,
        target_url,
        secret,
        event_id,
        event: row::text(&found, "event")?,
        payload: key.open_json(events::place(environment_id, event_id), &payload)?,
        created_at: row::text(&found, "created_at")?,
        attempts: row::number(&found, "attempts")?,
        retries: row::number(&found, "retries")?,
        failures: row::number(webhook, "failures")?,
    }))
}

async fn release(store: &SqlStore, webhook: &str, lease: Uuid) -> Result<(), StoreError> {
    sqlx::query("UPDATE webhooks SET lease = NULL, lease_until = NULL WHERE id = $1 AND lease = $2")
        .bind(webhook)
        .bind(lease.to_string())
        .execute(&store.write)
        .await?;
    Ok(())
}

pub(super) async fn next(store: &SqlStore) -> Result<Option<Duration>, StoreError> {
    let next: Option<String> =
        sqlx::query_scalar("SELECT MIN(next_at) FROM deliveries WHERE next_at IS NOT NULL")
            .fetch_one(&store.read)
            .await?;
    next.map(|at| until(&at)).transpose()
}

pub(super) async fn single(
    store: &SqlStore,
    webhook_id: Uuid,
    event: NewEvent,
) -> Result<Option<DueDelivery>, StoreError> {
    let environment_id = event.environment_id;
    let key = match store.data_key(environment_id).await {
        Err(StoreError::NotFound { .. }) => return Ok(None),
        other => other?,
    };
    let mut transaction = begin(&store.write).await?;
    let webhook = sqlx::query("SELECT * FROM webhooks WHERE environment_id = $1 AND id = $2")
        .bind(environment_id.to_string())
        .bind(webhook_id.to_string())
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(webhook) = webhook else { return Ok(None) };
    let created_at = now();
    let event_id = events::insert(&mut transaction, &key, &event, &created_at).await?;
    let id = events::queue(&mut transaction, &webhook_id.to_string(), environment_id, event_id, None).await?;
    transaction.commit().await?;
    let (target_url, secret) = webhooks::secrets(&webhook, &key)?;
    Ok(Some(DueDelivery {
        id,
        lease: None,
        webhook_id,
        environment_id,
        target_url,
        secret,
        event_id,
        event: event.event,
        payload: event.payload,
        created_at,
        attempts: 0,
        retries: 0,
        failures: 0,
    }))
}

pub(super) async fn finish(
    store: &SqlStore,
    due: &DueDelivery,
    attempt: Attempt,
    verdict: Verdict,
) -> Result<Recorded, StoreError> {
    let key = store.data_key(due.environment_id).await?;
    let mut transaction = begin(&store.write).await?;
    // The webhook's row first, in every transaction: so two nodes wait for each other instead of locking crosswise.
    let Some(webhook) = give_back(&mut transaction, due, verdict).await? else { return Ok(Recorded::Outrun) };
    let is_active: bool = webhook.try_get("is_active")?;
    if !settle(&mut transaction, due, verdict.next, is_active).await? {
        // Commits: the webhook is given back whoever was faster.
        transaction.commit().await?;
        return Ok(Recorded::Outrun);
    }
    log(&mut transaction, &key, due, attempt).await?;
    let failing_since = row::optional_text(&webhook, "failing_since")?;
    let failed = verdict.next != Next::Done && due.lease.is_some();
    let dead = failed && is_active && failing_since.is_some_and(|since| since <= ago(verdict.patience));
    if dead {
        disable(&mut transaction, &key, due).await?;
    }
    transaction.commit().await?;
    Ok(if dead { Recorded::Disabled } else { Recorded::Delivery })
}

/// Ends the lease, if it is still ours, or turns it into a rest, and notes how the webhook fares.
async fn give_back(
    transaction: &mut DbConnection,
    due: &DueDelivery,
    verdict: Verdict,
) -> Result<Option<DbRow>, StoreError> {
    let done = verdict.next == Next::Done;
    let query = sqlx::query(
        "UPDATE webhooks SET lease_until = CASE WHEN lease = $2 THEN $6 ELSE lease_until END,
                             lease = CASE WHEN lease = $2 THEN NULL ELSE lease END,
                             failures = CASE WHEN $3 THEN failures WHEN $4 THEN 0 ELSE failures + 1 END,
                             failing_since = CASE WHEN $3 THEN failing_since WHEN $4 THEN NULL
                                                  ELSE COALESCE(failing_since, $5) END
         WHERE id = $1 RETURNING *",
    )
    .bind(due.webhook_id.to_string())
    .bind(due.lease.map(|lease| lease.to_string()))
    .bind(due.lease.is_none())
    .bind(done)
    .bind(now())
    .bind((!done).then(|| now_and(verdict.rest)));
    Ok(query.fetch_optional(transaction).await?)
}

/// The delivery's new state; `false` when it is gone or somebody else has recorded an attempt meanwhile.
async fn settle(
    transaction: &mut DbConnection,
    due: &DueDelivery,
    next: Next,
    is_active: bool,
) -> Result<bool, StoreError> {
    let (status, next_at) = match next {
        Next::Done => ("delivered", None),
        Next::GiveUp => ("failed", None),
        Next::Again(_) if !is_active => ("held", None),
        Next::Again(pause) => ("pending", Some(now_and(pause))),
    };
    let done = sqlx::query(
        "UPDATE deliveries SET status = $3, next_at = $4, attempts = attempts + 1, retries = retries + 1,
                               finished_at = $5
         WHERE id = $1 AND attempts = $2",
    )
    .bind(due.id.to_string())
    .bind(i64::from(due.attempts))
    .bind(status)
    .bind(next_at)
    .bind(matches!(next, Next::Done | Next::GiveUp).then(now))
    .execute(transaction)
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn log(
    transaction: &mut DbConnection,
    key: &DataKey,
    due: &DueDelivery,
    attempt: Attempt,
) -> Result<(), StoreError> {
    let place = answer_place(due.environment_id, due.id);
    sqlx::query(
        "INSERT INTO delivery_attempts (delivery_id, number, http_status, error, duration_ms, answer_sealed, ended_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(due.id.to_string())
    .bind(i64::from(due.attempts) + 1)
    .bind(attempt.http_status.map(i64::from))
    .bind(attempt.error.map(row::without_nul))
    .bind(i64::from(attempt.duration_ms))
    .bind(attempt.answer.map(|answer| key.seal(place, answer.as_bytes())))
    .bind(now())
    .execute(transaction)
    .await?;
    Ok(())
}

/// Turns a webhook off that nothing reaches, and tells the others.
async fn disable(transaction: &mut DbConnection, key: &DataKey, due: &DueDelivery) -> Result<(), StoreError> {
    let at = now();
    sqlx::query("UPDATE webhooks SET is_active = $2, disabled_at = $3, updated_at = $3 WHERE id = $1")
        .bind(due.webhook_id.to_string())
        .bind(false)
        .bind(&at)
        .execute(&mut *transaction)
        .await?;
    hold(transaction, due.webhook_id).await?;
    let payload = serde_json::json!({"id": due.webhook_id, "is_active": false, "disabled_at": at});
    let event = NewEvent { environment_id: due.environment_id, event: DISABLED.to_owned(), payload };
    events::record(transaction, key, &event).await?;
    Ok(())
}

/// Keeps what is queued for a webhook that is off.
pub(super) async fn hold(transaction: &mut DbConnection, webhook: Uuid) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET status = 'held', next_at = NULL WHERE webhook_id = $1 AND next_at IS NOT NULL",
    )
    .bind(webhook.to_string())
    .execute(transaction)
    .await?;
    Ok(())
}

/// Queues what was held, from the first attempt on.
pub(super) async fn resume(transaction: &mut DbConnection, webhook: Uuid) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET status = 'pending', next_at = $2, retries = 0
         WHERE webhook_id = $1 AND status = 'held'",
    )
    .bind(webhook.to_string())
    .bind(now())
    .execute(transaction)
    .await?;
    Ok(())
}

pub(super) fn answer_place(environment: Uuid, row: Uuid) -> Place<'static> {
    Place { environment, row, column: "delivery_attempts.answer_sealed" }
}
