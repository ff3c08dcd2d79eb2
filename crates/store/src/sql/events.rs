//! Events: written with the change that they tell of, and one delivery for each webhook that wants them.

use sqlx::Row;
use uuid::Uuid;

use super::{DbConnection, SqlStore, begin, row};
use crate::time::{ago, now};
use crate::vault::{DataKey, Place};
use crate::{NewEvent, StoreError};

/// Records an event that goes with no change.
pub(super) async fn record_alone(store: &SqlStore, event: &NewEvent) -> Result<Uuid, StoreError> {
    let key = store.data_key(event.environment_id).await?;
    let mut transaction = begin(&store.write).await?;
    let id = record(&mut transaction, &key, event).await?;
    transaction.commit().await?;
    Ok(id)
}

/// Records several in a transaction of the caller's.
pub(super) async fn record_all(
    transaction: &mut DbConnection,
    key: &DataKey,
    events: &[NewEvent],
) -> Result<(), StoreError> {
    for event in events {
        record(transaction, key, event).await?;
    }
    Ok(())
}

/// Records one in a transaction of the caller's, which took the environment's data key before it began.
pub(super) async fn record(
    transaction: &mut DbConnection,
    key: &DataKey,
    event: &NewEvent,
) -> Result<Uuid, StoreError> {
    let at = now();
    let id = insert(transaction, key, event, &at).await?;
    let listening = sqlx::query(
        "SELECT id, event_types FROM webhooks WHERE environment_id = $1 AND is_active ORDER BY id",
    )
    .bind(event.environment_id.to_string())
    .fetch_all(&mut *transaction)
    .await?;
    for webhook in &listening {
        let types = row::optional_text(webhook, "event_types")?;
        if wants(types.as_deref(), &event.event)? {
            let webhook: String = webhook.try_get("id")?;
            queue(transaction, &webhook, event.environment_id, id, Some(&at)).await?;
        }
    }
    Ok(id)
}

/// The event's own row.
pub(super) async fn insert(
    transaction: &mut DbConnection,
    key: &DataKey,
    event: &NewEvent,
    at: &str,
) -> Result<Uuid, StoreError> {
    let id = Uuid::now_v7();
    sqlx::query(
        "INSERT INTO events (id, environment_id, event, payload_sealed, created_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id.to_string())
    .bind(event.environment_id.to_string())
    .bind(&event.event)
    .bind(key.seal_json(place(event.environment_id, id), &event.payload))
    .bind(at)
    .execute(transaction)
    .await?;
    Ok(id)
}

/// A delivery, due at a time or, without one, never by itself.
pub(super) async fn queue(
    transaction: &mut DbConnection,
    webhook: &str,
    environment: Uuid,
    event: Uuid,
    due: Option<&str>,
) -> Result<Uuid, StoreError> {
    let id = Uuid::now_v7();
    sqlx::query(
        "INSERT INTO deliveries (id, webhook_id, event_id, environment_id, status, attempts, retries, next_at, created_at)
         VALUES ($1, $2, $3, $4, 'pending', 0, 0, $5, $6)",
    )
    .bind(id.to_string())
    .bind(webhook)
    .bind(event.to_string())
    .bind(environment.to_string())
    .bind(due)
    .bind(now())
    .execute(transaction)
    .await?;
    Ok(id)
}

pub(super) async fn forget(store: &SqlStore, older_than: std::time::Duration) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "DELETE FROM events WHERE created_at < $1
           AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = events.id AND next_at IS NOT NULL)",
    )
    .bind(ago(older_than))
    .execute(&store.write)
    .await?;
    Ok(done.rows_affected())
}

pub(super) fn place(environment: Uuid, row: Uuid) -> Place<'static> {
    Place { environment, row, column: "events.payload_sealed" }
}

/// Whether a webhook with this choice wants an event: by its name, or by its family with `*`.
fn wants(types: Option<&str>, event: &str) -> Result<bool, StoreError> {
    let Some(json) = types else { return Ok(true) };
    let types: Vec<String> =
        serde_json::from_str(json).map_err(|_| StoreError::corrupt("webhooks.event_types"))?;
    let family = event.split_once(':').map(|(family, _)| family);
    Ok(types.iter().any(|wanted| {
        wanted == event || wanted.strip_suffix(":*").is_some_and(|wanted| Some(wanted) == family)
    }))
}

#[cfg(test)]
mod tests {
    use super::wants;

    #[test]
    fn a_choice_is_by_name_or_family() {
        let types = Some(r#"["integrated_account:active", "api_token:*"]"#);
        for (event, wanted) in [
            ("integrated_account:active", true),
            ("integrated_account:created", false),
            ("integrated_account:active2", false),
            ("api_token:created", true),
            ("api_tokens:created", false),
            ("test", false),
        ] {
            assert_eq!(wants(types, event).unwrap(), wanted, "{event}");
        }
        assert!(wants(None, "anything").unwrap());
        assert!(!wants(Some("[]"), "test").unwrap());
    }
}
