//! `POST /link-token`.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use koine_engine::Engine;

use crate::access::By;
use crate::{answer, body};

pub(crate) async fn create(State(engine): State<Engine>, By(caller): By, content: Body) -> Response {
    let result = async { engine.create_link_token(&caller, &body::object(content).await?).await };
    answer::of(result.await)
}
