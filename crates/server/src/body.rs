//! What comes in: query strings and bodies.

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use futures::StreamExt as _;
use koine_model::{Error, ErrorCode};
use serde_json::{Map, Value};

/// Most bytes of a request body.
const LARGEST: usize = 1 << 20;
/// Longest time for all of it: who sends it drop by drop holds nothing for ever.
const LONGEST_TIME: Duration = Duration::from_secs(60);
/// Most bytes of a larger one that are still read, so that the client hears why.
const MOST_DROPPED: usize = 64 << 20;

/// The decoded query.
pub(crate) fn query(raw: Option<&str>) -> Result<Map<String, Value>, Error> {
    koine_model::query::parse(raw.unwrap_or_default()).map_err(|error| Error::invalid(error.to_string()))
}

/// The body as an object, whatever the content type says; an absent one is empty.
pub(crate) async fn object(body: Body) -> Result<Map<String, Value>, Error> {
    parse(&whole(body).await?)
}

/// The same of bytes that were read already.
pub(crate) fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Error> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(map)) if has_nul(&map) => Err(nul()),
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(Error::invalid("the body must be a JSON object")),
        Err(error) => Err(Error::invalid(format!("the body is not valid JSON: {error}"))),
    }
}

/// Nothing that we keep or compare has this character in it, and not every database can store it.
pub(crate) fn nul() -> Error {
    Error::invalid("the character NUL (U+0000) is not allowed anywhere in a request")
}

fn has_nul(map: &Map<String, Value>) -> bool {
    map.iter().any(|(key, value)| key.contains('\0') || value_has_nul(value))
}

fn value_has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(value_has_nul),
        Value::Object(map) => has_nul(map),
        _ => false,
    }
}

/// Whether the body is to go to the vendor byte for byte.
pub(crate) fn is_passed_through(query: &Map<String, Value>) -> bool {
    let flag = query.get("truto_body_passthrough").and_then(Value::as_str);
    matches!(flag, Some("true" | "1"))
}

/// The body as it is, and what can be read of it as an object for ids and guards.
pub(crate) async fn passed_through(
    body: Body,
    headers: &HeaderMap,
) -> Result<(Map<String, Value>, Option<koine_model::Body>), Error> {
    let bytes = whole(body).await?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::invalid("a body that is passed through must be UTF-8 text"))?;
    let object = serde_json::from_str(&text).unwrap_or_default();
    if has_nul(&object) {
        return Err(nul());
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or("application/json").to_owned();
    Ok((object, Some(koine_model::Body::Raw { content_type, text })))
}

/// All of it in time, or why not.
pub(crate) async fn whole(body: Body) -> Result<Vec<u8>, Error> {
    let late = || Error::invalid(format!("the body did not arrive within {} s", LONGEST_TIME.as_secs()));
    tokio::time::timeout(LONGEST_TIME, read(body)).await.map_err(|_| late())?
}

/// All of it, or why not. What is too large is read to its end (bounded) and dropped: a client that still
/// writes would see a broken connection instead of the answer.
async fn read(body: Body) -> Result<Vec<u8>, Error> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk =
            chunk.map_err(|error| Error::invalid(format!("the body did not arrive whole: {error}")))?;
        length += chunk.len();
        if length <= LARGEST {
            bytes.extend_from_slice(&chunk);
        } else if length > MOST_DROPPED {
            break;
        }
    }
    if length > LARGEST {
        let message = format!("the body is larger than {LARGEST} bytes");
        return Err(Error::new(ErrorCode::TooLarge, message));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_nul_is_found_wherever_it_hides() {
        for body in [r#"{"a":"x\u0000"}"#, r#"{"a\u0000":1}"#, r#"{"a":[1,{"b":["\u0000"]}]}"#] {
            let refused = parse(body.as_bytes()).unwrap_err();
            assert!(refused.message.contains("NUL"), "{body}: {}", refused.message);
        }
        // An escaped backslash before it: six characters, none of them NUL.
        assert_eq!(parse(br#"{"a":"\\u0000"}"#).unwrap()["a"], r"\u0000");
    }
}
