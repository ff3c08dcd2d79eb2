//! The journal while a call runs: begin, intents, exchanges.

use serde_json::Value;
use sqlx::Row;
use uuid::Uuid;

use super::{DbConnection, DbRow, SqlStore, begin as begin_writing, lock_call, row};
use crate::time::{key_cutoff, now};
use crate::vault::{DataKey, Place};
use crate::{Begun, ExchangeRow, NewCall, StoreError};

pub(super) async fn begin(store: &SqlStore, call: &NewCall) -> Result<Begun, StoreError> {
    let key = store.data_key(call.environment_id).await?;
    loop {
        let mut transaction = begin_writing(&store.write).await?;
        if let Some(earlier) = earlier_use(&mut transaction, call).await? {
            return judge(&earlier, call, &key);
        }
        insert_call(&mut transaction, call, &key).await?;
        if insert_key(&mut transaction, call).await? {
            transaction.commit().await?;
            return Ok(Begun::Started);
        }
        // Somebody else's call took the key after the look: it is there to be judged now, or gone again.
        transaction.rollback().await?;
    }
}

/// The row of the call's idempotency key; one that is too old goes.
async fn earlier_use(connection: &mut DbConnection, call: &NewCall) -> Result<Option<DbRow>, StoreError> {
    let Some(key) = &call.idempotency_key else { return Ok(None) };
    sqlx::query(
        "DELETE FROM idempotency_keys
         WHERE environment_id = $1 AND account_id = $2 AND path = $3 AND key = $4 AND created_at < $5",
    )
    .bind(call.environment_id.to_string())
    .bind(call.account_id.to_string())
    .bind(&call.path)
    .bind(key)
    .bind(key_cutoff())
    .execute(&mut *connection)
    .await?;
    let found = sqlx::query(
        "SELECT call_id, fingerprint, answer_sealed FROM idempotency_keys
         WHERE environment_id = $1 AND account_id = $2 AND path = $3 AND key = $4",
    )
    .bind(call.environment_id.to_string())
    .bind(call.account_id.to_string())
    .bind(&call.path)
    .bind(key)
    .fetch_optional(connection)
    .await?;
    Ok(found)
}

fn judge(earlier: &DbRow, call: &NewCall, key: &DataKey) -> Result<Begun, StoreError> {
    if row::text(earlier, "fingerprint")? != call.fingerprint {
        return Ok(Begun::Mismatch);
    }
    let Some(sealed) = earlier.try_get::<Option<Vec<u8>>, _>("answer_sealed")? else {
        return Ok(Begun::InProgress);
    };
    let place = answer_place(call.environment_id, row::id(earlier, "call_id")?);
    Ok(Begun::Replayed(key.open_json(place, &sealed)?))
}

async fn insert_call(connection: &mut DbConnection, call: &NewCall, key: &DataKey) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO calls (id, environment_id, account_id, model, resource, method, target_id, token_id, path,
                            fingerprint, idempotency_key, request_sealed, started_at, node_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(call.id.to_string())
    .bind(call.environment_id.to_string())
    .bind(call.account_id.to_string())
    .bind(&call.model)
    .bind(&call.resource)
    .bind(&call.method)
    .bind(&call.target_id)
    .bind(call.token_id.map(|id| id.to_string()))
    .bind(&call.path)
    .bind(&call.fingerprint)
    .bind(&call.idempotency_key)
    .bind(key.seal_json(request_place(call.environment_id, call.id), &call.request))
    .bind(now())
    .bind(call.node_id.map(|id| id.to_string()))
    .execute(connection)
    .await
    .map_err(|error| row::unique(error, || format!("call {} exists", call.id)))?;
    Ok(())
}

/// Takes the call's idempotency key, if it has one; `false` when another call has it. One that is just about to take
/// it is waited for.
async fn insert_key(connection: &mut DbConnection, call: &NewCall) -> Result<bool, StoreError> {
    let Some(idempotency_key) = &call.idempotency_key else { return Ok(true) };
    let taken = sqlx::query(
        "INSERT INTO idempotency_keys (environment_id, account_id, path, key, call_id, fingerprint, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (environment_id, account_id, path, key) DO NOTHING",
    )
    .bind(call.environment_id.to_string())
    .bind(call.account_id.to_string())
    .bind(&call.path)
    .bind(idempotency_key)
    .bind(call.id.to_string())
    .bind(&call.fingerprint)
    .bind(now())
    .execute(connection)
    .await?;
    Ok(taken.rows_affected() > 0)
}

