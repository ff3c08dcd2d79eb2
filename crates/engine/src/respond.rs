//! Stage 6: records in the format asked for.

use koine_connector::compiled::Row;
use koine_connector::cursor;
use koine_connector::plan::{Exchange, Finished, Success};
use koine_model::{Error, Outcome, Response};
use serde_json::{Map, Value, json};

use crate::map::{Mapped, answer_scope, failed};
use crate::options::{Format, Options};
use crate::plan::{Prepared, is_raw};
use crate::{Engine, Operation, Reply, ReplyBody, envelope, error, shown};

/// The reply to a list or get.
pub(crate) fn read(
    engine: &Engine,
    prepared: &Prepared<'_>,
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
    let mut debug = debug(prepared, main.as_ref());
    let body = match &finished.result {
        Ok(Success::List { items, next, looping }) => {
            debug_list(&mut debug, items.len(), next.as_deref(), *looping);
            list(engine, prepared, records, next.as_deref(), main.as_ref())?
        }
        _ if is_raw(&prepared.options) => return Ok(reply(headers, vendor_body(main))),
        _ => match records.into_iter().next() {
            Some(mapped) => shape(prepared, mapped),
            None => return Err(Error::internal("a read ended without a record")),
        },
    };
    Ok(reply(headers, ReplyBody::Json(wrapped(&prepared.options, body, debug.as_ref()))))
}

