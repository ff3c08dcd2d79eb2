//! Stage 5: vendor records to unified records.

use std::time::{Duration, Instant};

use koine_connector::map::{MapInput, record, records};
use koine_connector::plan::{Failure, Finished, Success};
use koine_model::{Error, ErrorCode, Outcome, Response};
use serde_json::{Map, Value, json};

use crate::plan::Prepared;
use crate::{error, heavy};

/// Longest time for the records of one answer: each expression has a limit, and a page may hold many.
const LONGEST: Duration = Duration::from_secs(15);

/// A unified record with the vendor's own.
pub(crate) struct Mapped {
    pub unified: Map<String, Value>,
    pub vendor: Value,
}

/// The records of a read, null ones dropped.
///
/// Takes the vendor's records out of `finished`, which keeps their number.
pub(crate) fn read(prepared: &Prepared<'_>, finished: &mut Finished) -> Result<Vec<Mapped>, Error> {
    let bytes = finished.main.as_ref().map_or(0, |main| main.response.body.len());
    heavy::over(bytes, || read_all(prepared, finished))
}

fn read_all(prepared: &Prepared<'_>, finished: &mut Finished) -> Result<Vec<Mapped>, Error> {
    let items: &mut [Value] = match &mut finished.result {
        Ok(Success::Record(record)) => std::slice::from_mut(record),
        Ok(Success::List { items, .. }) => items,
        Ok(Success::Write | Success::Planned) | Err(_) => &mut [],
    };
    let shown = Shown::new(prepared, &finished.before);
    if let Some(records) = records(&prepared.row, items, shown.input()).map_err(Error::internal)? {
        // Which vendor record became which is the mapping's own affair, so none is shown beside them.
        return Ok(records.into_iter().map(|unified| Mapped { unified, vendor: Value::Null }).collect());
    }
    let items = items.iter_mut().map(Value::take).filter(|item| !item.is_null());
    let until = Instant::now() + LONGEST;
    let in_time = |item| match Instant::now() < until {
        true => mapped(prepared, item, shown.input()),
        false => Err(too_long(prepared)),
    };
    items.map(in_time).collect()
}

fn too_long(prepared: &Prepared<'_>) -> Error {
    let vendor = &prepared.connection.connector.label;
    let message = format!("the records of {vendor} take too long to map; ask for fewer with `limit`");
    Error::new(ErrorCode::VendorUnreachable, message)
}

fn mapped(prepared: &Prepared<'_>, vendor: Value, input: MapInput<'_>) -> Result<Mapped, Error> {
    let row = &prepared.row;
    let resource = prepared.resource().ok_or_else(|| Error::internal("the resource vanished"))?;
    let unified = record(resource, row, prepared.spec, &vendor, input).map_err(Error::internal)?;
    Ok(Mapped { unified, vendor })
}

/// The record that a write was about.
pub(crate) fn one(prepared: &Prepared<'_>, vendor: &Value, finished: &Finished) -> Result<Mapped, Error> {
    mapped(prepared, vendor.clone(), Shown::new(prepared, &finished.before).input())
}

/// What mappings see besides the record.
struct Shown<'a> {
    query: Value,
    body: Value,
    before: Value,
    context: &'a Value,
}

impl<'a> Shown<'a> {
    fn new(prepared: &'a Prepared<'_>, before: &Map<String, Value>) -> Self {
        Self {
            query: Value::Object(prepared.query.clone()),
            body: Value::Object(prepared.body.clone()),
            before: Value::Object(before.clone()),
            context: prepared.connection.fields().shown(),
        }
    }

    fn input(&self) -> MapInput<'_> {
        MapInput { query: &self.query, body: &self.body, context: self.context, before: &self.before }
    }
}

/// The record of a write: what was read before it, with the status that the effect gives it.
pub(crate) fn written(
    prepared: &Prepared<'_>,
    finished: &Finished,
    outcome: Option<Outcome>,
) -> Result<Mapped, Error> {
    let id = prepared.target_id().unwrap_or_default();
    let Some(target) = &finished.target else {
        let unified = Map::from_iter([("id".to_owned(), Value::String(id))]);
        return Ok(Mapped { unified, vendor: Value::Null });
    };
    let mut mapped = one(prepared, target, finished)?;
    if !mapped.unified.contains_key("id") {
        mapped.unified.insert("id".to_owned(), Value::String(id));
    }
    let effect = prepared.row.removal.as_ref().map(|removal| removal.effect);
    apply_effect(&mut mapped.unified, prepared, effect, outcome);
    Ok(mapped)
}

fn apply_effect(
    record: &mut Map<String, Value>,
    prepared: &Prepared<'_>,
    effect: Option<koine_model::Effect>,
    outcome: Option<Outcome>,
) {
    use koine_model::Effect::{Anonymises, Deactivates, Deletes};
    let (status, active) = match (effect, outcome) {
        // The vendor may do less than the method is for.
        (_, Some(Outcome::Deactivated)) => ("inactive", false),
        (_, Some(Outcome::Reactivated)) => ("active", true),
        (Some(Deactivates), Some(Outcome::AlreadyGone)) => ("inactive", false),
        (Some(Deletes | Anonymises), Some(Outcome::Removed | Outcome::AlreadyGone)) => ("deleted", false),
        _ => return,
    };
    if prepared.spec.fields.contains_key("status") {
        record.insert("status".to_owned(), Value::String(status.to_owned()));
    }
    if prepared.spec.fields.contains_key("is_active") {
        record.insert("is_active".to_owned(), Value::Bool(active));
    }
}

/// Turns a failed plan into the caller's error.
pub(crate) fn failed(prepared: &Prepared<'_>, finished: Finished) -> Error {
    let outcome = finished.outcome;
    match finished.result {
        Err(failure) => {
            let failure = restated(prepared, failure);
            let mut failed = error::from_failure(&prepared.connection, failure, outcome);
            if let Some(detail) = finished.detail {
                failed.message = format!("{} ({detail})", failed.message);
            }
            failed
        }
        Ok(_) => Error::internal("a success was taken for a failure"),
    }
}

/// A refusal as the row's `error_mapping` would have it: `{status?, message?}`.
fn restated(prepared: &Prepared<'_>, failure: Failure) -> Failure {
    let Failure::Vendor(mut refusal) = failure else { return failure };
    let mapping = prepared.row.error_mapping.as_ref();
    let Some(mapping) = mapping else { return Failure::Vendor(refusal) };
    let mut scope = answer_scope(prepared, &refusal.response);
    scope["error"] = json!({"status": refusal.status, "message": refusal.message, "data": scope["data"]});
    match mapping.eval(&scope) {
        Ok(Some(said)) => {
            let status =
                said.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
            refusal.status = status.filter(|status| (400..600).contains(status)).unwrap_or(refusal.status);
            let message = said.get("message").and_then(Value::as_str).map(ToOwned::to_owned);
            refusal.message = message.or(refusal.message);
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "an error_mapping failed"),
    }
    Failure::Vendor(refusal)
}

/// What expressions over a main answer see: no credentials.
pub(crate) fn answer_scope(prepared: &Prepared<'_>, response: &Response) -> Value {
    let headers: Map<String, Value> =
        response.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let data = response.json().unwrap_or(Value::Null);
    json!({
        "id": prepared.call.id, "query": prepared.query, "body": prepared.body, "headers": headers,
        "status": response.status, "response": data, "data": data,
        "context": prepared.connection.fields().shown(),
    })
}
