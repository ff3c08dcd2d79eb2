//! The journal at a call's end.

use uuid::Uuid;

use super::{SqlStore, begin, journal, lock_unfinished_calls};
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
    .bind(finish.detail)
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
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn release_unstarted(store: &SqlStore) -> Result<u64, StoreError> {
    let mut transaction = begin(&store.write).await?;
    lock_unfinished_calls(&mut transaction).await?;
    let released = sqlx::query(
        "UPDATE calls SET released_at = $1
         WHERE finished_at IS NULL AND released_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM intents WHERE call_id = calls.id)",
    )
    .bind(now())
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    sqlx::query(
        "DELETE FROM idempotency_keys WHERE answer_sealed IS NULL
           AND EXISTS (SELECT 1 FROM calls WHERE id = idempotency_keys.call_id AND released_at IS NOT NULL)",
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(released)
}
