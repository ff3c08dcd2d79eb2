//! Every route, in one place, with what it needs: [`routes`] is the table, and the router is built from nothing else.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router};
use koine_engine::Engine;
use koine_model::{Error, ErrorCode};

use crate::access::{About, Guarded, Needs, Rule};
use crate::{Site, answer};

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
    let rule = Rule { needs, about };
    Route { method, path, needs, about, handler: on(verb, Guarded { rule, handler }) }
}

/// The table. Whoever adds a route adds a line here, and says who may call it.
#[must_use]
pub fn routes() -> Vec<Route> {
    use crate::connect;
    use crate::routes::{
        accounts, audit, environments, health, link_tokens, log, meta, tokens, unified, webhooks,
    };
    use About::{Accounts, BodyAccount, Call, Environment, Nobody, OwnAccount, Page, PathAccount};
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
        route(GET, "/connect-account", Nothing, Page, connect::enter),
        route(GET, "/connect-account/assets/{file}", Nothing, Page, connect::asset),
        route(GET, "/connect-account/{visit}", Nothing, Page, connect::choose),
        route(GET, "/connect-account/{visit}/to/{integration}", Nothing, Page, connect::form),
        route(POST, "/connect-account/{visit}/to/{integration}", Nothing, Page, connect::submit),
        route(GET, "/connect-account/{visit}/done", Nothing, Page, connect::done),
        route(GET, "/connect-account/{visit}/close", Nothing, Page, connect::close),
        route(GET, "/connect/{integration}/callback", Nothing, Page, connect::callback),
        route(GET, "/unified/meta/{model}/{connector}", Read, Nobody, meta::connector),
        route(GET, "/unified/{*path}", Read, Call, unified::call),
        route(POST, "/unified/{*path}", WriteOrPlan, Call, unified::call),
        route(PATCH, "/unified/{*path}", WriteOrPlan, Call, unified::call),
        route(DELETE, "/unified/{*path}", WriteOrPlan, Call, unified::call),
    ]
}

/// The table as a service.
pub(crate) fn router(engine: Engine, site: Site) -> Router {
    let mut router = Router::new();
    let site = Extension(Arc::new(site));
    for Route { path, about, handler, .. } in routes() {
        let handler = if about == About::Page { handler.layer(site.clone()) } else { handler };
        router = router.route(path, handler);
    }
    router
        .fallback(|| async { answer::failure(&Error::not_found("there is no such route")) })
        .method_not_allowed_fallback(|| async {
            answer::failure(&Error::new(ErrorCode::MethodNotAllowed, "this path does not know that verb"))
        })
        .with_state(engine)
}
