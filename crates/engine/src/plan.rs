//! Stage 3: from a decoded call to a typed, checked one, and to the question a plan is asked.

use std::cell::LazyCell;
use std::sync::Arc;

use koine_connector::compiled::{Parameter, Resource, Row};
use koine_connector::cursor;
use koine_connector::plan::{Ask, Mode};
use koine_model::NameMap;
use koine_model::{Error, ErrorCode, MethodSpec, ResourceSpec};
use serde_json::{Map, Value, json};

use crate::account::Connection;
use crate::options::{Format, Options};
use crate::{Engine, Operation, UnifiedCall};

/// Longest id that is passed on.
const LONGEST_ID: usize = 1024;

/// A call that is known to be possible, with everything later stages look up.
pub(crate) struct Prepared<'e> {
    pub connection: Arc<Connection>,
    pub call: Box<UnifiedCall>,
    pub options: Options,
    pub model: String,
    pub spec: &'e ResourceSpec,
    pub method: &'e MethodSpec,
    pub row: Arc<Row>,
    /// Typed parameters.
    pub query: Map<String, Value>,
    /// The body without `remote_data`.
    pub body: Map<String, Value>,
    pub remote_data: Map<String, Value>,
    pub base_url: Option<url::Url>,
    /// The vendor's cursor.
    pub cursor: Option<String>,
}

impl Prepared<'_> {
    pub(crate) fn resource(&self) -> Option<&Resource> {
        self.connection.connector.models.get(&self.model)?.get(&self.call.resource)
    }

    /// What cursors and locks of this call belong to.
    pub(crate) fn scope(&self) -> String {
        format!("{}/{}/{}", self.connection.account.id, self.model, self.call.resource)
    }

    /// The id the target goes by: the path id, or the body field that the model names.
    pub(crate) fn target_id(&self) -> Option<String> {
        match &self.method.target {
            None => self.call.id.clone(),
            Some(field) => text_of(self.body.get(field)),
        }
    }

    /// The id of the user acted upon.
    pub(crate) fn subject_id(&self) -> Option<String> {
        match &self.method.subject {
            None => self.call.id.clone(),
            Some(field) => text_of(self.body.get(field)),
        }
    }
}

pub(crate) fn text_of(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn unsupported(connection: &Connection, call: &UnifiedCall) -> Error {
    Error::not_found(format!(
        "{} does not support `{}` on {}/{}",
        connection.connector.label,
        call.operation.name(),
        call.model,
        call.resource
    ))
}

pub(crate) fn prepare(
    engine: &Engine,
    connection: Arc<Connection>,
    mut call: Box<UnifiedCall>,
    options: Options,
) -> Result<Prepared<'_>, Error> {
    let catalogue = &engine.parts.catalogue;
    let model = catalogue.model(&call.model).ok_or_else(|| Engine::unknown("model", &call.model))?;
    call.resource = call.resource.replace('_', "-");
    let spec = model.resources.get(&call.resource);
    let spec = spec.ok_or_else(|| Engine::unknown(&format!("resource of {}", model.name), &call.resource))?;
    if let Operation::Custom(name) = &mut call.operation {
        *name = name.replace('_', "-");
    }
    let name = call.operation.name();
    let method = spec.methods.get(name);
    let method = method
        .ok_or_else(|| Engine::unknown(&format!("method of {}/{}", model.name, call.resource), name))?;
    check_id(call.id.as_deref())?;
    let mut body = call.body.clone();
    let remote_data = remote_data(&mut body)?;
    let row = connection.connector.models.get(&model.name).and_then(|resources| {
        let resource = resources.get(&call.resource)?;
        resource.methods.get(name).cloned()
    });
    let row = row.ok_or_else(|| unsupported(&connection, &call))?;
    let base_url = engine.parts.base_urls.base(&connection.connector.name).cloned();
    let mut prepared = Prepared {
        model: model.name.clone(),
        spec,
        method,
        row,
        query: Map::new(),
        body,
        remote_data,
        base_url,
        cursor: None,
        connection,
        call,
        options,
    };
    let query = typed(&prepared.row.query_schema, &prepared.options.query)?;
    check_required(&prepared, &query)?;
    prepared.query = query;
    prepared.body = fitting(&prepared.row.request_body_schema, &prepared.body)?;
    if let Some(text) = &prepared.options.cursor {
        prepared.cursor = Some(cursor::open(&engine.parts.cursor_key, &prepared.scope(), text)?);
    }
    if prepared.options.plan && prepared.options.skip_api_call {
        return Err(Error::invalid(
            "`koine_plan` reads at the vendor and `truto_skip_api_call` forbids that; use one of them",
        ));
    }
    if prepared.options.plan && !prepared.call.operation.is_write() {
        return Err(Error::invalid("`koine_plan` is for writes; a read changes nothing"));
    }
    Ok(prepared)
}

fn check_id(id: Option<&str>) -> Result<(), Error> {
    if id.is_none_or(is_id) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the id must be 1 to {LONGEST_ID} characters, without control characters, and not `.` or `..`"
    )))
}

/// Whether a text can stand in a path and in the journal, whoever said it.
pub(crate) fn is_id(text: &str) -> bool {
    !text.trim().is_empty()
        && text.len() <= LONGEST_ID
        && !text.chars().any(char::is_control)
        && !matches!(text, "." | "..")
}

fn remote_data(body: &mut Map<String, Value>) -> Result<Map<String, Value>, Error> {
    match body.shift_remove("remote_data") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(Error::invalid("`remote_data` must be an object")),
    }
}

