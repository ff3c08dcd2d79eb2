//! Stage 6: records in the format asked for.

use koine_connector::plan::{Finished, Success};
use koine_model::{Error, Outcome, Response};
use serde_json::{Map, Value, json};

use crate::map::{Mapped, answer_scope, failed};
use crate::options::{Format, Options};
use crate::plan::{Prepared, is_raw};
use crate::{Engine, Reply, ReplyBody, cursor, envelope, error};

/// The reply to a list or get.
pub(crate) fn read(
    engine: &Engine,
    prepared: &Prepared,
    mut finished: Finished,
    records: Vec<Mapped>,
) -> Result<Reply, Error> {
    if finished.result.is_err() {
        return Err(failed(prepared, finished));
    }
    let main = finished.main.take();
    let headers = headers(prepared, main.as_ref());
    if prepared.options.format == Format::Stream {
        return Ok(reply(headers, vendor_bytes(main)));
    }
    let body = match &finished.result {
        Ok(Success::List { next, .. }) => list(engine, prepared, records, next.as_deref(), main.as_ref())?,
        _ if is_raw(&prepared.options) => return Ok(reply(headers, vendor_body(main))),
        _ => match records.into_iter().next() {
            Some(mapped) => shape(prepared, mapped),
            None => return Err(Error::internal("a read ended without a record")),
        },
    };
    Ok(reply(headers, ReplyBody::Json(debugged(&prepared.options, body, main.as_ref()))))
}

fn list(
    engine: &Engine,
    prepared: &Prepared,
    records: Vec<Mapped>,
    next: Option<&str>,
    main: Option<&Response>,
) -> Result<Value, Error> {
    let next = next.map(|next| cursor::seal(&engine.parts.cursor_key, &prepared.scope(), next));
    let partial = prepared
        .row()?
        .is_partial
        .as_ref()
        .zip(main)
        .is_some_and(|(expr, main)| expr.test(&answer_scope(prepared, main)).unwrap_or(false));
    let count = records.len();
    let items: Vec<Value> = records
        .into_iter()
        .map(|mapped| if is_raw(&prepared.options) { mapped.vendor } else { shape(prepared, mapped) })
        .collect();
    let result = match &prepared.options.key_by {
        Some(field) => keyed(items, field),
        None => Value::Array(items),
    };
    Ok(envelope(&result, next.as_deref(), count, partial))
}

fn keyed(items: Vec<Value>, field: &str) -> Value {
    let key = |item: &Value| crate::plan::text_of(item.get(field)).unwrap_or_default();
    Value::Object(items.into_iter().map(|item| (key(&item), item)).collect())
}

/// One record: `remote_data`, `normalized`, excluded fields.
pub(crate) fn shape(prepared: &Prepared, mapped: Mapped) -> Value {
    let Mapped { unified, vendor } = mapped;
    let options = &prepared.options;
    let mut record = Map::new();
    let normalized = options.format == Format::Normalized;
    for name in prepared.spec.fields.keys() {
        match unified.get(name) {
            Some(value) => record.insert(name.clone(), value.clone()),
            None if normalized => record.insert(name.clone(), Value::Null),
            None => None,
        };
    }
    if !normalized && !options.ignore_remote_data && !vendor.is_null() {
        record.insert("remote_data".to_owned(), vendor);
    }
    record.retain(|name, _| !options.exclude_fields.contains(name));
    Value::Object(record)
}

fn debugged(options: &Options, result: Value, main: Option<&Response>) -> Value {
    if options.format != Format::Debug {
        return result;
    }
    let debug = main.map(|response| {
        let headers: Map<String, Value> = error::shown_headers(response)
            .into_iter()
            .map(|(key, value)| (key, Value::String(value)))
            .collect();
        json!({"status": response.status, "data": response.json(), "responseHeaders": headers})
    });
    json!({"result": result, "debug": debug})
}

/// The reply to a write that ended with an outcome.
pub(crate) fn write(
    prepared: &Prepared,
    main: Option<Response>,
    mapped: Mapped,
    outcome: Option<Outcome>,
) -> Reply {
    let headers = headers(prepared, main.as_ref());
    let body = if is_raw(&prepared.options) {
        vendor_body(main)
    } else {
        ReplyBody::Json(debugged(&prepared.options, shape(prepared, mapped), main.as_ref()))
    };
    Reply { outcome, ..reply(headers, body) }
}

/// The vendor's headers that may be shown, and those that the row maps.
fn headers(prepared: &Prepared, main: Option<&Response>) -> Vec<(String, String)> {
    let Some(main) = main else { return Vec::new() };
    let mut headers = error::shown_headers(main);
    let mapping = prepared.row().ok().and_then(|row| row.response_header_mapping.as_ref());
    let mapped = mapping.and_then(|expr| expr.eval(&answer_scope(prepared, main)).ok().flatten());
    for (name, value) in mapped.as_ref().and_then(Value::as_object).into_iter().flatten() {
        let name = name.to_ascii_lowercase();
        // Headers of this server and of the transport are not a vendor's to set.
        if let (true, Some(value)) = (name.starts_with("x-"), value.as_str()) {
            headers.push((name, value.to_owned()));
        }
    }
    headers
}

fn reply(headers: Vec<(String, String)>, body: ReplyBody) -> Reply {
    Reply { status: 200, headers, outcome: None, body }
}

/// The vendor's JSON as it is; an empty answer becomes `{}`.
fn vendor_body(main: Option<Response>) -> ReplyBody {
    match &main {
        None => ReplyBody::Json(json!({})),
        Some(response) if response.body.is_empty() => ReplyBody::Json(json!({})),
        Some(response) => match response.json() {
            Some(json) => ReplyBody::Json(json),
            None => vendor_bytes(main),
        },
    }
}

fn vendor_bytes(main: Option<Response>) -> ReplyBody {
    let Some(response) = main.filter(|response| !response.body.is_empty()) else {
        return ReplyBody::Json(json!({}));
    };
    let content_type = response.header("content-type").unwrap_or("application/octet-stream").to_owned();
    ReplyBody::Vendor { content_type, bytes: response.body }
}
