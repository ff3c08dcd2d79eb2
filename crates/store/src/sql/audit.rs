//! The audit log: appended, never changed.

use uuid::Uuid;

use super::{DbRow, SqlStore, row};
use crate::time::now;
use crate::{AuditEntry, AuditRecord, StoreError};

pub(super) async fn record(store: &SqlStore, entry: AuditEntry) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (id, environment_id, actor, action, subject, detail, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(entry.environment_id.map(|id| id.to_string()))
    .bind(entry.actor)
    .bind(entry.action)
    .bind(entry.subject)
    .bind(entry.detail.to_string())
    .bind(now())
    .execute(&store.write)
    .await?;
    Ok(())
}

pub(super) async fn list(store: &SqlStore, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
    let query = sqlx::query("SELECT * FROM audit ORDER BY id DESC LIMIT $1").bind(i64::from(limit));
    query.fetch_all(&store.read).await?.iter().map(read).collect()
}

fn read(row: &DbRow) -> Result<AuditRecord, StoreError> {
    let detail = row::text(row, "detail")?;
    Ok(AuditRecord {
        id: row::id(row, "id")?,
        created_at: row::text(row, "created_at")?,
        entry: AuditEntry {
            environment_id: row::optional_id(row, "environment_id")?,
            actor: row::text(row, "actor")?,
            action: row::text(row, "action")?,
            subject: row::text(row, "subject")?,
            detail: serde_json::from_str(&detail).map_err(|_| StoreError::corrupt("audit.detail"))?,
        },
    })
}
