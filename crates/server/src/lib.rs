//! The HTTP surface. [`routes`] lists every route and what it needs; everything that leaves is JSON with one error envelope.

mod access;
mod answer;
mod body;
mod connections;
mod router;
mod routes;

use std::future::Future;

use koine_engine::Engine;
use tokio::net::TcpListener;

pub use access::{About, Needs};
use connections::Limits;
pub use router::{Route, router, routes};

/// Serves until `shutdown` completes, then lets calls under way finish.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    connections::serve(listener, router(engine), Limits::default(), shutdown).await
}
