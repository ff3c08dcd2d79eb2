//! What every request passes before and after its route: one service, since each layer more would copy the request and its
//! handler once more.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::{Method, Request, Uri};
use axum::response::Response;
use bytes::Bytes;
use futures::FutureExt as _;
use ipnet::IpNet;
use tower::{BoxError, Service, ServiceExt as _};

use crate::client::{self, Client};
use crate::{answer, body};

/// The gateway for one connection. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gateway {
    router: Router,
    /// The other end.
    peer: Option<IpAddr>,
    trusted_proxies: Arc<[IpNet]>,
}

impl Gateway {
    pub(crate) fn new(router: Router, peer: Option<IpAddr>, trusted_proxies: Arc<[IpNet]>) -> Self {
        Self { router, peer, trusted_proxies }
    }
}

impl<B> Service<Request<B>> for Gateway
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut request = request.map(Body::new);
        let client = client::identify(self.peer, request.headers(), &self.trusted_proxies);
        request.extensions_mut().insert(client);
        // Before a route is looked for: clients put two slashes where one belongs.
        collapse_slashes(&mut request);
        let router = self.router.clone();
        Box::pin(async move {
            let (method, path) = (request.method().clone(), request.uri().path().to_owned());
            let started = Instant::now();
            let response = answered(router, request).await;
            log(client, &method, &path, started, &response);
            Ok(response)
        })
    }
}

/// A panic is a bug of ours: the caller gets the envelope, the log what it said.
async fn answered(router: Router, request: Request<Body>) -> Response {
    if has_nul(request.uri()) {
        return answer::failure(&body::nul());
    }
    match AssertUnwindSafe(router.oneshot(request)).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(panic) => answer::panicked(panic),
    }
}

fn collapse_slashes(request: &mut Request<Body>) {
    let uri = request.uri();
    if !uri.path().contains("//") {
        return;
    }
    let segments: Vec<&str> = uri.path().split('/').filter(|segment| !segment.is_empty()).collect();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    // Parts of a URI that was parsed are one again.
    if let Ok(uri) = Uri::try_from(format!("/{}{query}", segments.join("/"))) {
        *request.uri_mut() = uri;
    }
}

/// In the path or query of any route; bodies are looked at where they are parsed.
fn has_nul(uri: &Uri) -> bool {
    uri.path().contains("%00") || uri.query().is_some_and(|query| query.contains("%00"))
}

/// One log event per call; never bodies, tokens or queries.
fn log(client: Client, method: &Method, path: &str, started: Instant, response: &Response) {
    let address = client.address.map(tracing::field::display);
    let scheme = if client.secure { "https" } else { "http" };
    let elapsed = started.elapsed().as_millis();
    let status = response.status().as_u16();
    match response.extensions().get::<answer::Logged>() {
        Some(logged) => {
            tracing::error!(client.address = address, http.scheme = scheme, http.method = %method, http.path = path, http.status = status, duration_ms = elapsed, error = %logged.0, "call");
        }
        None => {
            tracing::info!(client.address = address, http.scheme = scheme, http.method = %method, http.path = path, http.status = status, duration_ms = elapsed, "call");
        }
    }
}
