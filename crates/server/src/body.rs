//! What comes in: query strings and bodies.

use axum::body::Body;
use koine_model::{Error, ErrorCode};
use serde_json::{Map, Value};

/// Most bytes of a request body.
const LARGEST: usize = 1 << 20;

/// The decoded query.
pub(crate) fn query(raw: Option<&str>) -> Result<Map<String, Value>, Error> {
    koine_model::query::parse(raw.unwrap_or_default()).map_err(|error| Error::invalid(error.to_string()))
}

/// The body as an object, whatever the content type says; an absent one is empty.
pub(crate) async fn object(body: Body) -> Result<Map<String, Value>, Error> {
    let bytes = axum::body::to_bytes(body, LARGEST).await.map_err(|_| {
        Error::new(
            ErrorCode::TooLarge,
            format!("the body did not arrive whole, or is larger than {LARGEST} bytes"),
        )
    })?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(Error::invalid("the body must be a JSON object")),
        Err(error) => Err(Error::invalid(format!("the body is not valid JSON: {error}"))),
    }
}
