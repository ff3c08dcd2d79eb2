//! The parameters that every unified call understands.

use koine_model::Error;
use serde_json::{Map, Value};
use uuid::Uuid;

/// How the answer is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Format {
    #[default]
    Unified,
    Raw,
    Normalized,
    Stream,
    Debug,
}

/// Special parameters, read and checked; the rest of the query is the caller's filters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub account: Option<Uuid>,
    pub format: Format,
    pub ignore_remote_data: bool,
    pub exclude_fields: Vec<String>,
    pub remote_query: Map<String, Value>,
    pub key_by: Option<String>,
    pub ignore_limit: bool,
    /// Whether the mappings run without a call to the vendor.
    pub skip_api_call: bool,
    pub limit: Option<u64>,
    pub cursor: Option<String>,
    pub plan: bool,
    pub verify: bool,
    pub emails: Option<Vec<String>>,
    /// Everything else.
    pub query: Map<String, Value>,
}

pub(crate) fn read(query: &Map<String, Value>) -> Result<Options, Error> {
    let mut options = Options { verify: true, ..Options::default() };
    for (name, value) in query {
        if value.as_str() == Some("") {
            continue;
        }
        match name.as_str() {
            "integrated_account_id" => options.account = Some(account(value)?),
            "truto_response_format" => options.format = format(value)?,
            "truto_ignore_remote_data" => options.ignore_remote_data = boolean(name, value)?,
            "truto_exclude_fields" => options.exclude_fields = names(value),
            "truto_key_by" => options.key_by = value.as_str().map(ToOwned::to_owned),
            "truto_ignore_limit" => options.ignore_limit = boolean(name, value)?,
            "truto_skip_api_call" => options.skip_api_call = boolean(name, value)?,
            "truto_body_passthrough" => _ = boolean(name, value)?,
            "koine_plan" => options.plan = boolean(name, value)?,
            "koine_verify" => options.verify = boolean(name, value)?,
            "limit" => options.limit = Some(limit(value)?),
            "next_cursor" => options.cursor = value.as_str().map(ToOwned::to_owned),
            "remote_query" => {
                let map = value.as_object().cloned();
                options.remote_query = map.ok_or_else(|| {
                    Error::invalid("`remote_query` must be an object: `remote_query[name]=value`")
                })?;
            }
            "emails" => {
                options.emails = Some(emails(value)?);
                options.query.insert(name.clone(), value.clone());
            }
            name if name.starts_with("truto_") => {}
            _ => {
                options.query.insert(name.clone(), value.clone());
            }
        }
    }
    Ok(options)
}

/// Whether a call is for a plan only, which sends nothing but reads.
#[must_use]
pub fn asks_for_plan(query: &Map<String, Value>) -> bool {
    query.get("koine_plan").is_some_and(|value| boolean("koine_plan", value).unwrap_or_default())
}

fn account(value: &Value) -> Result<Uuid, Error> {
    let text = value.as_str().unwrap_or_default();
    Uuid::parse_str(text).map_err(|_| Error::invalid("`integrated_account_id` must be a UUID"))
}

fn format(value: &Value) -> Result<Format, Error> {
    Ok(match value.as_str().unwrap_or_default() {
        "unified" => Format::Unified,
        "raw" => Format::Raw,
        "normalized" => Format::Normalized,
        "stream" => Format::Stream,
        "debug" => Format::Debug,
        _ => {
            return Err(Error::invalid(
                "`truto_response_format` must be one of unified, raw, normalized, stream, debug",
            ));
        }
    })
}

/// `true`, `false`, `1`, `0`.
pub(crate) fn boolean(name: &str, value: &Value) -> Result<bool, Error> {
    if let Value::Bool(value) = value {
        return Ok(*value);
    }
    match value.as_str().unwrap_or_default() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(Error::invalid(format!("`{name}` must be true or false"))),
    }
}

fn limit(value: &Value) -> Result<u64, Error> {
    let number =
        value.as_str().and_then(|text| text.parse().ok()).filter(|number| (1..=1000).contains(number));
    number.ok_or_else(|| Error::invalid("`limit` must be a whole number from 1 to 1000"))
}

/// A list of names, or one comma list.
fn names(value: &Value) -> Vec<String> {
    let texts: Vec<&str> = match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::String(text) => text.split(',').collect(),
        _ => Vec::new(),
    };
    texts.into_iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Text, a list of texts, an object with `email`, or a list of such objects.
fn emails(value: &Value) -> Result<Vec<String>, Error> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Object(map) => map.get("email")?.as_str().map(|text| text.trim().to_owned()),
        _ => None,
    };
    let found: Option<Vec<String>> = match value {
        Value::Array(items) => items.iter().map(one).collect(),
        other => one(other).map(|email| vec![email]),
    };
    let found = found.filter(|all| !all.is_empty() && all.iter().all(|email| email.contains('@')));
    found.ok_or_else(|| Error::invalid("`emails` must be an e-mail address or a list of them"))
}