/// Text to the types of the schema; parameters that the schema does not know stay text.
fn typed(schema: &NameMap<Parameter>, raw: &Map<String, Value>) -> Result<Map<String, Value>, Error> {
    raw.iter()
        .map(|(name, value)| match schema.get(name) {
            Some(parameter) => Ok((name.clone(), coerce(name, value, parameter)?)),
            None => Ok((name.clone(), value.clone())),
        })
        .collect()
}

/// Body fields in the form that the vendor's schema asks for; numbers stand for text where text is wanted.
fn fitting(schema: &NameMap<Parameter>, body: &Map<String, Value>) -> Result<Map<String, Value>, Error> {
    let mut fitting = body.clone();
    for (name, parameter) in schema {
        let Some(value) = body.get(name).filter(|value| !value.is_null()) else { continue };
        let value = match value {
            Value::Number(number) if parameter.kind == "string" => Value::String(number.to_string()),
            value => value.clone(),
        };
        fitting.insert(name.clone(), coerce(name, &value, parameter)?);
    }
    Ok(fitting)
}

fn coerce(name: &str, value: &Value, parameter: &Parameter) -> Result<Value, Error> {
    let wrong = |wanted: &str| Error::invalid(format!("`{name}` must be {wanted}"));
    let typed = match (parameter.kind.as_str(), value) {
        ("boolean", _) => Value::Bool(crate::options::boolean(name, value)?),
        ("number", Value::String(text)) => {
            let number: serde_json::Number = text.parse().map_err(|_| wrong("a number"))?;
            Value::Number(number)
        }
        ("array", Value::Array(_)) | ("object", Value::Object(_)) | ("number", Value::Number(_)) => {
            value.clone()
        }
        ("array", one) => json!([one]),
        ("string", Value::String(_)) => value.clone(),
        ("string", _) if name == "emails" => value.clone(),
        (kind, _) => return Err(wrong(&format!("of type {kind}"))),
    };
    if let Some(text) = typed.as_str() {
        if !parameter.values.is_empty() && !parameter.values.iter().any(|known| known == text) {
            return Err(wrong(&format!("one of {}", parameter.values.join(", "))));
        }
        if parameter.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
            return Err(wrong("in the form that the vendor uses"));
        }
    }
    Ok(typed)
}

/// What this vendor needs and the caller did not send, by name.
fn check_required(prepared: &Prepared<'_>, query: &Map<String, Value>) -> Result<(), Error> {
    let scope = LazyCell::new(|| json!({"query": query, "body": prepared.body, "id": prepared.call.id}));
    let lacks = |schema: &NameMap<Parameter>, given: &Map<String, Value>| -> Vec<String> {
        let needed = schema.iter().filter(|(_, parameter)| {
            parameter.required
                || parameter.required_if.as_ref().is_some_and(|expr| expr.test(&*scope).unwrap_or(false))
        });
        needed.map(|(name, _)| name).filter(|name| is_absent(given.get(*name))).cloned().collect()
    };
    let query_lacks = lacks(&prepared.row.query_schema, query);
    let mut body_lacks = lacks(&prepared.row.request_body_schema, &prepared.body);
    for field in &prepared.method.required_body {
        if is_absent(prepared.body.get(field)) && !body_lacks.contains(field) {
            body_lacks.push(field.clone());
        }
    }
    if query_lacks.is_empty() && body_lacks.is_empty() {
        return check_body_ids(prepared);
    }
    let names: Vec<_> = query_lacks.iter().chain(&body_lacks).map(|name| format!("`{name}`")).collect();
    let message = format!("{} needs {}", prepared.connection.connector.label, names.join(", "));
    let mut error = Error::new(ErrorCode::MissingParameter, message);
    if !query_lacks.is_empty() {
        error = error
            .with_insight("missing_required_query_parameters", insight(&query_lacks, "query parameters"));
    }
    if !body_lacks.is_empty() {
        error = error.with_insight("missing_required_body_fields", insight(&body_lacks, "body fields"));
    }
    Err(error)
}

fn insight(names: &[String], what: &str) -> Value {
    json!({"description": format!("these {what} are required by the provider and were not given"), "value": names})
}

fn is_absent(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.is_null() || value.as_str() == Some(""))
}

/// Ids in a body obey the rules of path ids.
fn check_body_ids(prepared: &Prepared<'_>) -> Result<(), Error> {
    for field in prepared.method.target.iter().chain(&prepared.method.subject) {
        let Some(value) = prepared.body.get(field) else { continue };
        let id = text_of(Some(value)).ok_or_else(|| Error::invalid(format!("`{field}` must be text")))?;
        check_id(Some(&id))?;
    }
    Ok(())
}

/// The question for a plan.
pub(crate) fn ask(prepared: &Prepared<'_>) -> Ask {
    let mut query = prepared.query.clone();
    if let Some(emails) = &prepared.options.emails {
        query.insert("emails".to_owned(), json!(emails));
    }
    Ask {
        model: prepared.model.clone(),
        resource: prepared.call.resource.clone(),
        method: prepared.call.operation.name().to_owned(),
        id: prepared.call.id.clone().or_else(|| prepared.target_id()),
        query,
        raw_query: prepared.options.query.clone(),
        body: prepared.body.clone(),
        remote_query: prepared.options.remote_query.clone(),
        remote_data: prepared.remote_data.clone(),
        passthrough: prepared.call.passthrough.clone(),
        context: prepared.connection.fields().clone(),
        base_url: prepared.base_url.clone(),
        limit: prepared.options.limit.filter(|_| !prepared.options.ignore_limit),
        cursor: prepared.cursor.clone(),
        verify: prepared.options.verify,
        mode: if prepared.options.plan { Mode::DryRun } else { Mode::Run },
        known_target: None,
        known_before: Map::new(),
    }
}

/// Whether the vendor's own words are wanted.
pub(crate) fn is_raw(options: &Options) -> bool {
    matches!(options.format, Format::Raw | Format::Stream)
}
