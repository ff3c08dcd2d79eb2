//! The journal at a call's end.

use uuid::Uuid;

use super::{DbConnection, SqlStore, begin, journal, lock_call, nodes, row};
use crate::time::now;
use crate::{Finish, StoreError};

pub(super) async fn finish(store: &SqlStore, call_id: Uuid, finish: Finish) -> Result<(), StoreError> {
    let environment = journal::environment_of(store, call_id).await?;
    let key = store.data_key(environment).await?;
    let sealed =
        finish.answer.map(|answer| key.seal_json(journal::answer_place(environment, call_id), &answer));
    let mut transaction = begin(&store.write).await?;
    let done = sqlx::query(
        "UPDATE calls SET outcome = $2, detail = $3, finished_at = $4 WHERE id = $1 AND finished_at IS NULL",
    )
    .bind(call_id.to_string())
    .bind(finish.outcome)
    .bind(finish.detail.map(row::without_nul))
    .bind(now())
    .execute(&mut *transaction)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::conflict(format!("call {call_id} is finished already")));
    }
    let key_row = match sealed {
        Some(sealed) => sqlx::query("UPDATE idempotency_keys SET answer_sealed = $2 WHERE call_id = $1")
            .bind(call_id.to_string())
            .bind(sealed),
        None => sqlx::query("DELETE FROM idempotency_keys WHERE call_id = $1").bind(call_id.to_string()),
    };
    key_row.execute(&mut *transaction).await?;
    nodes::unlock(&mut transaction, call_id).await?;
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn release_unstarted(store: &SqlStore) -> Result<u64, StoreError> {
    let candidates = sqlx::query(concat!("SELECT id FROM calls WHERE ", abandoned!("$1"), " ORDER BY id"))
        .bind(now())
        .fetch_all(&store.read)
        .await?;
    let mut released = 0;
    for candidate in &candidates {
        let call_id = row::id(candidate, "id")?;
        let mut transaction = begin(&store.write).await?;
        // Whoever records an intent of it just now is waited for, and seen by the next statement.
        lock_call(&mut transaction, call_id).await?;
        released += u64::from(release(&mut transaction, call_id).await?);
        transaction.commit().await?;
    }
    Ok(released)
}

async fn release(connection: &mut DbConnection, call_id: Uuid) -> Result<bool, StoreError> {
    let done = sqlx::query(concat!(
        "UPDATE calls SET released_at = $1 WHERE id = $2 AND ",
        abandoned!("$1"),
        " AND NOT EXISTS (SELECT 1 FROM intents WHERE call_id = calls.id)"
    ))
    .bind(now())
    .bind(call_id.to_string())
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("DELETE FROM idempotency_keys WHERE call_id = $1 AND answer_sealed IS NULL")
        .bind(call_id.to_string())
        .execute(&mut *connection)
        .await?;
    nodes::unlock(connection, call_id).await?;
    Ok(true)
}
