//! Is it alive, and is it ready.

use axum::extract::State;
use axum::response::Response;
use koine_engine::Engine;
use koine_model::{Error, ErrorCode};
use serde_json::json;

use crate::answer;

pub(crate) async fn ping() -> Response {
    answer::json(200, &json!({"status": "ok"}))
}

pub(crate) async fn ready(State(engine): State<Engine>) -> Response {
    match engine.store().ping().await {
        Ok(()) => answer::json(200, &json!({"status": "ready"})),
        Err(cause) => {
            let mut error = Error::new(ErrorCode::Unavailable, "the database does not answer");
            error.cause = Some(Box::new(cause));
            answer::failure(&error)
        }
    }
}
