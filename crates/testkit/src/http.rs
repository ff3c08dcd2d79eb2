//! A small HTTP/1.1 client for tests: one connection per request, plain TCP, 30 seconds.

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use serde_json::Value;
use tokio::io::BufReader;
use tokio::net::TcpStream;
use url::Url;

use crate::wire::{Head, broken, find_header};

const TIMEOUT: Duration = Duration::from_secs(30);

/// A server's answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names as the server spelt them, in its order.
    pub headers: Vec<(String, String)>,
    /// The decoded body; empty when there is none.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, `null` when it is empty.
    ///
    /// # Errors
    /// When the body is something else than JSON; the message holds its text.
    pub fn json(&self) -> Result<Value> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::new(ErrorKind::InvalidData, format!("{error} in answer {}: {}", self.status, self.text()))
        })
    }
}

/// Sends one request over a new connection and reads the whole answer.
///
/// # Errors
/// When the address does not answer within 30 seconds or answers something that is not HTTP; a connection
/// that closes without an answer gives [`ErrorKind::UnexpectedEof`].
pub async fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
    let url = Url::parse(url).map_err(|error| Error::new(ErrorKind::InvalidInput, error))?;
    tokio::time::timeout(TIMEOUT, exchange(method, &url, headers, body))
        .await
        .map_err(|_| Error::new(ErrorKind::TimedOut, format!("{method} {url}: no answer in 30 seconds")))?
}

/// Reads JSON: status and body (`null` when empty).
///
/// # Errors
/// As for [`request`], and when the body is not JSON.
pub async fn get_json(url: &str, headers: &[(&str, &str)]) -> Result<(u16, Value)> {
    let answer = request("GET", url, headers, b"").await?;
    Ok((answer.status, answer.json()?))
}

/// Posts JSON and reads JSON: status and body (`null` when empty).
///
/// # Errors
/// As for [`request`], and when the body is not JSON.
pub async fn post_json(url: &str, headers: &[(&str, &str)], body: &Value) -> Result<(u16, Value)> {
    let headers: Vec<_> = [("Content-Type", "application/json")].iter().chain(headers).copied().collect();
    let answer = request("POST", url, &headers, body.to_string().as_bytes()).await?;
    Ok((answer.status, answer.json()?))
}

async fn exchange(method: &str, url: &Url, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
    let address = url.socket_addrs(|| Some(80))?;
    let mut stream = BufReader::new(TcpStream::connect(&*address).await?);

    let mut target = url.path().to_owned();
    if let Some(query) = url.query() {
        target.push('?');
        target.push_str(query);
    }
    let host =
        format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80));
    let mut head =
        Head { first_line: format!("{method} {target} HTTP/1.1"), headers: vec![("Host".to_owned(), host)] };
    head.headers.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let bodyless = body.is_empty() && matches!(method, "GET" | "HEAD");
    head.write((!bodyless).then_some(body), &mut stream).await?;

    let answer = Head::read(&mut stream)
        .await?
        .ok_or_else(|| Error::new(ErrorKind::UnexpectedEof, "the connection closed without an answer"))?;
    let body = answer.answer_body(method, &mut stream).await?.unwrap_or_default();
    let status = answer.second_word().parse().map_err(|_| broken("no status"))?;
    Ok(Answer { status, headers: answer.headers, body })
}
