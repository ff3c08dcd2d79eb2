//! Every route, in one place.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get};
use koine_engine::Engine;
use koine_model::{Error, ErrorCode};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{answer, routes};

/// The gateway as a service.
pub fn router(engine: Engine) -> Router {
    Router::new()
        .route("/ping", get(routes::health::ping))
        .route("/healthz", get(routes::health::ping))
        .route("/readyz", get(routes::health::ready))
        .route("/integrated-account", get(routes::accounts::list).post(routes::accounts::create))
        .route(
            "/integrated-account/{id}",
            get(routes::accounts::read).patch(routes::accounts::update).delete(routes::accounts::remove),
        )
        // One handler reads the rest of the path itself: ids may hold slashes, encoded or not.
        .route("/unified/{*path}", any(routes::unified::call))
        .fallback(|| async { answer::failure(&Error::not_found("there is no such route")) })
        .method_not_allowed_fallback(|| async {
            answer::failure(&Error::new(ErrorCode::MethodNotAllowed, "this path does not know that verb"))
        })
        // A panic is a bug of ours: the caller gets the envelope, the log the backtrace.
        .layer(CatchPanicLayer::custom(answer::panicked))
        .layer(middleware::from_fn(one_event_per_call))
        .with_state(engine)
}

/// One log event per call; never bodies, tokens or queries.
async fn one_event_per_call(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = std::time::Instant::now();
    let response = next.run(request).await;
    let elapsed = started.elapsed().as_millis();
    let status = response.status().as_u16();
    match response.extensions().get::<answer::Logged>() {
        Some(logged) => {
            tracing::error!(http.method = %method, http.path = %path, http.status = status, duration_ms = elapsed, error = %logged.0, "call");
        }
        None => {
            tracing::info!(http.method = %method, http.path = %path, http.status = status, duration_ms = elapsed, "call");
        }
    }
    response
}
