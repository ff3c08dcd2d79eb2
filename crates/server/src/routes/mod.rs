//! Handlers, one file per group of routes.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod environments;
pub(crate) mod health;
pub(crate) mod link_tokens;
pub(crate) mod log;
pub(crate) mod meta;
pub(crate) mod tokens;
pub(crate) mod unified;
pub(crate) mod webhooks;

use axum::body::Body;
use koine_engine::PageQuery;
use koine_model::Error;
use serde_json::{Map, Value};

use crate::body;

/// Which part of a list is asked for, and the whole query.
fn page(raw: Option<&str>) -> Result<(PageQuery, Map<String, Value>), Error> {
    let query = body::query(raw)?;
    let text = |name: &str| query.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let limit = text("limit").map(str::parse).transpose();
    let page = PageQuery {
        name: text("name").map(ToOwned::to_owned),
        environment_id: text("environment_id").map(ToOwned::to_owned),
        limit: limit.map_err(|_| Error::invalid("`limit` must be a whole number"))?,
        next_cursor: text("next_cursor").map(ToOwned::to_owned),
    };
    Ok((page, query))
}

/// The new name in a body.
async fn name(content: Body) -> Result<String, Error> {
    let body = body::object(content).await?;
    let name = body.get("name").and_then(Value::as_str).map(ToOwned::to_owned);
    name.ok_or_else(|| Error::invalid("`name` is required"))
}
