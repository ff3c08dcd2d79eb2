//! The caller's environment, in the shape of a list of environments.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use koine_engine::Engine;

use super::page;
use crate::access::By;
use crate::answer;

pub(crate) async fn list(State(engine): State<Engine>, By(caller): By, RawQuery(raw): RawQuery) -> Response {
    answer::of(async { engine.list_environments(&caller, &page(raw.as_deref())?.0).await }.await)
}

pub(crate) async fn read(State(engine): State<Engine>, By(caller): By, Path(id): Path<String>) -> Response {
    answer::of(engine.get_environment(&caller, &id).await)
}

pub(crate) async fn rename(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
    content: Body,
) -> Response {
    let result = async { engine.rename_environment(&caller, &id, &super::name(content).await?).await };
    answer::of(result.await)
}
