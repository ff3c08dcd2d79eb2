//! Every route, in one place, with what it needs: [`routes`] is the table, and the router is built from nothing else.

use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{Method, Uri};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router};
use koine_engine::Engine;
use koine_model::{Error, ErrorCode};
use tower_http::catch_panic::CatchPanicLayer;

use crate::access::{self, About, Needs, Rule};
use crate::client::Client;
use crate::{Site, answer, body};

/// One line of the table.
pub struct Route {
    /// The verb.
    pub method: Method,
    /// The path's pattern.
    pub path: &'static str,
    /// What the caller's token must allow.
    pub needs: Needs,
    /// What it is about.
    pub about: About,
    handler: MethodRouter<Engine>,
}

fn route<H, T>(method: Method, path: &'static str, needs: Needs, about: About, handler: H) -> Route
where
    H: Handler<T, Engine>,
    T: 'static,
{
    let verb = MethodFilter::try_from(method.clone()).expect("the table names standard verbs");
    Route { method, path, needs, about, handler: on(verb, handler) }
}

/// The table. Whoever adds a route adds a line here, and says who may call it.
#[must_use]
pub fn routes() -> Vec<Route> {
    use crate::connect;
    use crate::routes::{
        accounts, audit, environments, health, link_tokens, log, meta, tokens, unified, webhooks,
    };
    use About::{Accounts, BodyAccount, Call, Environment, Nobody, OwnAccount, PathAccount};
    use Needs::{Administrator, Nothing, Read, Write, WriteOrPlan};
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    const PATCH: Method = Method::PATCH;
    const DELETE: Method = Method::DELETE;
    // One handler reads the rest of a unified path itself: ids may hold slashes, encoded or not.
    vec![
        route(GET, "/ping", Nothing, Nobody, health::ping),
        route(GET, "/healthz", Nothing, Nobody, health::ping),
        route(GET, "/readyz", Nothing, Nobody, health::ready),
        route(GET, "/environment", Read, Nobody, environments::list),
        route(GET, "/environment/{id}", Read, Nobody, environments::read),
        route(PATCH, "/environment/{id}", Administrator, Environment, environments::rename),
        route(GET, "/api-token", Read, Environment, tokens::list),
        route(POST, "/api-token", Administrator, Environment, tokens::create),
        route(GET, "/api-token/{id}", Read, Environment, tokens::read),
        route(PATCH, "/api-token/{id}", Administrator, Environment, tokens::rename),
        route(DELETE, "/api-token/{id}", Administrator, Environment, tokens::revoke),
        route(GET, "/audit-log", Administrator, Environment, audit::list),
        route(GET, "/integrated-account", Read, Accounts, accounts::list),
        route(POST, "/integrated-account", Write, Environment, accounts::create),
        route(
            POST,
            "/integrated-account/refresh-credentials",
            Write,
            BodyAccount("id"),
            accounts::refresh_credentials,
        ),
        route(
            POST,
            "/integrated-account/run-post-install-actions",
            Write,
            BodyAccount("id"),
            accounts::run_post_install_actions,
        ),
        route(POST, "/integrated-account/token", Read, BodyAccount("integrated_account_id"), tokens::issue),
        route(GET, "/integrated-account/me", Read, OwnAccount, accounts::own),
        route(PATCH, "/integrated-account/me", Write, OwnAccount, accounts::update_own),
        route(GET, "/integrated-account/{id}", Read, PathAccount("id"), accounts::read),
        route(PATCH, "/integrated-account/{id}", Write, Environment, accounts::update),
        route(DELETE, "/integrated-account/{id}", Write, Environment, accounts::remove),
        // Events tell of every account: tokens for some of them may not hear of the others.
        route(GET, "/webhook", Read, Environment, webhooks::list),
        route(POST, "/webhook", Write, Environment, webhooks::create),
        route(POST, "/webhook/test", Write, Environment, webhooks::test),
        route(GET, "/webhook/{id}", Read, Environment, webhooks::read),
        route(PATCH, "/webhook/{id}", Write, Environment, webhooks::update),
        route(DELETE, "/webhook/{id}", Write, Environment, webhooks::remove),
        route(GET, "/webhook/{id}/deliveries", Read, Environment, webhooks::deliveries),
        route(POST, "/webhook/{id}/replay", Write, Environment, webhooks::replay),
        route(GET, "/log", Read, Environment, log::list),
        route(POST, "/link-token", Write, Environment, link_tokens::create),
        // Pages for people: the cookie of a visit takes the place of a token.
        route(GET, "/connect-account", Nothing, Nobody, connect::enter),
        route(GET, "/connect-account/assets/{file}", Nothing, Nobody, connect::asset),
        route(GET, "/connect-account/{visit}", Nothing, Nobody, connect::choose),
        route(GET, "/connect-account/{visit}/to/{integration}", Nothing, Nobody, connect::form),
        route(POST, "/connect-account/{visit}/to/{integration}", Nothing, Nobody, connect::submit),
        route(GET, "/connect-account/{visit}/done", Nothing, Nobody, connect::done),
        route(GET, "/connect-account/{visit}/close", Nothing, Nobody, connect::close),
        route(GET, "/connect/{integration}/callback", Nothing, Nobody, connect::callback),
        route(GET, "/unified/meta/{model}/{connector}", Read, Nobody, meta::connector),
        route(GET, "/unified/{*path}", Read, Call, unified::call),
        route(POST, "/unified/{*path}", WriteOrPlan, Call, unified::call),
        route(PATCH, "/unified/{*path}", WriteOrPlan, Call, unified::call),
        route(DELETE, "/unified/{*path}", WriteOrPlan, Call, unified::call),
    ]
}

/// The gateway as a service.
pub fn router(engine: Engine, site: Site) -> Router {
    let mut router = Router::new();
    for Route { path, needs, about, handler, .. } in routes() {
        let rule = Rule { engine: engine.clone(), needs, about };
        let handler = handler.route_layer(middleware::from_fn_with_state(rule, access::enforce));
        router = router.route(path, handler);
    }
    let router = router
        .fallback(|| async { answer::failure(&Error::not_found("there is no such route")) })
        .method_not_allowed_fallback(|| async {
            answer::failure(&Error::new(ErrorCode::MethodNotAllowed, "this path does not know that verb"))
        })
        // A panic is a bug of ours: the caller gets the envelope, the log the backtrace.
        .layer(CatchPanicLayer::custom(answer::panicked))
        .layer(middleware::from_fn(refuse_nul))
        .layer(middleware::from_fn(one_event_per_call))
        .layer(Extension(Arc::new(site)))
        .with_state(engine);
    // Before a route is looked for: clients put two slashes where one belongs.
    Router::new().fallback_service(router).layer(middleware::map_request(collapse_slashes))
}

async fn collapse_slashes(mut request: Request) -> Request {
    let uri = request.uri();
    if uri.path().contains("//") {
        let segments: Vec<&str> = uri.path().split('/').filter(|segment| !segment.is_empty()).collect();
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        // Parts of a URI that was parsed are one again.
        if let Ok(uri) = Uri::try_from(format!("/{}{query}", segments.join("/"))) {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// For paths and queries of all routes; bodies are looked at where they are parsed.
async fn refuse_nul(request: Request, next: Next) -> Response {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    if path.contains("%00") || query.contains("%00") {
        return answer::failure(&body::nul());
    }
    next.run(request).await
}

/// One log event per call; never bodies, tokens or queries.
async fn one_event_per_call(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let client = request.extensions().get::<Client>().copied().unwrap_or_default();
    let address = client.address.map(tracing::field::display);
    let scheme = if client.secure { "https" } else { "http" };
    let started = std::time::Instant::now();
    let response = next.run(request).await;
    let elapsed = started.elapsed().as_millis();
    let status = response.status().as_u16();
    match response.extensions().get::<answer::Logged>() {
        Some(logged) => {
            tracing::error!(client.address = address, http.scheme = scheme, http.method = %method, http.path = %path, http.status = status, duration_ms = elapsed, error = %logged.0, "call");
        }
        None => {
            tracing::info!(client.address = address, http.scheme = scheme, http.method = %method, http.path = %path, http.status = status, duration_ms = elapsed, "call");
        }
    }
    response
}
