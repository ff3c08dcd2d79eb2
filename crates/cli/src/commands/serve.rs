//! `koine serve`.

use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::failure::Failure;
use crate::open;

pub(crate) async fn run() -> Result<(), Failure> {
    let config = Config::read()?;
    let engine = open::engine(&config).await?;
    let settled = engine.settle().await?;
    if settled > 0 {
        tracing::warn!(calls = settled, "settled calls that an earlier run left open");
    }
    let fail = |error: std::io::Error| Failure::other(format!("KOINE_LISTEN {}: {error}", config.listen));
    let listener = tokio::net::TcpListener::bind(&config.listen).await.map_err(fail)?;
    println!("listening on http://{}", listener.local_addr().map_err(fail)?);
    koine_server::serve(listener, engine, stop()).await.map_err(fail)
}

/// SIGTERM or SIGINT.
pub(crate) async fn stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
