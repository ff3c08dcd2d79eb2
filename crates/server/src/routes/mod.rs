//! Handlers, one file per group of routes.

pub(crate) mod accounts;
pub(crate) mod health;
pub(crate) mod meta;
pub(crate) mod unified;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use koine_engine::{Caller, Engine};
use koine_model::Error;

/// Who calls, by the Authorization header.
async fn caller(engine: &Engine, headers: &HeaderMap) -> Result<Caller, Error> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    engine.authenticate(header).await
}
