//! What the journal tells afterwards.

use std::collections::HashMap;

use sqlx::Row;
use uuid::Uuid;

use super::journal::{request_place, target_column};
use super::{DbRow, SqlStore, begin_reading, row};
use crate::time::now;
use crate::vault::Place;
use crate::{CallRow, ExchangeRow, OpenIntent, StoreError};

pub(super) async fn open_intents(store: &SqlStore) -> Result<Vec<OpenIntent>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT calls.*, first.step AS first_step, first.target_sealed
         FROM calls LEFT JOIN intents AS first ON first.call_id = calls.id AND first.seq =
              (SELECT MIN(seq) FROM intents WHERE call_id = calls.id AND target_sealed IS NOT NULL)
         WHERE ",
        abandoned!("$1"),
        " AND EXISTS (SELECT 1 FROM intents WHERE call_id = calls.id)
         ORDER BY started_at, id",
    ))
    .bind(now())
    .fetch_all(&store.read)
    .await?;
    let mut intents = Vec::with_capacity(rows.len());
    for row in &rows {
        intents.push(open_intent(store, row).await?);
    }
    Ok(intents)
}

async fn open_intent(store: &SqlStore, row: &DbRow) -> Result<OpenIntent, StoreError> {
    let (call_id, environment_id) = (row::id(row, "id")?, row::id(row, "environment_id")?);
    let key = store.data_key(environment_id).await?;
    let request: Vec<u8> = row.try_get("request_sealed")?;
    let target = match row::optional_text(row, "first_step")? {
        None => None,
        Some(step) => {
            let place = Place { environment: environment_id, row: call_id, column: &target_column(&step) };
            Some(key.open_json(place, row.try_get("target_sealed")?)?)
        }
    };
    Ok(OpenIntent {
        call_id,
        environment_id,
        account_id: row::id(row, "account_id")?,
        model: row::text(row, "model")?,
        resource: row::text(row, "resource")?,
        method: row::text(row, "method")?,
        target_id: row::optional_text(row, "target_id")?,
        request: key.open_json(request_place(environment_id, call_id), &request)?,
        target,
        started_at: row::text(row, "started_at")?,
    })
}

pub(super) async fn was_attempted(
    store: &SqlStore,
    environment: Uuid,
    account: Uuid,
    model: &str,
    resource: &str,
    target: &str,
) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT 1 FROM calls
             WHERE environment_id = $1 AND account_id = $2 AND model = $3 AND resource = $4 AND target_id = $5
               AND (outcome IN ('removed', 'already_gone', 'deactivated', 'reactivated', 'pending', 'uncertain')
                    OR (finished_at IS NULL OR outcome = 'refused')
                       AND EXISTS (SELECT 1 FROM intents WHERE call_id = calls.id)))",
    )
    .bind(environment.to_string())
    .bind(account.to_string())
    .bind(model.to_owned())
    .bind(resource.to_owned())
    .bind(target.to_owned())
    .fetch_one(&store.read)
    .await?;
    Ok(found)
}

pub(super) async fn call(
    store: &SqlStore,
    environment: Uuid,
    id: Uuid,
) -> Result<Option<CallRow>, StoreError> {
    let found = sqlx::query("SELECT * FROM calls WHERE environment_id = $1 AND id = $2")
        .bind(environment.to_string())
        .bind(id.to_string())
        .fetch_optional(&store.read)
        .await?;
    let Some(found) = found else { return Ok(None) };
    let exchanges = sqlx::query("SELECT * FROM exchanges WHERE call_id = $1 ORDER BY seq")
        .bind(id.to_string())
        .fetch_all(&store.read)
        .await?;
    let exchanges = exchanges.iter().map(exchange).collect::<Result<_, _>>()?;
    call_row(&found, exchanges).map(Some)
}

pub(super) async fn list(
    store: &SqlStore,
    environment: Uuid,
    limit: u32,
) -> Result<Vec<CallRow>, StoreError> {
    // One snapshot for both queries: an exchange always finds its call.
    let mut transaction = begin_reading(&store.read).await?;
    let calls = sqlx::query(
        "SELECT * FROM calls WHERE environment_id = $1 ORDER BY started_at DESC, id DESC LIMIT $2",
    )
    .bind(environment.to_string())
    .bind(i64::from(limit))
    .fetch_all(&mut *transaction)
    .await?;
    let exchanges = sqlx::query(
        "SELECT * FROM exchanges WHERE call_id IN
             (SELECT id FROM calls WHERE environment_id = $1 ORDER BY started_at DESC, id DESC LIMIT $2)
         ORDER BY call_id, seq",
    )
    .bind(environment.to_string())
    .bind(i64::from(limit))
    .fetch_all(&mut *transaction)
    .await?;
    let mut by_call: HashMap<Uuid, Vec<ExchangeRow>> = HashMap::new();
    for row in &exchanges {
        by_call.entry(row::id(row, "call_id")?).or_default().push(exchange(row)?);
    }
    calls.iter().map(|row| call_row(row, by_call.remove(&row::id(row, "id")?).unwrap_or_default())).collect()
}

fn call_row(row: &DbRow, exchanges: Vec<ExchangeRow>) -> Result<CallRow, StoreError> {
    Ok(CallRow {
        id: row::id(row, "id")?,
        environment_id: row::id(row, "environment_id")?,
        account_id: row::id(row, "account_id")?,
        model: row::text(row, "model")?,
        resource: row::text(row, "resource")?,
        method: row::text(row, "method")?,
        target_id: row::optional_text(row, "target_id")?,
        token_id: row::optional_id(row, "token_id")?,
        path: row::text(row, "path")?,
        idempotency_key: row::optional_text(row, "idempotency_key")?,
        outcome: row::optional_text(row, "outcome")?,
        detail: row::optional_text(row, "detail")?,
        started_at: row::text(row, "started_at")?,
        finished_at: row::optional_text(row, "finished_at")?,
        released_at: row::optional_text(row, "released_at")?,
        exchanges,
    })
}

fn exchange(row: &DbRow) -> Result<ExchangeRow, StoreError> {
    Ok(ExchangeRow {
        seq: row::number(row, "seq")?,
        step: row::text(row, "step")?,
        method: row::text(row, "method")?,
        url_redacted: row::text(row, "url_redacted")?,
        request_sha256: row::text(row, "request_sha256")?,
        status: row::optional_number(row, "status")?,
        answer_sha256: row::optional_text(row, "answer_sha256")?,
        result: row::text(row, "result")?,
    })
}
