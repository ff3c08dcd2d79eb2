//! Webhooks and the log of their deliveries.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use koine_engine::{DeliveryQuery, Engine, Replay, WebhookPatch, WebhookQuery};
use koine_model::Error;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::access::By;
use crate::{answer, body};

pub(crate) async fn list(State(engine): State<Engine>, By(caller): By, RawQuery(raw): RawQuery) -> Response {
    let result = async {
        let query = body::query(raw.as_deref())?;
        let environment = text(&query, "environment_id").map(|text| Uuid::parse_str(&text));
        let webhooks = WebhookQuery {
            is_active: text(&query, "is_active").map(|text| flag("is_active", &text)).transpose()?,
            // What is no id is the id of nothing.
            environment_id: environment.map(Result::unwrap_or_default),
            limit: limit(&query)?,
            next_cursor: text(&query, "next_cursor"),
        };
        engine.list_webhooks(&caller, webhooks).await
    };
    answer::of(result.await)
}

pub(crate) async fn create(State(engine): State<Engine>, By(caller): By, content: Body) -> Response {
    let result = async {
        let body = body::object(content).await?;
        let environment = body.get("environment_id").and_then(Value::as_str);
        if environment.is_some_and(|id| Uuid::parse_str(id) != Ok(caller.environment_id())) {
            return Err(Error::not_found("there is no such environment"));
        }
        let patch = patch(&body)?;
        let target = patch.target_url.ok_or_else(|| Error::invalid("`target_url` is required"))?;
        let types = patch.event_types.flatten();
        engine.create_webhook(&caller, &target, types, patch.is_active.unwrap_or(true)).await
    };
    answer::of(result.await)
}

pub(crate) async fn read(State(engine): State<Engine>, By(caller): By, Path(id): Path<String>) -> Response {
    let result = async { engine.get_webhook(&caller, id_of(&id)?).await };
    answer::of(result.await)
}

pub(crate) async fn update(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
    content: Body,
) -> Response {
    let result = async {
        let body = body::object(content).await?;
        engine.patch_webhook(&caller, id_of(&id)?, patch(&body)?).await
    };
    answer::of(result.await)
}

pub(crate) async fn remove(State(engine): State<Engine>, By(caller): By, Path(id): Path<String>) -> Response {
    let result = async { engine.delete_webhook(&caller, id_of(&id)?).await };
    answer::of(result.await)
}

pub(crate) async fn test(State(engine): State<Engine>, By(caller): By, content: Body) -> Response {
    let result = async {
        let body = body::object(content).await?;
        let id = body.get("id").and_then(Value::as_str);
        let id = id.ok_or_else(|| Error::invalid("`id` is required: the webhook to test"))?;
        engine.test_webhook(&caller, id_of(id)?).await
    };
    answer::of(result.await)
}

pub(crate) async fn deliveries(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> Response {
    let result = async {
        let query = body::query(raw.as_deref())?;
        let deliveries = DeliveryQuery {
            event: text(&query, "event"),
            status: text(&query, "status"),
            limit: limit(&query)?,
            next_cursor: text(&query, "next_cursor"),
        };
        engine.list_deliveries(&caller, id_of(&id)?, deliveries).await
    };
    answer::of(result.await)
}

pub(crate) async fn replay(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
    content: Body,
) -> Response {
    let result = async {
        let body = body::object(content).await?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let what = match (text("delivery_id"), text("since")) {
            (Some(delivery), None) => Replay::One(Uuid::parse_str(delivery).unwrap_or_default()),
            (None, Some(since)) => Replay::FailedSince(since.to_owned()),
            _ => return Err(Error::invalid("give `delivery_id`, or `since` for all that failed")),
        };
        engine.replay_deliveries(&caller, id_of(&id)?, what).await
    };
    answer::of(result.await)
}

fn id_of(text: &str) -> Result<Uuid, Error> {
    Uuid::parse_str(text).map_err(|_| Error::not_found(format!("there is no webhook {text}")))
}

/// The fields of a webhook that a body names.
fn patch(body: &Map<String, Value>) -> Result<WebhookPatch, Error> {
    let target_url = match body.get("target_url") {
        None => None,
        Some(Value::String(url)) => Some(url.clone()),
        Some(_) => return Err(Error::invalid("`target_url` must be text")),
    };
    let is_active = match body.get("is_active") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(active)) => Some(*active),
        Some(_) => return Err(Error::invalid("`is_active` must be true or false")),
    };
    let event_types = body.get("event_types").map(event_types).transpose()?;
    Ok(WebhookPatch { target_url, event_types, is_active })
}

/// A list of names; null is all events.
fn event_types(value: &Value) -> Result<Option<Vec<String>>, Error> {
    let wrong = || Error::invalid("`event_types` must be a list of names, or null for all");
    match value {
        Value::Null => Ok(None),
        Value::Array(names) => {
            let names = names.iter().map(|name| name.as_str().map(ToOwned::to_owned).ok_or_else(wrong));
            names.collect::<Result<_, _>>().map(Some)
        }
        _ => Err(wrong()),
    }
}

/// A parameter, plain or as `name[eq]`.
fn text(query: &Map<String, Value>, name: &str) -> Option<String> {
    let value = query.get(name)?;
    let text = value.get("eq").unwrap_or(value).as_str();
    text.filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

fn limit(query: &Map<String, Value>) -> Result<Option<u32>, Error> {
    let limit = text(query, "limit").map(|text| text.parse()).transpose();
    limit.map_err(|_| Error::invalid("`limit` must be a whole number"))
}

fn flag(name: &str, text: &str) -> Result<bool, Error> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(Error::invalid(format!("`{name}` must be true or false"))),
    }
}
