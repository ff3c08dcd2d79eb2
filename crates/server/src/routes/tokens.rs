//! API tokens of the caller's environment, and tokens of single accounts.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use koine_engine::{Engine, TokenRequest};
use koine_model::Error;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::page;
use crate::access::By;
use crate::{answer, body};

pub(crate) async fn list(State(engine): State<Engine>, By(caller): By, RawQuery(raw): RawQuery) -> Response {
    answer::of(async { engine.list_tokens(&caller, &page(raw.as_deref())?.0).await }.await)
}

pub(crate) async fn read(State(engine): State<Engine>, By(caller): By, Path(id): Path<String>) -> Response {
    answer::of(engine.get_token(&caller, &id).await)
}

pub(crate) async fn create(State(engine): State<Engine>, By(caller): By, content: Body) -> Response {
    answer::of(async { engine.create_token(&caller, wanted(&body::object(content).await?)?).await }.await)
}

/// A field that is there in another form than expected is never taken for one that is missing: it may be a limit.
fn wanted(body: &Map<String, Value>) -> Result<TokenRequest, Error> {
    let given = |name: &str| body.get(name).filter(|value| !value.is_null());
    let text = |name: &str| given(name).map(|value| text(name, value)).transpose();
    let flag = |name: &str| match given(name) {
        None => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(Error::invalid(format!("`{name}` must be true or false"))),
    };
    Ok(TokenRequest {
        name: text("name")?.unwrap_or_default(),
        account_ids: given("account_ids").map(ids).transpose()?,
        read_only: flag("read_only")?,
        administrator: flag("administrator")?,
        expires_at: text("expires_at")?,
    })
}

fn text(name: &str, value: &Value) -> Result<String, Error> {
    value.as_str().map(ToOwned::to_owned).ok_or_else(|| Error::invalid(format!("`{name}` must be text")))
}

fn ids(value: &Value) -> Result<Vec<Uuid>, Error> {
    let ids = value.as_array().and_then(|items| {
        items.iter().map(|item| item.as_str().and_then(|text| Uuid::parse_str(text).ok())).collect()
    });
    ids.ok_or_else(|| Error::invalid("`account_ids` must be a list of ids of integrated accounts"))
}

pub(crate) async fn rename(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
    content: Body,
) -> Response {
    let result = async { engine.rename_token(&caller, &id, &super::name(content).await?).await };
    answer::of(result.await)
}

pub(crate) async fn revoke(State(engine): State<Engine>, By(caller): By, Path(id): Path<String>) -> Response {
    answer::of(engine.revoke_token(&caller, &id).await)
}

/// A token for one account, for 15 minutes.
pub(crate) async fn issue(State(engine): State<Engine>, By(caller): By, content: Body) -> Response {
    let result = async {
        let body = body::object(content).await?;
        let account = body.get("integrated_account_id").and_then(Value::as_str);
        let account = account.ok_or_else(|| Error::invalid("`integrated_account_id` is required"))?;
        let account = Uuid::parse_str(account);
        let account = account.map_err(|_| Error::invalid("`integrated_account_id` must be a UUID"))?;
        engine.issue_account_token(&caller, account).await
    };
    answer::of(result.await)
}