fn list(
    engine: &Engine,
    prepared: &Prepared<'_>,
    records: Vec<Mapped>,
    next: Option<&str>,
    main: Option<&Exchange>,
) -> Result<Value, Error> {
    let next = next.map(|next| cursor::seal(&engine.parts.cursor_key, &prepared.scope(), next));
    let partial = is_partial(prepared, &prepared.row, main);
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

/// Whether the items of a list lack what the single records have.
pub(crate) fn is_partial(prepared: &Prepared<'_>, row: &Row, main: Option<&Exchange>) -> bool {
    let rule = row.is_partial.as_ref().zip(main);
    rule.is_some_and(|(expr, main)| expr.test(&answer_scope(prepared, &main.response)).unwrap_or(false))
}

fn keyed(items: Vec<Value>, field: &str) -> Value {
    let key = |item: &Value| crate::plan::text_of(item.get(field)).unwrap_or_default();
    Value::Object(items.into_iter().map(|item| (key(&item), item)).collect())
}

/// One record: `remote_data`, `normalized`, excluded fields.
pub(crate) fn shape(prepared: &Prepared<'_>, mapped: Mapped) -> Value {
    let Mapped { unified, vendor } = mapped;
    let options = &prepared.options;
    let normalized = options.format == Format::Normalized;
    let as_it_is = !normalized && options.exclude_fields.is_empty() && is_ordered(prepared, &unified);
    let mut record = if as_it_is { unified } else { arranged(prepared, unified) };
    let excluded = options.exclude_fields.iter().any(|name| name == "remote_data");
    if !normalized && !excluded && !options.ignore_remote_data && !vendor.is_null() {
        record.insert("remote_data".to_owned(), vendor);
    }
    Value::Object(record)
}

/// Whether the fields are the model's, in its order: nearly every record, and each lookup less counts.
fn is_ordered(prepared: &Prepared<'_>, unified: &Map<String, Value>) -> bool {
    let mut known = prepared.spec.fields.keys();
    unified.keys().all(|name| known.any(|field| field == name))
}

/// The model's fields in its order, but those that the caller left out; absent ones are null in `normalized`.
fn arranged(prepared: &Prepared<'_>, mut unified: Map<String, Value>) -> Map<String, Value> {
    let options = &prepared.options;
    let mut record = Map::with_capacity(unified.len() + 1);
    for name in prepared.spec.fields.keys().filter(|name| !options.exclude_fields.contains(name)) {
        match unified.swap_remove_entry(name) {
            Some((name, value)) => record.insert(name, value),
            None if options.format == Format::Normalized => record.insert(name.clone(), Value::Null),
            None => None,
        };
    }
    record
}

/// The reply to a call that was not made.
pub(crate) fn skipped(prepared: &Prepared<'_>) -> Reply {
    let body = if prepared.call.operation == Operation::List {
        let empty = if prepared.options.key_by.is_some() { json!({}) } else { json!([]) };
        envelope(&empty, None, 0, false)
    } else {
        let unified = prepared.target_id().map(|id| ("id".to_owned(), Value::String(id)));
        shape(prepared, Mapped { unified: unified.into_iter().collect(), vendor: Value::Null })
    };
    reply(Vec::new(), ReplyBody::Json(wrapped(&prepared.options, body, None)))
}

/// `{"result", "debug"}` where the caller asked for it.
fn wrapped(options: &Options, result: Value, debug: Option<&Value>) -> Value {
    match options.format {
        Format::Debug => json!({"result": result, "debug": debug}),
        _ => result,
    }
}

/// The exchange behind an answer, for people who look for a fault; no credential is in it.
fn debug(prepared: &Prepared<'_>, main: Option<&Exchange>) -> Option<Value> {
    let main = main.filter(|_| prepared.options.format == Format::Debug)?;
    let request = shown::request(prepared.connection.secrets(), &main.request);
    let headers: Map<String, Value> =
        error::shown_headers(&main.response).into_iter().map(|(key, value)| (key, json!(value))).collect();
    Some(json!({
        "requestUrl": request.url,
        "requestOptions": {"method": request.method, "headers": request.headers, "body": request.body},
        "status": main.response.status, "data": main.response.json(), "responseHeaders": headers,
    }))
}

fn debug_list(debug: &mut Option<Value>, count: usize, next: Option<&str>, looping: bool) {
    if let Some(debug) = debug {
        debug["nextCursor"] = json!(next);
        debug["isLooping"] = json!(looping);
        debug["isEmptyResult"] = json!(count == 0);
        debug["resultCount"] = json!(count);
    }
}

/// The reply to a write that ended with an outcome.
pub(crate) fn write(
    prepared: &Prepared<'_>,
    main: Option<Exchange>,
    mapped: Mapped,
    outcome: Option<Outcome>,
) -> Reply {
    let headers = headers(prepared, main.as_ref());
    let body = if is_raw(&prepared.options) {
        vendor_body(main)
    } else {
        let debug = debug(prepared, main.as_ref());
        ReplyBody::Json(wrapped(&prepared.options, shape(prepared, mapped), debug.as_ref()))
    };
    Reply { outcome, ..reply(headers, body) }
}

/// The vendor's headers that may be shown, and those that the row maps.
fn headers(prepared: &Prepared<'_>, main: Option<&Exchange>) -> Vec<(String, String)> {
    let Some(main) = main else { return Vec::new() };
    let mut headers = error::shown_headers(&main.response);
    let mapping = prepared.row.response_header_mapping.as_ref();
    let mapped = mapping.and_then(|expr| expr.eval(&answer_scope(prepared, &main.response)).ok().flatten());
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
fn vendor_body(main: Option<Exchange>) -> ReplyBody {
    match main.map(|main| main.response).filter(|response| !response.body.is_empty()) {
        None => ReplyBody::Json(json!({})),
        Some(response) => match response.json() {
            Some(json) => ReplyBody::Json(json),
            None => bytes_of(response),
        },
    }
}

fn vendor_bytes(main: Option<Exchange>) -> ReplyBody {
    let response = main.map(|main| main.response).filter(|response| !response.body.is_empty());
    response.map_or_else(|| ReplyBody::Json(json!({})), bytes_of)
}

fn bytes_of(response: Response) -> ReplyBody {
    let content_type = response.header("content-type").unwrap_or("application/octet-stream").to_owned();
    ReplyBody::Vendor { content_type, bytes: response.body }
}
