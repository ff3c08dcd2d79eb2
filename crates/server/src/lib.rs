//! The HTTP surface. [`routes`] lists every route and what it needs; everything that leaves is JSON with one error envelope.

mod access;
mod answer;
mod body;
mod connections;
mod router;
mod routes;

use std::future::Future;
use std::net::SocketAddr;

use koine_engine::Engine;
use tokio::net::TcpListener;

<<<<<<< HEAD
use connections::Limits;
pub use router::router;
=======
pub use access::{About, Needs};
pub use router::{Route, router, routes};
>>>>>>> 450f3bb (server: one table says who may call which route)

/// Serves until `shutdown` completes, then lets calls under way finish.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
<<<<<<< HEAD
    connections::serve(listener, router(engine), Limits::default(), shutdown).await
=======
    // The peer's address is for the audit log.
    let service = router(engine).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(shutdown).await
>>>>>>> 450f3bb (server: one table says who may call which route)
}
