//! A peer on loopback that does to the connection exactly what a test says, and remembers what it was sent.

#![allow(dead_code, unreachable_pub)] // each test file uses its part
#![allow(clippy::unwrap_used)] // a helper that unwraps fails the test with the reason

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use koine_model::{Answer, Credentials, Request, Response, Verb};
use koine_upstream::{Hosts, Settings, Upstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// What the peer does once it has read a request.
pub enum Reply {
    /// Answers and keeps the connection.
    Keep(Vec<u8>),
    /// Answers (perhaps with nothing) and closes.
    Close(Vec<u8>),
    /// Never answers.
    Hang,
}

#[derive(Clone)]
pub struct Peer {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Peer {
    /// Starts a peer; the script gets each request, head and body, and how many came before it.
    pub async fn start(script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = Self {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            connections: Arc::default(),
        };
        let (seen, script) = (Arc::clone(&peer.seen), Arc::new(script));
        let connections = Arc::clone(&peer.connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, Arc::clone(&seen), Arc::clone(&script)));
            }
        });
        peer
    }

    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    pub fn hosts(&self) -> Hosts {
        Hosts::new([self.authority()])
    }

    /// The requests so far, head and body.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: Arc<Mutex<Vec<String>>>,
    script: Arc<impl Fn(&str, usize) -> Reply + Send + Sync + 'static>,
) {
    while let Some(request) = read_request(&mut stream).await {
        let before = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        match script(&request, before) {
            Reply::Keep(bytes) => stream.write_all(&bytes).await.unwrap(),
            Reply::Close(bytes) => {
                stream.write_all(&bytes).await.unwrap();
                return;
            }
            Reply::Hang => std::future::pending().await,
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = header(head, "content-length").map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// A header of a request as the peer saw it.
pub fn header(request: &str, name: &str) -> Option<String> {
    let head = request.split("\r\n\r\n").next().unwrap();
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// An answer with a length.
pub fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

pub fn redirect(status: u16, location: &str) -> Vec<u8> {
    answer(status, &format!("location: {location}\r\n"), "")
}

/// Settings that reach the peers, with a short patience.
pub fn settings() -> Settings {
    Settings {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        total_timeout: Duration::from_millis(2000),
        ..Settings::default()
    }
}

pub fn upstream() -> Upstream {
    Upstream::new(settings()).unwrap()
}

pub fn request(verb: Verb, url: Url) -> Request {
    Request { verb, url, headers: Vec::new(), body: None }
}

/// Sends without credentials.
pub async fn send(upstream: &Upstream, verb: Verb, url: Url, hosts: &Hosts) -> Answer {
    upstream.send(&request(verb, url), &Credentials::default(), hosts).await
}

pub fn received(answer: Answer) -> Response {
    match answer {
        Answer::Received(response) => response,
        other => panic!("not received: {other:?}"),
    }
}
