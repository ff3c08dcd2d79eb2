//! The question of a health check: is the gateway on this machine ready?

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use koine_settings::{Settings, SocketAt};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::finding::Findings;

/// A health check that waits longer has its answer.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn check(findings: &mut Findings, settings: &Settings) {
    let listen = &settings.listen;
    let asked = tokio::time::timeout(PATIENCE, ask(listen)).await;
    match asked.unwrap_or_else(|_| Err(Error::new(ErrorKind::TimedOut, "no answer in time"))) {
        Ok(status) if status.contains(" 200 ") => findings.ok("gateway", format!("{listen} is ready")),
        Ok(status) => {
            findings.error("gateway", format!("{listen} answers {status}"), "`koine doctor` says more");
        }
        Err(error) => findings.error("gateway", format!("{listen}: {error}"), "start it, and see its log"),
    }
}

/// The status line of `/readyz`, asked where the gateway listens.
async fn ask(listen: &SocketAt) -> Result<String> {
    match listen {
        SocketAt::Tcp(address) => {
            // Whoever listens everywhere is reached on loopback.
            let address = address.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:");
            exchange(TcpStream::connect(address).await?).await
        }
        SocketAt::Unix(path) => exchange(UnixStream::connect(path).await?).await,
    }
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<String> {
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned())
}
