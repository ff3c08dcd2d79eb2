//! The HTTP surface. [`router`] lists every route; everything that leaves is JSON with one error envelope.

mod answer;
mod body;
mod connections;
mod router;
mod routes;

use std::future::Future;

use koine_engine::Engine;
use tokio::net::TcpListener;

use connections::Limits;
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
    connections::serve(listener, router(engine), Limits::default(), shutdown).await
}
