//! A forward proxy, as a company puts one between its servers and the internet.

use std::collections::HashMap;
use std::io::Result;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::tls::Authority;
use crate::wire::Head;

/// A proxy that tunnels (`CONNECT`) to the names that it was told, and refuses all others with 403 and whoever does not
/// say the password with 407. It stops when dropped.
#[derive(Debug)]
pub struct ForwardProxy {
    address: SocketAddr,
    scheme: &'static str,
    seen: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

/// What it knows.
struct Rules {
    names: HashMap<String, SocketAddr>,
    authorization: Option<String>,
}

impl ForwardProxy {
    /// Starts on a free loopback port. `names` are `host:port` as clients ask for them, and where that is; `user` is
    /// `user:password`; with an authority the proxy itself is reached by TLS.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(
        names: &[(&str, SocketAddr)],
        user: Option<&str>,
        authority: Option<&Authority>,
    ) -> Result<Self> {
        let acceptor = authority.map(|authority| authority.acceptor(&["127.0.0.1"]));
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let rules = Arc::new(Rules {
            names: names.iter().map(|(name, address)| ((*name).to_owned(), *address)).collect(),
            authorization: user.map(|user| format!("Basic {}", STANDARD.encode(user))),
        });
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let shared = Arc::clone(&seen);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (rules, seen, acceptor) = (Arc::clone(&rules), Arc::clone(&shared), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => tunnel(stream, &rules, &seen).await,
                        Some(acceptor) => tunnel(acceptor.accept(stream).await?, &rules, &seen).await,
                    }
                });
            }
        });
        Ok(Self { address, scheme, seen, accepting })
    }

    /// Where clients reach it, with this `user:password@` before the host or with nothing.
    #[must_use]
    pub fn url(&self, user: &str) -> String {
        format!("{}://{user}{}", self.scheme, self.address)
    }

    /// What it was asked for: `CONNECT host:port` and the status that it gave.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for ForwardProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn tunnel(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    rules: &Rules,
    seen: &Mutex<Vec<String>>,
) -> Result<()> {
    let mut client = BufReader::new(stream);
    let Some(request) = Head::read(&mut client).await? else { return Ok(()) };
    let method = request.first_line.split(' ').next().unwrap_or_default();
    let name = request.second_word();
    let known = rules.authorization.is_none()
        || request.header("proxy-authorization") == rules.authorization.as_deref();
    let target = rules.names.get(name).filter(|_| known && method == "CONNECT");
    let status = match target {
        Some(_) => 200,
        None if known => 403,
        None => 407,
    };
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{method} {name} {status}"));
    client.write_all(format!("HTTP/1.1 {status} X\r\n\r\n").as_bytes()).await?;
    client.flush().await?;
    if let Some(target) = target {
        let mut server = TcpStream::connect(target).await?;
        tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    }
    client.shutdown().await
}
