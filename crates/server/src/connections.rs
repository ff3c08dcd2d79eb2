//! Connections: bounded in number, and in the time that somebody may take to say what they want.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use ipnet::IpNet;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::gateway::Gateway;
use crate::listen::{Listener, Stream};

/// What HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What clients may take up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Most connections at once; others wait.
    pub connections: usize,
    /// Longest time for the head of a request, and between two requests. Longer than the 60 s after which common
    /// proxies leave, so that it is they who end an idle connection.
    pub head: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 4096, head: Duration::from_secs(75) }
    }
}

/// Serves until `shutdown` completes, then lets what is under way finish.
pub(crate) async fn serve(
    listener: Listener,
    router: Router,
    trusted_proxies: Arc<[IpNet]>,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let mut server = Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(limits.head);
    server.http2().timer(TokioTimer::new()).keep_alive_interval(limits.head).keep_alive_timeout(limits.head);
    let server = Arc::new(server);
    let free = Arc::new(Semaphore::new(limits.connections));
    let (graceful, mut shutdown) = (GracefulShutdown::new(), pin!(shutdown));
    loop {
        let accepted = async {
            let permit = Arc::clone(&free).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, (stream, peer)) = tokio::select! {
            (permit, accepted) = accepted => match accepted {
                Ok((stream, peer)) => (permit, (stream, peer)),
                Err(error) => {
                    refused(&error).await;
                    continue;
                }
            },
            () = shutdown.as_mut() => break,
        };
        let (server, watcher) = (Arc::clone(&server), graceful.watcher());
        let service =
            TowerToHyperService::new(Gateway::new(router.clone(), peer, Arc::clone(&trusted_proxies)));
        tokio::spawn(async move {
            let _permit = permit;
            let ended = match stream {
                Stream::Tcp(stream) => {
                    if !tokio::time::timeout(limits.head, begins(&stream)).await.unwrap_or(false) {
                        return;
                    }
                    let connection = server.serve_connection(TokioIo::new(stream), service);
                    watcher.watch(connection.into_owned()).await
                }
                // A reverse proxy of this machine does not stay silent on a connection that it opened.
                Stream::Unix(stream) => {
                    let connection = server.serve_connection(TokioIo::new(stream), service);
                    watcher.watch(connection.into_owned()).await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(error = %error, "a connection ended early");
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
    Ok(())
}

/// A connection that the peer gave up is nothing; when there is no file descriptor left, others have to end first.
async fn refused(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(error = %error, "no connection could be accepted");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Waits until it shows which version of HTTP it is. Who stays silent never gets as far as the parser and its timer.
async fn begins(stream: &TcpStream) -> bool {
    let mut first = [0; PREFACE.len()];
    loop {
        match stream.peek(&mut first).await {
            Ok(0) | Err(_) => return false,
            Ok(length) if length == first.len() || !PREFACE.starts_with(&first[..length]) => return true,
            Ok(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn start(limits: Limits) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(|| async { "here" }));
        tokio::spawn(async move {
            serve(listener.into(), router, [].into(), limits, std::future::pending()).await
        });
        address
    }

    /// All that comes back until the server ends the connection.
    async fn said(stream: &mut TcpStream) -> String {
        let mut text = Vec::new();
        let _reset = stream.read_to_end(&mut text).await;
        String::from_utf8_lossy(&text).into_owned()
    }

    #[tokio::test]
    async fn who_does_not_finish_a_head_is_shown_out() {
        let address = start(Limits { head: Duration::from_millis(200), ..Limits::default() }).await;
        for begun in
            ["", "P", "PRI * HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: a\r\nx: "]
        {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(begun.as_bytes()).await.unwrap();
            let said = said(&mut stream).await;
            assert!(!said.contains("200"), "{begun:?}: {said}");
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        assert!(said(&mut stream).await.ends_with("here"), "an idle connection ends too, after its answer");
    }

    #[tokio::test]
    async fn silent_connections_keep_nobody_out_for_long() {
        let address = start(Limits { connections: 3, head: Duration::from_millis(100) }).await;
        let mut silent = Vec::new();
        for _ in 0..9 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        assert!(said(&mut stream).await.ends_with("here"));
    }
}
