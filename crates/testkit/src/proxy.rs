//! A proxy that loses answers: the server did its work, the client never hears of it.

use std::collections::HashMap;
use std::io::Result;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

use crate::wire::Head;

/// A request the proxy saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The method as sent.
    pub method: String,
    /// Path and query as sent.
    pub path: String,
    /// The status the server gave; `None` when the request was not forwarded or the server gave none.
    pub status: Option<u16>,
    /// Whether the client got no answer because a rule said so.
    pub lost: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Request,
    Answer,
    HeldRequest,
    HeldAnswer,
    /// The proxy answers in the server's place.
    Answered(&'static str),
}

impl Fault {
    /// Whether the server never sees the request.
    fn before_server(self) -> bool {
        matches!(self, Self::Request | Self::HeldRequest | Self::Answered(_))
    }

    /// Whether the client is left waiting rather than cut off.
    fn held(self) -> bool {
        matches!(self, Self::HeldRequest | Self::HeldAnswer)
    }
}

#[derive(Debug)]
struct Rule {
    fault: Fault,
    method: String,
    path_prefix: String,
    times: usize,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    seen: Vec<Seen>,
}

impl State {
    /// Takes the first rule that fits this request, and uses it up by one.
    fn take_fault(&mut self, method: &str, path: &str) -> Option<Fault> {
        let rule = self.rules.iter_mut().find(|rule| {
            rule.times > 0 && rule.method.eq_ignore_ascii_case(method) && path.starts_with(&rule.path_prefix)
        })?;
        rule.times -= 1;
        Some(rule.fault)
    }
}

/// An HTTP proxy in front of one server. It forwards each request over a new connection with its headers
/// unchanged (`Host` too, so links in the answers lead back through the proxy), closes the client's
/// connection after each answer, and loses what it is told to lose. It stops when dropped.
#[derive(Debug)]
pub struct LosingProxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

impl LosingProxy {
    /// Starts on a free loopback port in front of `target_url` (`http://host:port`; a path is not added).
    ///
    /// # Errors
    /// When the target is not a URL with a known address, or no port is free.
    pub async fn start(target_url: &str) -> Result<Self> {
        let target = Url::parse(target_url).map_err(std::io::Error::other)?.socket_addrs(|| Some(80))?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // a broken connection is the client's to notice: it gets no answer
                tokio::spawn(serve(client, target.clone(), Arc::clone(&shared)));
            }
        });
        Ok(Self { address, state, accepting })
    }

    /// Where clients reach the proxy, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Arms: the next `times` such requests reach the server, which executes them, and get no answer.
    pub fn lose_answer_of(&self, method: &str, path_prefix: &str, times: usize) {
        self.arm(Fault::Answer, method, path_prefix, times);
    }

    /// Arms: the next `times` such requests do not reach the server, and get no answer either.
    pub fn lose_request_of(&self, method: &str, path_prefix: &str, times: usize) {
        self.arm(Fault::Request, method, path_prefix, times);
    }

    /// Arms: as [`Self::lose_answer_of`], but the client is left waiting until it leaves by itself.
    pub fn hold_answer_of(&self, method: &str, path_prefix: &str, times: usize) {
        self.arm(Fault::HeldAnswer, method, path_prefix, times);
    }

    /// Arms: as [`Self::lose_request_of`], but the client is left waiting until it leaves by itself.
    pub fn hold_request_of(&self, method: &str, path_prefix: &str, times: usize) {
        self.arm(Fault::HeldRequest, method, path_prefix, times);
    }

    /// Arms: the next `times` such requests do not reach the server, and get this answer: status line, headers and body
    /// as they are on the wire.
    pub fn answer_for(&self, method: &str, path_prefix: &str, times: usize, answer: &'static str) {
        self.arm(Fault::Answered(answer), method, path_prefix, times);
    }

    /// Waits until such a request was seen, whatever became of it.
    ///
    /// # Panics
    /// When none comes within 30 seconds.
    pub async fn saw(&self, method: &str, path_prefix: &str) {
        let fits =
            |seen: &Seen| seen.method.eq_ignore_ascii_case(method) && seen.path.starts_with(path_prefix);
        for _ in 0..600 {
            if self.seen().iter().any(fits) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no {method} {path_prefix} came; seen: {:?}", self.seen());
    }

    /// Waits until a rule has lost such a request, or its answer.
    ///
    /// # Panics
    /// When none comes within 30 seconds.
    pub async fn saw_lost(&self, method: &str, path_prefix: &str) {
        let fits = |seen: &Seen| {
            seen.lost && seen.method.eq_ignore_ascii_case(method) && seen.path.starts_with(path_prefix)
        };
        for _ in 0..600 {
            if self.seen().iter().any(fits) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no {method} {path_prefix} was lost; seen: {:?}", self.seen());
    }

    /// From now on nothing is lost any more.
    pub fn forget_rules(&self) {
        lock(&self.state).rules.clear();
    }

    /// All requests so far, in the order their exchanges ended.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.state).seen.clone()
    }

    /// How many requests of this method and path prefix the server got, answered or lost.
    pub fn reached_server(&self, method: &str, path_prefix: &str) -> usize {
        let fits = |seen: &&Seen| {
            seen.method.eq_ignore_ascii_case(method)
                && seen.path.starts_with(path_prefix)
                && seen.status.is_some()
        };
        lock(&self.state).seen.iter().filter(fits).count()
    }

    /// The requests counted by method and path, for assertions about repeated work.
    pub fn counts(&self) -> HashMap<(String, String), usize> {
        let mut counts = HashMap::new();
        for seen in &lock(&self.state).seen {
            *counts.entry((seen.method.clone(), seen.path.clone())).or_default() += 1;
        }
        counts
    }

    fn arm(&self, fault: Fault, method: &str, path_prefix: &str, times: usize) {
        let rule = Rule { fault, method: method.to_owned(), path_prefix: path_prefix.to_owned(), times };
        lock(&self.state).rules.push(rule);
    }
}

