//! Nodes and what their calls hold.

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use uuid::Uuid;

use super::{DbConnection, SqlStore, begin, oauth};
use crate::StoreError;
use crate::nodes::{Nodes, node_lease};
use crate::time::{key_cutoff, now};

#[async_trait]
impl Nodes for SqlStore {
    async fn forget_node(&self, node: Uuid) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM leases WHERE name = $1")
            .bind(node_lease(node))
            .execute(&self.write)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn abandon_call(&self, call_id: Uuid) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE calls SET node_id = NULL WHERE id = $1 AND finished_at IS NULL AND released_at IS NULL",
        )
        .bind(call_id.to_string())
        .execute(&self.write)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn lock_for_call(&self, call_id: Uuid, key: &str) -> Result<bool, StoreError> {
        let key = hash(key);
        let mut transaction = begin(&self.write).await?;
        let got = take(&mut transaction, call_id, &key).await?
            || take_over(&mut transaction, call_id, &key).await?;
        transaction.commit().await?;
        Ok(got)
    }

    async fn tidy(&self) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM idempotency_keys WHERE created_at < $1",
            // For a day they tell people what happened.
            "DELETE FROM leases WHERE expires_at < $1",
        ] {
            sqlx::query(sql).bind(key_cutoff()).execute(&self.write).await?;
        }
        oauth::forget_late_consents(self).await
    }
}

async fn take(connection: &mut DbConnection, call_id: Uuid, key: &str) -> Result<bool, StoreError> {
    let taken = sqlx::query(
        "INSERT INTO call_locks (key_sha256, call_id) VALUES ($1, $2) ON CONFLICT (key_sha256) DO NOTHING",
    )
    .bind(key)
    .bind(call_id.to_string())
    .execute(connection)
    .await?;
    Ok(taken.rows_affected() > 0)
}

/// Takes it from a call that is over. Its holder's row is looked at only after the lock's row is ours, which writing it
/// in vain does: else the look might be older than the holder.
async fn take_over(connection: &mut DbConnection, call_id: Uuid, key: &str) -> Result<bool, StoreError> {
    sqlx::query("UPDATE call_locks SET call_id = call_id WHERE key_sha256 = $1")
        .bind(key)
        .execute(&mut *connection)
        .await?;
    let taken = sqlx::query(
        "UPDATE call_locks SET call_id = $2
         WHERE key_sha256 = $1
           AND NOT EXISTS (SELECT 1 FROM calls JOIN leases ON leases.name = 'node/' || calls.node_id
                           WHERE calls.id = call_locks.call_id AND calls.id <> $2 AND leases.expires_at > $3
                             AND calls.finished_at IS NULL AND calls.released_at IS NULL)",
    )
    .bind(key)
    .bind(call_id.to_string())
    .bind(now())
    .execute(connection)
    .await?;
    Ok(taken.rows_affected() > 0)
}

/// Gives back what a call holds, within the transaction that ends it.
pub(super) async fn unlock(connection: &mut DbConnection, call_id: Uuid) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM call_locks WHERE call_id = $1")
        .bind(call_id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// A key may hold what names a person, which the table need not show.
fn hash(key: &str) -> String {
    let hash = digest(&SHA256, key.as_bytes());
    hash.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
