//! `koine serve`.

use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::failure::Failure;
use crate::open;

pub(crate) async fn run() -> Result<(), Failure> {
    let stop = stop();
    let config = Config::read()?;
    let engine = open::engine(&config).await?;
    let settled = engine.settle().await?;
    if settled > 0 {
        tracing::warn!(calls = settled, "settled calls that an earlier run left open");
    }
    let fail = |error: std::io::Error| Failure::other(format!("KOINE_LISTEN {}: {error}", config.listen));
    let listener = tokio::net::TcpListener::bind(&config.listen).await.map_err(fail)?;
    println!("listening on http://{}", listener.local_addr().map_err(fail)?);
    koine_server::serve(listener, engine, stop).await.map_err(fail)
}

/// Ends with SIGTERM or SIGINT. They are listened to from the call on, so that a signal that comes before the first poll ends
/// the program as cleanly as a later one.
pub(crate) fn stop() -> impl Future<Output = ()> {
    let signals = signal(SignalKind::terminate()).and_then(|one| Ok((one, signal(SignalKind::interrupt())?)));
    async move {
        let Ok((mut terminate, mut interrupt)) = signals else { return std::future::pending().await };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
