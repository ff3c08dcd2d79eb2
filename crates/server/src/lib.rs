//! The HTTP surface. [`router`] lists every route; everything that leaves is JSON with one error envelope.

mod answer;
mod body;
mod router;
mod routes;

use std::future::Future;

use koine_engine::Engine;
use tokio::net::TcpListener;

pub use router::router;

/// Serves until `shutdown` completes, then lets calls under way finish.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(engine)).with_graceful_shutdown(shutdown).await
}
