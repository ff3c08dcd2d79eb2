//! From a request's description to a [`Request`]: URL, query, headers, body. Credentials are not in it.

use koine_model::{Body, Request, Verb};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use url::Url;

use crate::compiled::{BodyFormat, Connector, RequestSpec};
use crate::expr::Roots;
use crate::template::Template;
use crate::{multipart, xml};

/// Everything but RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Why a request cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BuildError {
    /// The caller's input cannot be placed in the request.
    #[error("{0}")]
    Input(String),
    /// The connector's data is at fault.
    #[error("{0}")]
    Connector(String),
}

/// What a call adds to a request's own description.
#[derive(Debug, Default)]
pub(crate) struct Additions {
    /// Replaces the path.
    pub path: Option<String>,
    /// Laid over the query.
    pub query: Map<String, Value>,
    /// Laid over the body.
    pub body: Option<Value>,
    /// Laid over the headers.
    pub headers: Map<String, Value>,
}

/// The base URL of an account: the operator's, or the connector's with credential fields filled in.
pub(crate) fn base_url(
    connector: &Connector,
    context: &Value,
    operator: Option<&Url>,
) -> Result<Url, BuildError> {
    if let Some(url) = operator {
        return Ok(url.clone());
    }
    let text = connector
        .base_url
        .render(context, &|value| Ok(value.to_owned()))
        .map_err(|error| BuildError::Connector(format!("base URL of {}: {error}", connector.name)))?;
    Url::parse(&text)
        .map_err(|error| BuildError::Connector(format!("base URL of {}: {error}", connector.name)))
}

/// Builds one request. `roots` hold every name; only `base` decides the host.
pub(crate) fn request(
    connector: &Connector,
    spec: &RequestSpec,
    base: &Url,
    roots: &Roots<'_>,
    additions: Additions,
) -> Result<Request, BuildError> {
    let path = match additions.path {
        Some(path) => checked_path(&path)?,
        None => spec.path.fill(roots, &segment).map_err(|error| BuildError::Input(error.to_string()))?,
    };
    let mut url = base.clone();
    let joined = [base.path().trim_end_matches('/'), &path].concat();
    url.set_path(&joined);
    let mut query = Map::new();
    merge_template(&mut query, connector.query.as_ref(), roots)?;
    for (key, value) in &spec.path_query {
        query.insert(key.clone(), Value::String(value.clone()));
    }
    merge_template(&mut query, spec.query.as_ref(), roots)?;
    query.extend(additions.query);
    set_query(&mut url, &query);
    let headers = headers(connector, spec, roots, &additions.headers)?;
    let body = body(spec, roots, additions.body)?;
    Ok(Request { verb: spec.verb, url, headers, body })
}

/// One placeholder's value inside a path.
fn segment(value: &str) -> Result<String, String> {
    if value == "." || value == ".." {
        return Err(format!("`{value}` cannot be part of a path"));
    }
    if value.chars().any(char::is_control) {
        return Err("control characters cannot be part of a path".to_owned());
    }
    Ok(utf8_percent_encode(value, SEGMENT).to_string())
}

/// A computed path must stay under the base URL.
fn checked_path(path: &str) -> Result<String, BuildError> {
    let bad = !path.starts_with('/')
        || path.starts_with("//")
        || path.split('/').any(|part| part == ".." || part == ".")
        || path.contains(['?', '#', '\\'])
        || path.chars().any(char::is_control);
    if bad {
        Err(BuildError::Connector("a computed path is not a plain path".to_owned()))
    } else {
        Ok(path.to_owned())
    }
}

fn merge_template(
    into: &mut Map<String, Value>,
    template: Option<&Template>,
    roots: &Roots<'_>,
) -> Result<(), BuildError> {
    let Some(template) = template else { return Ok(()) };
    match template.fill(roots) {
        Ok(Value::Object(map)) => into.extend(map),
        Ok(_) => return Err(BuildError::Connector("a query must be a map".to_owned())),
        Err(error) => return Err(BuildError::Input(error.to_string())),
    }
    Ok(())
}

fn set_query(url: &mut Url, query: &Map<String, Value>) {
    let pairs: Vec<(String, String)> = query.iter().flat_map(|(key, value)| flatten(key, value)).collect();
    if pairs.is_empty() {
        return;
    }
    url.query_pairs_mut().extend_pairs(pairs);
}

/// Lists repeat the key, objects use brackets, null and nothing are left out.
fn flatten(key: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().flat_map(|item| flatten(key, item)).collect(),
        Value::Object(map) => {
            map.iter().flat_map(|(inner, value)| flatten(&format!("{key}[{inner}]"), value)).collect()
        }
        Value::String(text) => vec![(key.to_owned(), text.clone())],
        other => vec![(key.to_owned(), other.to_string())],
    }
}

fn headers(
    connector: &Connector,
    spec: &RequestSpec,
    roots: &Roots<'_>,
    computed: &Map<String, Value>,
) -> Result<Vec<(String, String)>, BuildError> {
    let mut headers = Map::new();
    let said = connector.headers.iter().chain(&spec.headers);
    for (name, template) in said.filter(|(_, template)| !template.is_left_out(roots)) {
        let value = template
            .fill(roots, &|value| Ok(value.to_owned()))
            .map_err(|error| BuildError::Input(format!("header `{name}`: {error}")))?;
        headers.insert(name.clone(), Value::String(value));
    }
    headers.extend(computed.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())));
    headers
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
        .map(|(name, value)| {
            if value.chars().any(char::is_control) {
                return Err(BuildError::Input(format!("header `{name}` would hold a control character")));
            }
            Ok((name, value))
        })
        .collect()
}

fn body(spec: &RequestSpec, roots: &Roots<'_>, over: Option<Value>) -> Result<Option<Body>, BuildError> {
    if spec.verb == Verb::Get {
        return Ok(None);
    }
    let own = match &spec.body {
        Some(template) => Some(template.fill(roots).map_err(|error| BuildError::Input(error.to_string()))?),
        None => None,
    };
    let value = match (own, over) {
        (Some(Value::Object(mut own)), Some(Value::Object(over))) => {
            own.extend(over);
            Some(Value::Object(own))
        }
        (own, over) => over.or(own),
    };
    written(&spec.body_format, value)
}

/// The body in its format.
fn written(format: &BodyFormat, value: Option<Value>) -> Result<Option<Body>, BuildError> {
    if let BodyFormat::GraphQl(document) = format {
        let variables = value.unwrap_or_else(|| json!({}));
        return Ok(Some(Body::Json(json!({"query": document, "variables": variables}))));
    }
    let Some(value) = value else { return Ok(None) };
    Ok(Some(match (format, value) {
        (BodyFormat::Form, Value::Object(map)) => {
            Body::Form(map.iter().flat_map(|(key, value)| flatten(key, value)).collect())
        }
        (BodyFormat::Multipart, Value::Object(map)) => {
            let parts: Vec<_> = map.iter().flat_map(|(key, value)| flatten(key, value)).collect();
            multipart::written(&parts)
        }
        (BodyFormat::Raw, Value::String(text)) => {
            Body::Raw { content_type: "text/plain; charset=utf-8".to_owned(), text }
        }
        (BodyFormat::Xml, value) => {
            let text = xml::written(&value).map_err(BuildError::Input)?;
            Body::Raw { content_type: "application/xml".to_owned(), text }
        }
        (_, value) => Body::Json(value),
    }))
}

#[cfg(test)]
mod tests;