impl Drop for LosingProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One exchange: the connection closes at its end, answered or not.
async fn serve(client: TcpStream, target: Vec<SocketAddr>, state: Arc<Mutex<State>>) -> Result<()> {
    let mut client = BufReader::new(client);
    let Some(request) = Head::read(&mut client).await? else { return Ok(()) };
    if request.header("expect").is_some() {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let body = request.request_body(&mut client).await?;
    let method = request.first_line.split(' ').next().unwrap_or_default().to_owned();
    let path = request.second_word().to_owned();
    let fault = lock(&state).take_fault(&method, &path);
    let lost = fault.is_some();
    let mut seen = Seen { method, path, status: None, lost };
    if fault.is_some_and(Fault::before_server) {
        lock(&state).seen.push(seen);
        return leave(client, fault).await;
    }

    let answer = forward(&request, &body, &target).await;
    seen.status = answer.as_ref().ok().and_then(|(head, _)| head.second_word().parse().ok());
    lock(&state).seen.push(seen);
    let (head, body) = answer?;
    if lost {
        return leave(client, fault).await;
    }
    head.write(body.as_deref(), &mut client).await?;
    client.shutdown().await
}

/// Gives no answer of the server's: the connection closes at once, or, when held, once the client closes it.
async fn leave(mut client: BufReader<TcpStream>, fault: Option<Fault>) -> Result<()> {
    match fault {
        Some(Fault::Answered(answer)) => {
            client.write_all(answer.as_bytes()).await?;
            client.shutdown().await?;
        }
        Some(fault) if fault.held() => {
            let _left = client.read(&mut [0; 1]).await?;
        }
        _ => {}
    }
    Ok(())
}

async fn forward(request: &Head, body: &[u8], target: &[SocketAddr]) -> Result<(Head, Option<Vec<u8>>)> {
    let mut server = BufReader::new(TcpStream::connect(target).await?);
    let framed = request.header("content-length").is_some() || request.header("transfer-encoding").is_some();
    request.write(framed.then_some(body), &mut server).await?;
    loop {
        let head = Head::read(&mut server)
            .await?
            .ok_or_else(|| std::io::Error::other("the server closed without an answer"))?;
        if head.second_word().starts_with('1') {
            continue; // an interim answer
        }
        let method = request.first_line.split(' ').next().unwrap_or_default();
        let body = head.answer_body(method, &mut server).await?;
        return Ok((head, body));
    }
}
