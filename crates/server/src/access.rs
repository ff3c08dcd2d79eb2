//! What a caller must show for a route, and the one place where that is asked for: before the handler runs.

use std::marker::PhantomData;
use std::net::IpAddr;
use std::pin::Pin;

use axum::RequestExt as _;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::handler::Handler;
use axum::http::Extensions;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::response::Response;
use koine_engine::{Caller, Engine, Rights, asks_for_plan};
use koine_model::{Error, ErrorCode};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::client::Client;
use crate::{answer, body};

/// What the caller's token must allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// No token.
    Nothing,
    /// Any token.
    Read,
    /// A token that may write.
    Write,
    /// A token that may write; for a plan (`koine_plan=true`), which only reads, any token.
    WriteOrPlan,
    /// A token with the administrator right.
    Administrator,
}

/// What the route is about. It decides which tokens that are limited to some accounts may come in, and is the list of
/// routes for integrated-account tokens: [`About::Call`] and [`About::OwnAccount`], no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Nobody's data, or the environment's own name, which every token may know.
    Nobody,
    /// A page for people, whose visit has a secret of its own.
    Page,
    /// A call on the account that the query names in `integrated_account_id`; an integrated-account token implies its own.
    Call,
    /// The account whose id is this parameter of the path.
    PathAccount(&'static str),
    /// The account whose id is in this field of the body.
    BodyAccount(&'static str),
    /// The account of the integrated-account token itself.
    OwnAccount,
    /// Accounts: the handler shows those that the caller may use.
    Accounts,
    /// The environment as a whole: nothing for a token that is limited to accounts.
    Environment,
}

/// A handler behind the rule of its route: it runs for those whom the rule lets in, with their [`Caller`] and the decoded
/// query among the request's extensions.
#[derive(Clone)]
pub(crate) struct Guarded<H> {
    pub(crate) rule: Rule,
    pub(crate) handler: H,
}

/// What a caller must show.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) needs: Needs,
    pub(crate) about: About,
}

/// Tells the handlers behind a rule from others.
pub(crate) struct Behind<T>(PhantomData<T>);

impl<H: Handler<T, Engine>, T: 'static> Handler<Behind<T>, Engine> for Guarded<H> {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, mut request: Request, engine: Engine) -> Self::Future {
        let Self { rule, handler } = self;
        Box::pin(async move {
            match admit(&engine, rule, &mut request).await {
                Ok(()) => handler.call(request, engine).await,
                Err(error) => answer::failure(&error),
            }
        })
    }
}

async fn admit(engine: &Engine, rule: Rule, request: &mut Request) -> Result<(), Error> {
    if rule.needs == Needs::Nothing {
        return Ok(());
    }
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let caller = engine.authenticate(header).await?.calling_from(address(request.extensions()));
    let query = body::query(request.uri().query())?;
    check_rights(&caller, rule.needs, asks_for_plan(&query))?;
    check_kind(&caller, rule.about)?;
    let account = match rule.about {
        About::Call => query.get("integrated_account_id").and_then(account),
        About::PathAccount(name) => path_account(request, name).await,
        About::BodyAccount(name) => body_account(request, name).await?,
        _ => None,
    };
    if let Some(id) = account.filter(|id| !caller.may_use(*id)) {
        return Err(Engine::no_account(id));
    }
    request.extensions_mut().insert(Query(query));
    request.extensions_mut().insert(caller);
    Ok(())
}

fn check_rights(caller: &Caller, needs: Needs, is_plan: bool) -> Result<(), Error> {
    let needed = match needs {
        Needs::Nothing | Needs::Read => Rights::Read,
        Needs::WriteOrPlan if is_plan => Rights::Read,
        Needs::Write | Needs::WriteOrPlan => Rights::Write,
        Needs::Administrator => Rights::Administer,
    };
    if caller.rights() >= needed {
        return Ok(());
    }
    Err(forbidden(match needed {
        Rights::Administer => "this takes a token with the administrator right",
        _ => "this token is read-only; use one that may write",
    }))
}

fn check_kind(caller: &Caller, about: About) -> Result<(), Error> {
    let is_account_token = caller.own_account().is_some();
    match about {
        About::OwnAccount if !is_account_token => Err(forbidden("this takes an integrated-account token")),
        About::OwnAccount | About::Call => Ok(()),
        _ if is_account_token => Err(forbidden("an integrated-account token may not call this")),
        About::Environment if caller.is_limited() => {
            Err(forbidden("this token is limited to some accounts; use one of the whole environment"))
        }
        _ => Ok(()),
    }
}

fn forbidden(message: &str) -> Error {
    Error::new(ErrorCode::NotAllowed, message)
}

/// What is no id is left to the handler, which says so.
fn account(value: &Value) -> Option<Uuid> {
    Uuid::parse_str(value.as_str()?).ok()
}

async fn path_account(request: &mut Request, name: &str) -> Option<Uuid> {
    let parameters = request.extract_parts::<RawPathParams>().await.ok()?;
    let found = parameters.iter().find(|(key, _)| *key == name);
    found.and_then(|(_, text)| Uuid::parse_str(text).ok())
}

/// Reads the body and puts it back for the handler.
async fn body_account(request: &mut Request, name: &str) -> Result<Option<Uuid>, Error> {
    let bytes = body::whole(std::mem::take(request.body_mut())).await?;
    let object = body::parse(&bytes);
    *request.body_mut() = Body::from(bytes);
    Ok(object?.get(name).and_then(account))
}

/// Where a request comes from.
pub(crate) fn address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<Client>().and_then(|client| client.address)
}

/// The query, as the route's rule decoded it.
#[derive(Clone)]
pub(crate) struct Query(pub(crate) Map<String, Value>);

impl FromRequestParts<Engine> for Query {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Engine) -> Result<Self, Response> {
        let missing = || Error::internal("a handler asks for a decoded query, and its route needs no token");
        parts.extensions.remove().ok_or_else(|| answer::failure(&missing()))
    }
}

/// The caller whom the route's rule let in.
pub(crate) struct By(pub(crate) Caller);

impl FromRequestParts<Engine> for By {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Engine) -> Result<Self, Response> {
        let caller = parts.extensions.remove::<Caller>();
        let missing = || Error::internal("a handler asks for a caller, and its route needs no token");
        caller.map(Self).ok_or_else(|| answer::failure(&missing()))
    }
}
