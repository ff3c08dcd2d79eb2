//! A receiver of webhooks that answers as it is told to.

use std::collections::{HashMap, VecDeque};
use std::io::Result;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::wire::{Head, find_header};

/// How long a test waits for requests.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names and values as sent.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Received {
    /// The first value of a header, whatever the case of its name; empty without one.
    pub fn header(&self, name: &str) -> &str {
        find_header(&self.headers, name).unwrap_or_default()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is something else.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
}

/// How to answer a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// At once.
    Now {
        /// The status.
        status: u16,
        /// Further headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// With 200, after a pause.
    Late(Duration),
    /// Never: the sender is left waiting until it goes.
    Never,
}

impl Reply {
    /// A bare status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Now { status, headers: Vec::new(), body: String::new() }
    }
}

#[derive(Debug, Default)]
struct State {
    replies: HashMap<String, VecDeque<Reply>>,
    otherwise: HashMap<String, Reply>,
    received: Vec<Received>,
}

/// An HTTP server on a free loopback port. It answers 200 unless told otherwise, and stops when dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

impl Receiver {
    /// Starts one.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // A broken connection is the sender's to notice.
                tokio::spawn(serve(client, Arc::clone(&shared)));
            }
        });
        Ok(Self { address, state, accepting })
    }

    /// The address of a path (which begins with a slash).
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers the next requests to this path so, one after the other.
    pub fn then(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.state).replies.entry(path.to_owned()).or_default().extend(replies);
    }

    /// Answers every request to this path so, once [`Self::then`] is used up.
    pub fn always(&self, path: &str, reply: Reply) {
        lock(&self.state).otherwise.insert(path.to_owned(), reply);
    }

    /// Everything that arrived at this path, oldest first.
    pub fn received(&self, path: &str) -> Vec<Received> {
        lock(&self.state).received.iter().filter(|received| received.path == path).cloned().collect()
    }

    /// Waits until at least so many requests have arrived at this path, and gives them.
    ///
    /// # Panics
    /// When they do not come within 60 seconds.
    pub async fn wait(&self, path: &str, count: usize) -> Vec<Received> {
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        loop {
            let received = self.received(path);
            if received.len() >= count {
                return received;
            }
            assert!(tokio::time::Instant::now() < deadline, "{count} requests to {path}; came: {received:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(client: TcpStream, state: Arc<Mutex<State>>) -> Result<()> {
    let mut client = BufReader::new(client);
    let Some(head) = Head::read(&mut client).await? else { return Ok(()) };
    let body = head.request_body(&mut client).await?;
    let method = head.first_line.split(' ').next().unwrap_or_default().to_owned();
    let path = head.second_word().to_owned();
    let reply = {
        let mut state = lock(&state);
        state.received.push(Received { method, path: path.clone(), headers: head.headers, body });
        let next = state.replies.get_mut(&path).and_then(VecDeque::pop_front);
        next.or_else(|| state.otherwise.get(&path).cloned()).unwrap_or_else(|| Reply::status(200))
    };
    let (status, headers, body) = match reply {
        Reply::Now { status, headers, body } => (status, headers, body),
        Reply::Late(pause) => {
            tokio::time::sleep(pause).await;
            (200, Vec::new(), String::new())
        }
        Reply::Never => {
            let _left = client.read(&mut [0; 1]).await?;
            return Ok(());
        }
    };
    let head = Head { first_line: format!("HTTP/1.1 {status} Told"), headers };
    head.write(Some(body.as_bytes()), &mut client).await?;
    client.shutdown().await
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// HMAC-SHA-256 by RFC 2104, with another library than the gateway's.
#[must_use]
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    match key.len() {
        0..=64 => block[..key.len()].copy_from_slice(key),
        _ => block[..32].copy_from_slice(&Sha256::digest(key)),
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test cases 2 and 6.
    #[test]
    fn hmac_is_that_of_the_rfc() {
        let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(
            hex(hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(hmac_sha256(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[tokio::test]
    async fn answers_as_told_and_remembers() {
        let receiver = Receiver::start().await.unwrap();
        receiver.then("/a", [Reply::status(500)]);
        let mut statuses = Vec::new();
        for _ in 0..2 {
            let url = receiver.url("/a");
            statuses.push(crate::http::request("POST", &url, &[("x-a", "b")], b"{}").await.unwrap().status);
        }
        assert_eq!(statuses, [500, 200]);
        let received = receiver.wait("/a", 2).await;
        assert_eq!((received[0].header("X-A"), received[0].json()), ("b", serde_json::json!({})));
    }
}
