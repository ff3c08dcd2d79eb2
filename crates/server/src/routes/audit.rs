//! The administrative audit log.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use koine_engine::{AuditFilter, Engine};
use koine_model::Error;
use serde_json::{Map, Value};

use super::page;
use crate::access::By;
use crate::answer;

pub(crate) async fn list(State(engine): State<Engine>, By(caller): By, RawQuery(raw): RawQuery) -> Response {
    let result = async {
        let (page, query) = page(raw.as_deref())?;
        let text = |name: &str| query.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (since, until) = times(&query)?;
        let filter = AuditFilter {
            environment_id: None,
            actor: text("actor").map(ToOwned::to_owned),
            action: text("action").map(ToOwned::to_owned),
            subject: text("subject").map(ToOwned::to_owned),
            since,
            until,
        };
        engine.audit_log(&caller, filter, &page).await
    };
    answer::of(result.await)
}

/// `created_at[gte]` and `created_at[lt]`. Another bound is refused: a filter that is ignored hides nothing, and a
/// reader of a log would not notice.
fn times(query: &Map<String, Value>) -> Result<(Option<String>, Option<String>), Error> {
    let refused =
        || Error::invalid("`created_at` understands `created_at[gte]=TIME` and `created_at[lt]=TIME`");
    let bounds = match query.get("created_at") {
        None => return Ok((None, None)),
        Some(bounds) => bounds.as_object().ok_or_else(refused)?,
    };
    let (mut since, mut until) = (None, None);
    for (bound, time) in bounds {
        let time = Some(time.as_str().ok_or_else(refused)?.to_owned());
        match bound.as_str() {
            "gte" => since = time,
            "lt" => until = time,
            _ => return Err(refused()),
        }
    }
    Ok((since, until))
}
