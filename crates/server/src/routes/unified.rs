//! `/unified/{model}/{resource}[/{id or method}]`.

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use koine_engine::{Engine, Operation, Reply, UnifiedCall};
use koine_model::{Error, ErrorCode};
use percent_encoding::percent_decode_str;
use serde_json::Map;

use super::caller;
use crate::{answer, body};

pub(crate) async fn call(
    State(engine): State<Engine>,
    method: Method,
    uri: Uri,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
    content: Body,
) -> Response {
    match run(&engine, &method, uri.path(), raw.as_deref(), &headers, content).await {
        Ok(reply) => answer::reply(reply),
        Err(error) => answer::failure(&error),
    }
}

async fn run(
    engine: &Engine,
    method: &Method,
    path: &str,
    raw: Option<&str>,
    headers: &HeaderMap,
    content: Body,
) -> Result<Reply, Error> {
    let caller = caller(engine, headers).await?;
    let (model, resource, operation, id) = decode(method, path)?;
    let body = if operation.is_write() { body::object(content).await? } else { Map::new() };
    let key = headers.get("idempotency-key").map(|value| value.to_str());
    let key = key.transpose().map_err(|_| Error::invalid("`Idempotency-Key` must be plain text"))?;
    let call = UnifiedCall {
        model,
        resource,
        operation,
        id,
        query: body::query(raw)?,
        body,
        path: path.to_owned(),
        idempotency_key: key.map(ToOwned::to_owned),
    };
    engine.unified(&caller, call).await
}

type Decoded = (String, String, Operation, Option<String>);

/// Segments are decoded once, by us. Repeated slashes collapse; what is left of the path belongs to the id.
fn decode(method: &Method, path: &str) -> Result<Decoded, Error> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).skip(1);
    let mut name = || segments.next().map(decoded).transpose();
    let (Some(model), Some(resource)) = (name()?, name()?) else {
        return Err(Error::not_found("a unified path is /unified/{model}/{resource}"));
    };
    let rest: Vec<String> = segments.map(decoded).collect::<Result<_, _>>()?;
    if rest.iter().take(2).any(|segment| segment == "meta") {
        return Err(Error::not_found("descriptions of methods are not served here yet"));
    }
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
    use super::decode;
    use axum::http::Method;
    use koine_engine::Operation;

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
