//! Vendor records to unified records.

use std::borrow::Cow;
use std::sync::LazyLock;

use koine_model::{FieldType, ResourceSpec};
use serde_json::{Map, Value};

use crate::compiled::{Resource, Row};
use crate::expr::{Expr, Roots, Scope};

/// A field whose expression failed.
#[derive(Debug, thiserror::Error)]
#[error("field `{field}`: {message}")]
pub struct MapError {
    /// The unified field; `response_mapping` for a whole expression.
    pub field: String,
    /// What went wrong, without the data.
    pub message: String,
}

/// What a mapping sees besides the record: objects.
#[derive(Debug, Clone, Copy)]
pub struct MapInput<'a> {
    /// The caller's parameters.
    pub query: &'a Value,
    /// The caller's body.
    pub body: &'a Value,
    /// Credential fields without secrets.
    pub context: &'a Value,
    /// Named answers of steps.
    pub before: &'a Value,
}

impl Default for MapInput<'_> {
    fn default() -> Self {
        let empty = &*EMPTY;
        Self { query: empty, body: empty, context: empty, before: empty }
    }
}

/// An object without fields.
static EMPTY: LazyLock<Value> = LazyLock::new(|| Value::Object(Map::new()));

/// Maps one vendor record. Fields that come out undefined or null are left out.
///
/// # Errors
/// The first field whose expression fails.
pub fn record(
    resource: &Resource,
    row: &Row,
    spec: &ResourceSpec,
    vendor: &Value,
    input: MapInput<'_>,
) -> Result<Map<String, Value>, MapError> {
    let scope = scope(vendor, input);
    if let Some((expr, false)) = &row.response_mapping {
        return whole(expr, &scope);
    }
    let own = |name: &String| resource.record.contains_key(name);
    let fields = resource.record.iter().map(|(name, expr)| (name, row.record.get(name).unwrap_or(expr)));
    let mut record = Map::with_capacity(resource.record.len() + row.record.len());
    for (name, expr) in fields.chain(row.record.iter().filter(|(name, _)| !own(name))) {
        let value =
            scope.eval(expr).map_err(|error| MapError { field: name.clone(), message: error.to_string() })?;
        let Some(mut value) = value.filter(|value| !value.is_null()) else { continue };
        if let Some(field) = spec.fields.get(name) {
            conform(&mut value, &field.kind);
        }
        record.insert(name.clone(), value);
    }
    Ok(record)
}

/// Maps a whole list at once, where the row has a `response_mapping` with the method `array`.
///
/// # Errors
/// A mapping that fails or gives something else than records.
pub fn records(
    row: &Row,
    vendor: &[Value],
    input: MapInput<'_>,
) -> Result<Option<Vec<Map<String, Value>>>, MapError> {
    let Some((expr, true)) = &row.response_mapping else { return Ok(None) };
    let fail = |message: String| MapError { field: "response_mapping".to_owned(), message };
    let all = Value::Array(vendor.to_vec());
    let given = scope(&all, input).eval(expr);
    let items = match given.map_err(|error| fail(error.to_string()))? {
        Some(Value::Array(items)) => items,
        None | Some(Value::Null) => Vec::new(),
        Some(one) => vec![one],
    };
    let record = |item: Value| match item {
        Value::Object(map) => Ok(map),
        _ => Err(fail("the mapping gave no record".to_owned())),
    };
    items.into_iter().map(record).collect::<Result<Vec<_>, _>>().map(Some)
}

fn whole(expr: &Expr, scope: &Scope<'_>) -> Result<Map<String, Value>, MapError> {
    let fail = |message: String| MapError { field: "response_mapping".to_owned(), message };
    match scope.eval(expr).map_err(|error| fail(error.to_string()))? {
        Some(Value::Object(map)) => Ok(map),
        _ => Err(fail("the mapping gave no record".to_owned())),
    }
}

/// The vendor record's keys at the root, ours laid under them so that the vendor's win; the whole record is
/// also `response`.
fn scope<'v>(vendor: &'v Value, input: MapInput<'v>) -> Scope<'v> {
    let MapInput { query, body, context, before } = input;
    let under = vec![("query", query), ("body", body), ("context", context), ("before", before)];
    Scope::new(Roots::layered(vec![("response", Some(Cow::Borrowed(vendor)))], vendor, under))
}

/// Ids and other text are text, and lists are lists, whatever the vendor sends.
fn conform(value: &mut Value, kind: &FieldType) {
    match (kind, &mut *value) {
        (FieldType::Text | FieldType::DateTime, Value::Number(number)) => {
            *value = Value::String(number.to_string());
        }
        (FieldType::Text, Value::Bool(flag)) => *value = Value::String(flag.to_string()),
        (FieldType::List(of), Value::Array(items)) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(|item| conform(item, of));
        }
        (FieldType::List(of), one) => {
            conform(one, of);
            *value = Value::Array(vec![value.take()]);
        }
        (FieldType::Record(fields), Value::Object(map)) => {
            for (key, value) in map {
                if let Some(kind) = fields.get(key).filter(|_| !value.is_null()) {
                    conform(value, kind);
                }
            }
        }
        _ => {}
    }
}
