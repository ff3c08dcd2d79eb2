//! What became of deliveries, and sending them again.

use std::collections::HashMap;

use serde_json::json;
use sqlx::{QueryBuilder, Row};
use uuid::Uuid;

use super::audit::Audited;
use super::{Db, DbRow, SqlStore, deliveries, row};
use crate::time::{normalise, now};
use crate::vault::DataKey;
use crate::{Actor, Attempt, AuditEntry, Delivery, DeliveryFilter, Replay, StoreError};

pub(super) async fn list(
    store: &SqlStore,
    environment: Uuid,
    filter: DeliveryFilter,
    limit: u32,
    before: Option<Uuid>,
) -> Result<Vec<Delivery>, StoreError> {
    let time = |field: &str, text: Option<String>| text.map(|text| normalise(field, &text)).transpose();
    let mut query = QueryBuilder::<Db>::new(
        "SELECT deliveries.*, events.event FROM deliveries JOIN events ON events.id = deliveries.event_id
         WHERE deliveries.environment_id = ",
    );
    query.push_bind(environment.to_string());
    let wanted = [
        (" AND deliveries.webhook_id = ", filter.webhook_id.map(|id| id.to_string())),
        (" AND events.event = ", filter.event),
        (" AND deliveries.status = ", filter.status),
        (" AND deliveries.created_at > ", time("after", filter.after)?),
        (" AND deliveries.created_at < ", time("until", filter.until)?),
        (" AND deliveries.id < ", before.map(|id| id.to_string())),
    ];
    for (condition, value) in wanted {
        if let Some(value) = value {
            query.push(condition).push_bind(value);
        }
    }
    query.push(" ORDER BY deliveries.id DESC LIMIT ").push_bind(i64::from(limit));
    let rows = query.build().fetch_all(&store.read).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let key = store.data_key(environment).await?;
    let ids: Vec<String> = rows.iter().map(|row| row::text(row, "id")).collect::<Result<_, _>>()?;
    let mut attempts = attempts(store, &key, environment, &ids).await?;
    rows.iter().map(|row| read(row, &mut attempts)).collect()
}

async fn attempts(
    store: &SqlStore,
    key: &DataKey,
    environment: Uuid,
    deliveries: &[String],
) -> Result<HashMap<Uuid, Vec<(Attempt, String)>>, StoreError> {
    let mut query = QueryBuilder::<Db>::new("SELECT * FROM delivery_attempts WHERE delivery_id IN (");
    let mut ids = query.separated(", ");
    for id in deliveries {
        ids.push_bind(id);
    }
    query.push(") ORDER BY delivery_id, number");
    let mut found: HashMap<Uuid, Vec<(Attempt, String)>> = HashMap::new();
    for row in query.build().fetch_all(&store.read).await? {
        let delivery = row::id(&row, "delivery_id")?;
        let attempt = attempt(&row, key, environment, delivery)?;
        found.entry(delivery).or_default().push((attempt, row::text(&row, "ended_at")?));
    }
    Ok(found)
}

fn attempt(row: &DbRow, key: &DataKey, environment: Uuid, delivery: Uuid) -> Result<Attempt, StoreError> {
    let answer: Option<Vec<u8>> = row.try_get("answer_sealed")?;
    let open = |sealed: Vec<u8>| {
        let plain = key.open(deliveries::answer_place(environment, delivery), &sealed)?;
        Ok::<_, StoreError>(String::from_utf8_lossy(&plain).into_owned())
    };
    Ok(Attempt {
        http_status: row::optional_number(row, "http_status")?,
        error: row::optional_text(row, "error")?,
        duration_ms: row::number(row, "duration_ms")?,
        answer: answer.map(open).transpose()?,
    })
}

fn read(row: &DbRow, attempts: &mut HashMap<Uuid, Vec<(Attempt, String)>>) -> Result<Delivery, StoreError> {
    let id = row::id(row, "id")?;
    Ok(Delivery {
        id,
        webhook_id: row::id(row, "webhook_id")?,
        event_id: row::id(row, "event_id")?,
        event: row::text(row, "event")?,
        status: row::text(row, "status")?,
        next_at: row::optional_text(row, "next_at")?,
        created_at: row::text(row, "created_at")?,
        finished_at: row::optional_text(row, "finished_at")?,
        attempts: attempts.remove(&id).unwrap_or_default(),
    })
}

/// Queues again, from the first attempt on. What is queued already stays so: it is not sent twice.
pub(super) async fn replay(
    store: &SqlStore,
    environment: Uuid,
    webhook: Uuid,
    what: Replay,
    by: &Actor,
) -> Result<u64, StoreError> {
    let mut query = QueryBuilder::<Db>::new("UPDATE deliveries SET next_at = ");
    query.push_bind(now());
    query.push(", status = 'pending', retries = 0, finished_at = NULL WHERE environment_id = ");
    query.push_bind(environment.to_string());
    query.push(" AND webhook_id = ").push_bind(webhook.to_string());
    match what {
        Replay::One(id) => query.push(" AND next_at IS NULL AND id = ").push_bind(id.to_string()),
        Replay::FailedSince(since) => {
            query.push(" AND status = 'failed' AND created_at >= ").push_bind(normalise("since", &since)?)
        }
    };
    // A webhook that is off gets nothing: its deliveries would wait where nobody looks for them.
    query.push(" AND EXISTS (SELECT 1 FROM webhooks WHERE id = deliveries.webhook_id AND is_active)");
    let mut audited = Audited::begin(store).await?;
    let queued = query.build().execute(audited.connection()).await?.rows_affected();
    let entry = AuditEntry::new(by, Some(environment), "webhook.replay", &webhook);
    audited.commit(entry.making(json!({"deliveries": queued}))).await?;
    Ok(queued)
}
