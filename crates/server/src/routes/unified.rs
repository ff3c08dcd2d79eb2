//! `/unified/{model}/{resource}[/{id or method}]`.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use koine_engine::{Caller, Engine, Operation, Reply, UnifiedCall};
use koine_model::{Error, ErrorCode};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::meta;
use crate::access::{By, Query};
use crate::{answer, body};

pub(crate) async fn call(
    State(engine): State<Engine>,
    By(caller): By,
    Query(query): Query,
    request: Request,
) -> Response {
    let (parts, content) = request.into_parts();
    let path = parts.uri.path();
    let segments = segments(path);
    if let Some(asked) = segments.as_ref().ok().and_then(|segments| meta::asked(&parts.method, segments)) {
        return meta::answer(&engine, &caller, asked, &query).await;
    }
    let decoded = segments.and_then(|segments| operation(&parts.method, segments));
    match run(&engine, &caller, decoded, path, query, &parts.headers, content).await {
        Ok(reply) => answer::reply(reply),
        Err(error) => answer::failure(&error),
    }
}

async fn run(
    engine: &Engine,
    caller: &Caller,
    decoded: Result<Decoded, Error>,
    path: &str,
    query: Map<String, Value>,
    headers: &HeaderMap,
    content: Body,
) -> Result<Reply, Error> {
    let (model, resource, operation, id) = decoded?;
    let (body, passthrough) = match operation.is_write() {
        true if body::is_passed_through(&query) => body::passed_through(content, headers).await?,
        true => (body::object(content).await?, None),
        false => (Map::new(), None),
    };
    let key = headers.get("idempotency-key").map(|value| value.to_str());
    let key = key.transpose().map_err(|_| Error::invalid("`Idempotency-Key` must be plain text"))?;
    let call = UnifiedCall {
        model,
        resource,
        operation,
        id,
        query,
        body,
        path: path.to_owned(),
        idempotency_key: key.map(ToOwned::to_owned),
        passthrough,
    };
    engine.unified(caller, call).await
}

type Decoded = (String, String, Operation, Option<String>);

/// What follows `/unified`, decoded once, by us. Repeated slashes collapse.
fn segments(path: &str) -> Result<Vec<String>, Error> {
    path.split('/').filter(|segment| !segment.is_empty()).skip(1).map(decoded).collect()
}

/// What is left of the path after model and resource belongs to the id.
fn operation(method: &Method, segments: Vec<String>) -> Result<Decoded, Error> {
    let mut segments = segments.into_iter();
    let (Some(model), Some(resource)) = (segments.next(), segments.next()) else {
        return Err(Error::not_found("a unified path is /unified/{model}/{resource}"));
    };
    let rest: Vec<String> = segments.collect();
    let id = (!rest.is_empty()).then(|| rest.join("/"));
    let operation = match (method.as_str(), &id) {
        ("GET", None) => Operation::List,
        ("GET", Some(_)) => Operation::Get,
        ("POST", None) => Operation::Create,
        ("POST", Some(name)) => return Ok((model, resource, Operation::Custom(name.clone()), None)),
        ("PATCH", _) => Operation::Update,
        ("DELETE", _) => Operation::Delete,
        _ => return Err(Error::new(ErrorCode::MethodNotAllowed, "use GET, POST, PATCH or DELETE")),
    };
    Ok((model, resource, operation, id))
}

fn decoded(segment: &str) -> Result<String, Error> {
    let text = percent_decode_str(segment).decode_utf8();
    text.map(std::borrow::Cow::into_owned).map_err(|_| Error::invalid("the path is not UTF-8 once decoded"))
}

#[cfg(test)]
mod tests {
    use super::{operation, segments};
    use axum::http::Method;
    use koine_engine::Operation;

    fn decode(method: &Method, path: &str) -> Result<super::Decoded, koine_model::Error> {
        operation(method, segments(path)?)
    }

    #[test]
    fn paths_of_both_sdks() {
        for (verb, path, operation, id) in [
            ("GET", "/unified/user-directory/users", Operation::List, None),
            ("GET", "//unified//user-directory/users/", Operation::List, None),
            ("GET", "/unified/user-directory/users/a%20b%2Fc%40x", Operation::Get, Some("a b/c@x")),
            ("DELETE", "/unified/user-directory/users/a/b", Operation::Delete, Some("a/b")),
            ("DELETE", "/unified/user-directory/users/%2e%2e", Operation::Delete, Some("..")),
            (
                "POST",
                "/unified/user-directory/groups/remove-user",
                Operation::Custom("remove-user".into()),
                None,
            ),
        ] {
            let verb = Method::from_bytes(verb.as_bytes()).unwrap();
            let (_, _, found, found_id) = decode(&verb, path).unwrap();
            assert_eq!((found, found_id.as_deref()), (operation, id), "{path}");
        }
        assert!(decode(&Method::GET, "/unified/user-directory").is_err());
        assert!(decode(&Method::PUT, "/unified/a/b").is_err());
        assert!(decode(&Method::GET, "/unified/a/%ff").is_err());
    }
}
