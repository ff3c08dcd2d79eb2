//! Where calls come in, and how serving ends.

use std::fs::Permissions;
use std::future::Future;
use std::io::{Error, ErrorKind, Result};
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use koine_engine::Engine;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::Notify;

use crate::Site;
use crate::connections::{self, Limits};
use crate::router::router;

/// How to serve, as the operator set it.
#[derive(Clone, Debug)]
pub struct Serving {
    /// How long calls under way may take once serving shall end.
    pub shutdown_grace: Duration,
    /// Reverse proxies that are believed when they say whom they speak for.
    pub trusted_proxies: Vec<IpNet>,
    /// What the pages need to know.
    pub site: Site,
}

impl Default for Serving {
    fn default() -> Self {
        Self { shutdown_grace: Duration::from_secs(30), trusted_proxies: Vec::new(), site: Site::default() }
    }
}

/// An open place to listen at.
#[derive(Debug)]
pub enum Listener {
    /// On the network.
    Tcp(TcpListener),
    /// In the file system.
    Unix(UnixListener, PathBuf),
}

impl Listener {
    /// Opens `host:port`.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn tcp(address: &str) -> Result<Self> {
        TcpListener::bind(address).await.map(Self::Tcp)
    }

    /// Opens a socket, in place of one that nobody listens at any more.
    ///
    /// # Errors
    /// When it cannot be had: the folder is missing, something else stands there, or somebody listens.
    pub async fn unix(path: &Path) -> Result<Self> {
        let taken = match bind(path) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => error,
            bound => return bound,
        };
        // A socket outlives the process that made it. Nobody behind it means that it was left over by a crash.
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path)?;
                bind(path)
            }
            _ => Err(Error::new(taken.kind(), "something else is there")),
        }
    }

    /// The next connection, and who opened it: nobody known on a socket in the file system.
    pub(crate) async fn accept(&self) -> Result<(Stream, Option<IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Stream::Tcp(stream), Some(peer.ip())))
            }
            Self::Unix(listener, _) => Ok((Stream::Unix(listener.accept().await?.0), None)),
        }
    }

    /// How it is reached.
    ///
    /// # Errors
    /// When the operating system does not know.
    pub fn url(&self) -> Result<String> {
        match self {
            Self::Tcp(listener) => Ok(format!("http://{}", listener.local_addr()?)),
            Self::Unix(_, path) => Ok(format!("unix:{}", path.display())),
        }
    }
}

/// A connection, by what it came in on.
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Who may connect is decided by the folder's permissions: a reverse proxy runs as another user.
fn bind(path: &Path) -> Result<Listener> {
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o666))?;
    Ok(Listener::Unix(listener, path.to_owned()))
}

/// Serves until `shutdown` completes, then lets calls under way finish within the grace.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: impl Into<Listener>,
    engine: Engine,
    serving: Serving,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let listener = listener.into();
    let socket = match &listener {
        Listener::Tcp(_) => None,
        Listener::Unix(_, path) => Some(path.clone()),
    };
    let ending = Arc::new(Notify::new());
    let told = Arc::clone(&ending);
    let shutdown = async move {
        shutdown.await;
        told.notify_one();
    };
    let grace = serving.shutdown_grace;
    let cut = async move {
        ending.notified().await;
        tokio::time::sleep(grace).await;
    };
    let trusted = serving.trusted_proxies.into();
    let result = tokio::select! {
        result = connections::serve(listener, router(engine, serving.site), trusted, Limits::default(), shutdown) => result,
        () = cut => {
            tracing::warn!("calls were still under way when the time for them was over; the next start settles them");
            Ok(())
        }
    };
    if let Some(path) = socket {
        // Only tidiness: the next start takes it over anyway.
        let _left = std::fs::remove_file(path);
    }
    result
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}
