//! A server on loopback that does to each connection exactly what a test says, and remembers what it was sent.

use std::io::Result;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// What the peer does once it has read a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers and keeps the connection.
    Keep(Vec<u8>),
    /// Answers (perhaps with nothing) and closes.
    Close(Vec<u8>),
    /// Answers the first bytes, then the second again and again until the other side has had enough.
    Endless(Vec<u8>, Vec<u8>),
    /// Answers byte by byte with this time between them, and closes.
    Drip(Vec<u8>, Duration),
    /// Never answers.
    Hang,
}

type Script = dyn Fn(&str, usize) -> Reply + Send + Sync;

/// A peer; it stops when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Where it listens.
    pub address: SocketAddr,
    heard: Arc<Heard>,
    _accepting: Arc<Accepting>,
}

#[derive(Debug, Default)]
struct Heard {
    seen: Mutex<Vec<String>>,
    connections: AtomicUsize,
}

#[derive(Debug)]
struct Accepting(JoinHandle<()>);

impl Drop for Accepting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Peer {
    /// Starts one on a free port; the script gets each request, head and body, and how many came before it.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start(script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", script).await.expect("loopback has a free port")
    }

    /// The same at an address.
    ///
    /// # Errors
    /// When it is taken.
    pub async fn start_at(
        address: &str,
        script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (heard, script): (Arc<Heard>, Arc<Script>) = (Arc::default(), Arc::new(script));
        let shared = Arc::clone(&heard);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                // a connection that breaks is the client's to notice
                tokio::spawn(serve(stream, Arc::clone(&shared), Arc::clone(&script)));
            }
        });
        Ok(Self { address, heard, _accepting: Arc::new(Accepting(accepting)) })
    }

    /// The URL of a path.
    ///
    /// # Panics
    /// When the path cannot be part of one.
    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).expect("an address with a path is a URL")
    }

    /// Address and port as text.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// The requests so far, head and body.
    pub fn seen(&self) -> Vec<String> {
        lock(&self.heard.seen).clone()
    }

    /// How many connections were opened so far, requests or not.
    pub fn connections(&self) -> usize {
        self.heard.connections.load(Ordering::SeqCst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(mut stream: TcpStream, heard: Arc<Heard>, script: Arc<Script>) -> Result<()> {
    while let Some(request) = read_request(&mut stream).await {
        let before = {
            let mut seen = lock(&heard.seen);
            seen.push(request.clone());
            seen.len() - 1
        };
        match script(&request, before) {
            Reply::Keep(bytes) => stream.write_all(&bytes).await?,
            Reply::Close(bytes) => return stream.write_all(&bytes).await,
            Reply::Endless(head, again) => {
                stream.write_all(&head).await?;
                loop {
                    stream.write_all(&again).await?;
                }
            }
            Reply::Drip(bytes, pause) => {
                for byte in bytes {
                    stream.write_all(&[byte]).await?;
                    tokio::time::sleep(pause).await;
                }
                return Ok(());
            }
            Reply::Hang => std::future::pending().await,
        }
    }
    Ok(())
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = header(head, "content-length").map_or(Some(0), |length| length.parse().ok())?;
            if body.len() >= length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// A header of a request as a [`Peer`] saw it.
pub fn header(request: &str, name: &str) -> Option<String> {
    let head = request.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// The bytes of an answer with a length; each line of `headers` ends with CRLF.
pub fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The bytes of a redirect.
pub fn redirect(status: u16, location: &str) -> Vec<u8> {
    answer(status, &format!("location: {location}\r\n"), "")
}