pub(super) async fn name_target(store: &SqlStore, call_id: Uuid, target_id: &str) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE calls SET target_id = $2 WHERE id = $1 AND finished_at IS NULL AND released_at IS NULL",
    )
    .bind(call_id.to_string())
    .bind(target_id.to_owned())
    .execute(&store.write)
    .await?;
    match done.rows_affected() {
        0 => Err(StoreError::conflict(format!("call {call_id} is no longer open"))),
        _ => Ok(()),
    }
}

pub(super) async fn record_intent(
    store: &SqlStore,
    call_id: Uuid,
    step: &str,
    request_digest: &str,
    target: Option<&Value>,
) -> Result<(), StoreError> {
    let environment = environment_of(store, call_id).await?;
    let key = store.data_key(environment).await?;
    let column = target_column(step);
    let place = Place { environment, row: call_id, column: &column };
    let mut transaction = begin_writing(&store.write).await?;
    // The call cannot be finished or released between the check and the insert.
    lock_call(&mut transaction, call_id).await?;
    let done = sqlx::query(
        "INSERT INTO intents (call_id, step, request_digest, target_sealed, recorded_at, seq)
         SELECT id, $2, $3, $4, $5, (SELECT COALESCE(MAX(seq), 0) + 1 FROM intents WHERE call_id = $1)
         FROM calls WHERE id = $1 AND finished_at IS NULL AND released_at IS NULL
           AND (node_id IS NULL OR EXISTS (SELECT 1 FROM leases WHERE name = 'node/' || node_id AND expires_at > $5))
         ON CONFLICT (call_id, step) DO UPDATE
         SET request_digest = excluded.request_digest,
             target_sealed = COALESCE(intents.target_sealed, excluded.target_sealed)",
    )
    .bind(call_id.to_string())
    .bind(step.to_owned())
    .bind(request_digest.to_owned())
    .bind(target.map(|target| key.seal_json(place, target)))
    .bind(now())
    .execute(&mut *transaction)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::conflict(format!("call {call_id} is no longer open")));
    }
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn record_exchange(
    store: &SqlStore,
    call_id: Uuid,
    exchange: ExchangeRow,
) -> Result<(), StoreError> {
    environment_of(store, call_id).await?;
    let seq = exchange.seq;
    sqlx::query(
        "INSERT INTO exchanges (call_id, seq, step, method, url_redacted, request_sha256, status, answer_sha256,
                                result, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(call_id.to_string())
    .bind(i64::from(seq))
    .bind(exchange.step)
    .bind(exchange.method)
    .bind(exchange.url_redacted)
    .bind(exchange.request_sha256)
    .bind(exchange.status.map(i64::from))
    .bind(exchange.answer_sha256)
    .bind(exchange.result)
    .bind(now())
    .execute(&store.write)
    .await
    .map_err(|error| row::unique(error, || format!("exchange {seq} of call {call_id} exists")))?;
    Ok(())
}

/// The environment of a call, which sealing needs.
pub(super) async fn environment_of(store: &SqlStore, call_id: Uuid) -> Result<Uuid, StoreError> {
    let found = sqlx::query("SELECT environment_id FROM calls WHERE id = $1")
        .bind(call_id.to_string())
        .fetch_optional(&store.read)
        .await?;
    row::id(&found.ok_or_else(|| StoreError::not_found(format!("call {call_id}")))?, "environment_id")
}

pub(super) fn request_place(environment: Uuid, row: Uuid) -> Place<'static> {
    Place { environment, row, column: "calls.request_sealed" }
}

pub(super) fn answer_place(environment: Uuid, row: Uuid) -> Place<'static> {
    Place { environment, row, column: "idempotency_keys.answer_sealed" }
}

/// A call has several intents: the step is part of the place.
pub(super) fn target_column(step: &str) -> String {
    format!("intents.target_sealed/{step}")
}
