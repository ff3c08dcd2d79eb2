//! Logs: of what webhooks were told. What is not logged is said to be so, instead of an empty list.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use koine_engine::{DeliveryLogQuery, Engine};
use koine_model::Error;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::access::By;
use crate::{answer, body};

/// Kinds of logs that clients may ask for and that are not kept.
const NOT_KEPT: &[&str] = &["unified_proxy_api", "rapid_bridge", "sync_job_cron_trigger", "mcp"];

pub(crate) async fn list(State(engine): State<Engine>, By(caller): By, RawQuery(raw): RawQuery) -> Response {
    let result = async {
        let query = body::query(raw.as_deref())?;
        match query.get("log_type").and_then(Value::as_str).unwrap_or_default() {
            "webhook" => {}
            "" => return Err(Error::invalid("`log_type` is required: webhook")),
            kind if NOT_KEPT.contains(&kind) => {
                return Err(Error::invalid(format!(
                    "there is no log of `{kind}`; `log_type` can be webhook"
                )));
            }
            kind => return Err(Error::invalid(format!("`log_type` can be webhook, and is `{kind}`"))),
        }
        let (asked, environment) = webhook_query(&query)?;
        // Another environment is one that does not exist: it has no log.
        if environment.is_some_and(|id| id != caller.environment_id().to_string()) {
            return Ok(serde_json::json!({"result": [], "next_cursor": null}));
        }
        engine.delivery_log(&caller, asked).await
    };
    answer::of(result.await)
}

/// What is asked, and of which environment.
fn webhook_query(query: &Map<String, Value>) -> Result<(DeliveryLogQuery, Option<String>), Error> {
    let (after, until) = times(query)?;
    let limit = query.get("limit").and_then(Value::as_str).map(str::parse).transpose();
    let mut asked = DeliveryLogQuery {
        after,
        until,
        limit: limit.map_err(|_| Error::invalid("`limit` must be a whole number"))?,
        next_cursor: query.get("next_cursor").and_then(Value::as_str).map(ToOwned::to_owned),
        ..DeliveryLogQuery::default()
    };
    let mut environment = None;
    let wrong = || Error::invalid("`log_type_filter` understands [webhook_id], [event] and [environment_id]");
    let filters = match query.get("log_type_filter") {
        None => return Ok((asked, None)),
        Some(filters) => filters.as_object().ok_or_else(wrong)?,
    };
    for (name, value) in filters {
        let text = value.as_str().ok_or_else(wrong)?;
        match name.as_str() {
            // What is no id is the id of nothing.
            "webhook_id" => asked.webhook_id = Some(Uuid::parse_str(text).unwrap_or_default()),
            "event" => asked.event = Some(text.to_owned()),
            "environment_id" => environment = Some(text.to_lowercase()),
            _ => return Err(wrong()),
        }
    }
    Ok((asked, environment))
}

/// `created_at[gt]` and `created_at[lt]`. Another bound is refused: a filter that is ignored hides nothing, and a reader
/// of a log would not notice.
fn times(query: &Map<String, Value>) -> Result<(Option<String>, Option<String>), Error> {
    let wrong = || Error::invalid("`created_at` understands `created_at[gt]=TIME` and `created_at[lt]=TIME`");
    let bounds = match query.get("created_at") {
        None => return Ok((None, None)),
        Some(bounds) => bounds.as_object().ok_or_else(wrong)?,
    };
    let (mut after, mut until) = (None, None);
    for (bound, time) in bounds {
        let time = Some(time.as_str().ok_or_else(wrong)?.to_owned());
        match bound.as_str() {
            "gt" => after = time,
            "lt" => until = time,
            _ => return Err(wrong()),
        }
    }
    Ok((after, until))
}
