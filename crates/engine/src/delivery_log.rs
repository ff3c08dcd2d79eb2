//! What became of deliveries, as callers see it, and sending them again.

use jiff::{SignedDuration, Timestamp};
use koine_model::{Error, ErrorCode};
use koine_store::{Attempt, Delivery, DeliveryFilter, Replay, StoreError};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::delivery_attempt::shown_id;
use crate::webhooks::{LARGEST_PAGE, PAGE, cursor, page};
use crate::{Caller, DeliveryLogQuery, DeliveryQuery, Engine};

/// Longest time that one question to the log may be about: the longest month.
const LONGEST_SPAN: SignedDuration = SignedDuration::from_hours(31 * 24);

impl Engine {
    /// A page of the delivery log, newest first: `{result, next_cursor, limit}`.
    ///
    /// # Errors
    /// As [`Engine::get_webhook`], and a cursor that is not one.
    pub async fn list_deliveries(
        &self,
        caller: &Caller,
        webhook: Uuid,
        query: DeliveryQuery,
    ) -> Result<Value, Error> {
        self.webhook(caller, webhook).await?;
        let limit = query.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
        let before = cursor(query.next_cursor)?;
        let filter = DeliveryFilter {
            webhook_id: Some(webhook),
            event: query.event,
            status: query.status,
            ..DeliveryFilter::default()
        };
        let store = &self.parts.store;
        let found = store.list_deliveries(caller.environment_id, filter, limit, before).await;
        let found = found.map_err(Error::internal)?;
        let last = found.last().map(|delivery| delivery.id);
        Ok(page(&found.iter().map(shown).collect::<Vec<_>>(), last, limit))
    }

    /// Queues one delivery of a webhook again, or all that failed since a time: `{"queued": n}`.
    ///
    /// # Errors
    /// As [`Engine::get_webhook`]; 409 when the webhook is off; a bad time.
    pub async fn replay_deliveries(
        &self,
        caller: &Caller,
        webhook: Uuid,
        what: Replay,
    ) -> Result<Value, Error> {
        if !self.webhook(caller, webhook).await?.is_active {
            let message = "this webhook is off: turn it on first (`is_active`)";
            return Err(Error::new(ErrorCode::Conflict, message));
        }
        let (store, by) = (&self.parts.store, caller.as_actor());
        let queued = store.replay_deliveries(caller.environment_id, webhook, what, &by).await;
        let queued = queued.map_err(refused)?;
        self.memory.wake.notify_one();
        Ok(json!({"queued": queued}))
    }

    /// A page of the log of all webhooks, newest first, in the form of logs: `{result, next_cursor}`.
    ///
    /// # Errors
    /// A cursor that is not one, a time that is none, or times that are more than a month apart.
    pub async fn delivery_log(&self, caller: &Caller, query: DeliveryLogQuery) -> Result<Value, Error> {
        let limit = query.limit.unwrap_or(LARGEST_PAGE).clamp(1, LARGEST_PAGE);
        let before = cursor(query.next_cursor)?;
        check_span(query.after.as_deref(), query.until.as_deref())?;
        let filter = DeliveryFilter {
            webhook_id: query.webhook_id,
            event: query.event,
            status: None,
            after: query.after,
            until: query.until,
        };
        let environment = caller.environment_id;
        let found = self.parts.store.list_deliveries(environment, filter, limit, before).await;
        let found = found.map_err(refused)?;
        let next = found.last().filter(|_| found.len() == limit as usize).map(|delivery| delivery.id);
        let result: Vec<Value> = found.iter().map(|delivery| log_row(environment, delivery)).collect();
        Ok(json!({"result": result, "next_cursor": next}))
    }
}

/// The end is now when it is left out.
fn check_span(after: Option<&str>, until: Option<&str>) -> Result<(), Error> {
    let time = |text: &str| text.parse::<Timestamp>();
    let wrong = |_| Error::invalid("`created_at` takes ISO 8601 times with an offset");
    let after = after.map(time).transpose().map_err(wrong)?;
    let until = until.map(time).transpose().map_err(wrong)?.unwrap_or_else(Timestamp::now);
    match after {
        Some(after) if until.duration_since(after) > LONGEST_SPAN => {
            Err(Error::invalid("`created_at[gt]` and `created_at[lt]` may be a month apart at most"))
        }
        _ => Ok(()),
    }
}

fn refused(error: StoreError) -> Error {
    match error {
        StoreError::Invalid { what } => Error::invalid(what),
        other => Error::internal(other),
    }
}

fn shown(delivery: &Delivery) -> Value {
    let attempts: Vec<Value> = delivery
        .attempts
        .iter()
        .map(|(attempt, ended_at)| {
            json!({
                "http_status": attempt.http_status, "error": attempt.error, "duration_ms": attempt.duration_ms,
                "answer": attempt.answer, "ended_at": ended_at,
            })
        })
        .collect();
    json!({
        "id": delivery.id, "webhook_id": delivery.webhook_id, "event_id": shown_id(delivery.event_id),
        "event": delivery.event, "status": delivery.status, "next_at": delivery.next_at,
        "created_at": delivery.created_at, "finished_at": delivery.finished_at, "attempts": attempts,
    })
}

/// A row of the log: flat fields, and a copy of them under `metadata`, for the two kinds of clients that there are. What
/// is empty is left out.
fn log_row(environment: Uuid, delivery: &Delivery) -> Value {
    let last = delivery.attempts.last().map(|(attempt, _)| attempt);
    let status = last.and_then(|attempt| attempt.http_status);
    let duration: u32 = delivery.attempts.iter().map(|(attempt, _)| attempt.duration_ms).sum();
    let logs: Vec<Value> = delivery.attempts.iter().map(log_line).collect();
    let mut fields = filled(json!({
        "timestamp": delivery.created_at, "service": "webhook", "environment_id": environment,
        "webhook_id": delivery.webhook_id, "event": delivery.event, "event_id": shown_id(delivery.event_id),
        "http_method": "POST", "http_status_code": status,
        "http_status_category": status.map(|status| format!("{}xx", status / 100)),
        "duration": duration, "logs": logs, "message": message(delivery, last),
    }));
    let metadata = fields.clone();
    fields.insert("_id".to_owned(), json!(delivery.id));
    fields.insert("metadata".to_owned(), Value::Object(metadata));
    Value::Object(fields)
}

fn log_line((attempt, ended_at): &(Attempt, String)) -> Value {
    Value::Object(filled(json!({
        "timestamp": ended_at, "http_status_code": attempt.http_status, "duration": attempt.duration_ms,
        "message": attempt.error, "answer": attempt.answer,
    })))
}

fn message(delivery: &Delivery, last: Option<&Attempt>) -> String {
    let attempts = delivery.attempts.len();
    let why = last.and_then(|attempt| attempt.error.as_deref()).unwrap_or_default();
    match (delivery.status.as_str(), why) {
        (status, "") => format!("{status}, {attempts} attempts"),
        (status, why) => format!("{status}, {attempts} attempts: {why}"),
    }
}

/// The members that say something.
fn filled(value: Value) -> Map<String, Value> {
    let Value::Object(fields) = value else { return Map::new() };
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    fields.into_iter().filter(|(_, value)| says(value)).collect()
}
