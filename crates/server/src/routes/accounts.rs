//! Integrated accounts.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use koine_engine::{AccountPatch, AccountQuery, Engine, NewAccount};
use koine_model::Error;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::access::By;
use crate::{answer, body};

pub(crate) async fn list(State(engine): State<Engine>, By(caller): By, RawQuery(raw): RawQuery) -> Response {
    let result = async {
        let query = body::query(raw.as_deref())?;
        let text = |name: &str| query.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let limit = text("limit").map(str::parse).transpose();
        let accounts = AccountQuery {
            tenant_id: text("tenant_id").map(ToOwned::to_owned),
            connector: text("integration.name").or(text("connector")).map(ToOwned::to_owned),
            status: text("status").map(ToOwned::to_owned),
            limit: limit.map_err(|_| Error::invalid("`limit` must be a whole number"))?,
            next_cursor: text("next_cursor").map(ToOwned::to_owned),
        };
        engine.list_accounts(&caller, accounts).await
    };
    answer::of(result.await)
}

pub(crate) async fn create(State(engine): State<Engine>, By(caller): By, content: Body) -> Response {
    let result = async {
        let body = body::object(content).await?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        let connector = text("connector").or_else(|| text("integration"));
        let account = NewAccount {
            tenant_id: text("tenant_id").unwrap_or_default(),
            connector: connector.ok_or_else(|| Error::invalid("`connector` is required"))?,
            authentication_method: text("authentication_method"),
            context: context(&body)?.unwrap_or_default(),
        };
        engine.create_account(&caller, account).await
    };
    answer::of(result.await)
}

/// `{id}` -> `{"success": true}`.
pub(crate) async fn refresh_credentials(
    State(engine): State<Engine>,
    By(caller): By,
    content: Body,
) -> Response {
    answer::of(async { engine.refresh_credentials(&caller, named(content).await?).await }.await)
}

/// `{id}` -> the account, looked up and tried once more.
pub(crate) async fn run_post_install_actions(
    State(engine): State<Engine>,
    By(caller): By,
    content: Body,
) -> Response {
    answer::of(async { engine.check_account(&caller, named(content).await?).await }.await)
}

/// The account in a body.
async fn named(content: Body) -> Result<Uuid, Error> {
    let body = body::object(content).await?;
    let id = body.get("id").and_then(Value::as_str);
    id_of(id.ok_or_else(|| Error::invalid("`id` is required: the integrated account"))?)
}

fn context(body: &Map<String, Value>) -> Result<Option<Map<String, Value>>, Error> {
    match body.get("context") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map.clone())),
        Some(_) => Err(Error::invalid("`context` must be an object")),
    }
}

fn id_of(text: &str) -> Result<Uuid, Error> {
    Uuid::parse_str(text).map_err(|_| Error::not_found(format!("there is no integrated account {text}")))
}

pub(crate) async fn read(State(engine): State<Engine>, By(caller): By, Path(id): Path<String>) -> Response {
    let result = async { engine.get_account(&caller, id_of(&id)?).await };
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
        let tenant_id = body.get("tenant_id").and_then(Value::as_str).map(ToOwned::to_owned);
        engine.patch_account(&caller, id_of(&id)?, AccountPatch { tenant_id, context: context(&body)? }).await
    };
    answer::of(result.await)
}

/// The account of the token itself, with what browsers' file pickers need of its credentials.
pub(crate) async fn own(State(engine): State<Engine>, By(caller): By) -> Response {
    answer::of(engine.own_account(&caller).await)
}

pub(crate) async fn update_own(State(engine): State<Engine>, By(caller): By, content: Body) -> Response {
    let result = async {
        let context = context(&body::object(content).await?)?;
        engine.patch_own_account(&caller, AccountPatch { tenant_id: None, context }).await
    };
    answer::of(result.await)
}

pub(crate) async fn remove(State(engine): State<Engine>, By(caller): By, Path(id): Path<String>) -> Response {
    let result = async { engine.delete_account(&caller, id_of(&id)?).await };
    answer::of(result.await)
}
