//! From a request's description to a [`Request`]: URL, query, headers, body. Credentials are not in it.

use koine_model::{Body, Request, Verb};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use url::Url;

use crate::compiled::{BodyFormat, Connector, RequestSpec};
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

/// Builds one request. `scope` holds every root; only `base` decides the host.
pub(crate) fn request(
    connector: &Connector,
    spec: &RequestSpec,
    base: &Url,
    scope: &Value,
    additions: Additions,
) -> Result<Request, BuildError> {
    let path = match additions.path {
        Some(path) => checked_path(&path)?,
        None => spec.path.render(scope, &segment).map_err(|error| BuildError::Input(error.to_string()))?,
    };
    let mut url = base.clone();
    let joined = format!("{}{path}", base.path().trim_end_matches('/'));
    url.set_path(&joined);
    let mut query = Map::new();
    merge_template(&mut query, connector.query.as_ref(), scope)?;
    for (key, value) in &spec.path_query {
        query.insert(key.clone(), Value::String(value.clone()));
    }
    merge_template(&mut query, spec.query.as_ref(), scope)?;
    query.extend(additions.query);
    set_query(&mut url, &query);
    let headers = headers(connector, spec, scope, &additions.headers)?;
    let body = body(spec, scope, additions.body)?;
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
        Err(BuildError::Connector(format!("computed path `{path}` is not a plain path")))
    } else {
        Ok(path.to_owned())
    }
}

fn merge_template(
    into: &mut Map<String, Value>,
    template: Option<&Template>,
    scope: &Value,
) -> Result<(), BuildError> {
    let Some(template) = template else { return Ok(()) };
    match template.render(scope) {
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
    scope: &Value,
    computed: &Map<String, Value>,
) -> Result<Vec<(String, String)>, BuildError> {
    let mut headers = Map::new();
    for (name, template) in connector.headers.iter().chain(&spec.headers) {
        let value = template
            .render(scope, &|value| Ok(value.to_owned()))
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

fn body(spec: &RequestSpec, scope: &Value, over: Option<Value>) -> Result<Option<Body>, BuildError> {
    if spec.verb == Verb::Get {
        return Ok(None);
    }
    let own = match &spec.body {
        Some(template) => Some(template.render(scope).map_err(|error| BuildError::Input(error.to_string()))?),
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
mod tests {
    use std::sync::Arc;

    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};
    use url::Url;

    use super::{Additions, BuildError, checked_path, request, segment, set_query};
    use crate::compiled::Connector;
    use crate::problem::Problems;
    use crate::yaml::Node;

    fn connector() -> Connector {
        let text = "name: acme\nlabel: Acme\ncategory: x\napi: x\nbase_url: https://api.example.com/v1\n\
                    credentials: {k: {fields: {k: {label: K}}, authorization: {format: bearer, config: {token: '{{k}}'}}}}\n\
                    resources: {users: {get: \"GET /users/{{id}}/x\", find: {method: GET, path: /users, query: {filter: \"email eq {{id:quoted}}\", q: \"WHERE email = {{id:single-quoted}}\"}}}}\n";
        let node = Node::parse(&Arc::from("acme/connector.yaml"), text).unwrap();
        let sources = crate::compile::Sources {
            folder: "acme".to_owned(),
            vendor: node,
            models: Vec::new(),
            facts: None,
        };
        let mut problems = Problems::default();
        let connector = crate::compile::compile(&sources, &mut problems);
        assert!(problems.0.is_empty(), "{problems}");
        connector.unwrap()
    }

    fn built(connector: &Connector, name: &str, id: &str) -> Result<Url, BuildError> {
        let base = Url::parse("https://api.example.com/v1").unwrap();
        let spec = &connector.requests[name];
        request(connector, spec, &base, &json!({"id": id}), Additions::default()).map(|request| request.url)
    }

    #[test]
    fn a_segment_cannot_leave_its_place() {
        assert_eq!(segment("a/../b?c#d").unwrap(), "a%2F..%2Fb%3Fc%23d");
        assert!(segment("..").is_err());
        assert!(segment("a\r\nb").is_err());
    }

    #[test]
    fn a_computed_path_stays_below_the_base() {
        for bad in ["users", "//evil.example", "/a/../b", "/a?b", "/a#b", "/a\\b", "/a\nb", "/./a", ""] {
            assert!(checked_path(bad).is_err(), "{bad}");
        }
        assert_eq!(checked_path("/users/1").unwrap(), "/users/1");
    }

    proptest! {
        #[test]
        fn whatever_the_id_the_path_keeps_its_shape(id in "\\PC{1,40}|[./%?#\\\\@:;&= a-c]{1,12}") {
            let connector = connector();
            match built(&connector, "users.get", &id) {
                Ok(url) => {
                    prop_assert_eq!(url.host_str(), Some("api.example.com"));
                    prop_assert_eq!((url.query(), url.fragment()), (None, None));
                    let parts: Vec<_> = url.path_segments().unwrap().collect();
                    prop_assert_eq!((parts.len(), parts[0], parts[1], parts[3]), (4, "v1", "users", "x"));
                    let back = percent_decode_str(parts[2]).decode_utf8().unwrap();
                    prop_assert_eq!(back.as_ref(), id.as_str());
                }
                Err(error) => {
                    let refused = id == "." || id == ".." || id.trim().is_empty() || id.chars().any(char::is_control);
                    prop_assert!(refused, "{} was refused: {}", id, error);
                }
            }
        }

        #[test]
        fn a_quoted_value_stays_one_value(id in "[a-c\"\\\\ ()]{1,20}") {
            let connector = connector();
            let url = built(&connector, "users.find", &id).unwrap();
            let filter = url.query_pairs().next().unwrap().1.into_owned();
            let quoted = filter.strip_prefix("email eq ").unwrap();
            // JSON text is the grammar of SCIM's values
            prop_assert_eq!(serde_json::from_str::<String>(quoted).unwrap(), id);
        }

        #[test]
        fn a_value_in_single_quotes_stays_one_value(id in "[a-c'\"\\\\ ()\n\r]{1,20}") {
            let connector = connector();
            let url = built(&connector, "users.find", &id).unwrap_or_else(|error| panic!("{error}"));
            let query = url.query_pairs().nth(1).unwrap().1.into_owned();
            let literal = query.strip_prefix("WHERE email = '").unwrap();
            // read as the vendor does: a backslash takes the next character with it, the first bare quote ends it
            let mut read = String::new();
            let mut rest = literal.chars();
            let end = loop {
                match rest.next() {
                    Some('\\') => read.push(match rest.next().unwrap() { 'n' => '\n', 'r' => '\r', other => other }),
                    Some('\'') => break rest.as_str(),
                    Some(other) => read.push(other),
                    None => panic!("no end: {literal}"),
                }
            };
            prop_assert_eq!((read, end), (id, ""));
        }

        #[test]
        fn queries_arrive_as_they_were_meant(pairs in proptest::collection::vec(("[a-z]{1,5}", "\\PC{0,12}"), 0..6)) {
            let mut url = Url::parse("https://api.example.com/v1").unwrap();
            let query: Map<String, Value> = pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            set_query(&mut url, &query);
            let back: Map<String, Value> =
                url.query_pairs().map(|(name, value)| (name.into_owned(), json!(value))).collect();
            prop_assert_eq!(back, query);
        }
    }
}
