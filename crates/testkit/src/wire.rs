//! Reading and writing HTTP/1.1 messages, as much of it as the client and the proxy need.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// No message of a test is larger; more than this is a mistake worth an error.
const LIMIT: usize = 64 * 1024 * 1024;

/// The first line and the headers of a message, in the order they arrived.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) first_line: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    /// Reads a head; `None` when the other side closed before it began one.
    pub(crate) async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Self>> {
        let first_line = read_line(from).await?;
        if first_line.is_empty() {
            return Ok(None);
        }
        let mut headers = Vec::new();
        loop {
            let line = read_line(from).await?;
            if line.is_empty() {
                return Ok(Some(Self { first_line, headers }));
            }
            let (name, value) = line.split_once(':').ok_or_else(|| broken("a header without a colon"))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    /// The first value of a header, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The second word of the first line: a request's target or an answer's status.
    pub(crate) fn second_word(&self) -> &str {
        self.first_line.split(' ').nth(1).unwrap_or_default()
    }

    /// Reads the body that follows a request.
    pub(crate) async fn request_body(&self, from: &mut (impl AsyncBufRead + Unpin)) -> Result<Vec<u8>> {
        match self.framing()? {
            Framing::Chunked => read_chunked(from).await,
            Framing::Length(length) => read_exactly(from, length).await,
            Framing::None => Ok(Vec::new()),
        }
    }

    /// Reads the body of the answer to `method`; `None` when such an answer has none.
    pub(crate) async fn answer_body(
        &self,
        method: &str,
        from: &mut (impl AsyncBufRead + Unpin),
    ) -> Result<Option<Vec<u8>>> {
        if method.eq_ignore_ascii_case("HEAD") || matches!(self.second_word(), "204" | "304") {
            return Ok(None);
        }
        match self.framing()? {
            Framing::Chunked => read_chunked(from).await.map(Some),
            Framing::Length(length) => read_exactly(from, length).await.map(Some),
            Framing::None => {
                let mut body = Vec::new();
                from.take(LIMIT as u64).read_to_end(&mut body).await?;
                Ok(Some(body))
            }
        }
    }

    fn framing(&self) -> Result<Framing> {
        if self.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            return Ok(Framing::Chunked);
        }
        match self.header("content-length") {
            None => Ok(Framing::None),
            Some(length) => length.parse().map(Framing::Length).map_err(|_| broken("a bad content-length")),
        }
    }

    /// Writes the head with a body of known length; the connection ends with this exchange.
    ///
    /// With `body: None` the headers that frame a body stay as they are, which is what answers to HEAD and
    /// requests without a body need.
    pub(crate) async fn write(&self, body: Option<&[u8]>, to: &mut (impl AsyncWrite + Unpin)) -> Result<()> {
        let mut text = format!("{}\r\n", self.first_line);
        for (name, value) in &self.headers {
            let ours = ["connection", "keep-alive", "transfer-encoding", "expect"]
                .iter()
                .any(|taken| name.eq_ignore_ascii_case(taken))
                || (body.is_some() && name.eq_ignore_ascii_case("content-length"));
            if !ours {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        if let Some(body) = body {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("Connection: close\r\n\r\n");
        to.write_all(text.as_bytes()).await?;
        to.write_all(body.unwrap_or_default()).await?;
        to.flush().await
    }
}

enum Framing {
    Chunked,
    Length(usize),
    None,
}

/// The first value of a header, whatever the case of its name.
pub(crate) fn find_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// An error for a message that is not HTTP.
pub(crate) fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("not an HTTP message: {what}"))
}

async fn read_line(from: &mut (impl AsyncBufRead + Unpin)) -> Result<String> {
    let mut line = String::new();
    from.take(64 * 1024).read_line(&mut line).await?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn read_exactly(from: &mut (impl AsyncRead + Unpin), length: usize) -> Result<Vec<u8>> {
    if length > LIMIT {
        return Err(broken("a body over the limit"));
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).await?;
    Ok(body)
}

async fn read_chunked(from: &mut (impl AsyncBufRead + Unpin)) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(from).await?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| broken("a bad chunk size"))?;
        if size == 0 {
            while !read_line(from).await?.is_empty() {} // trailers
            return Ok(body);
        }
        if body.len().saturating_add(size) > LIMIT {
            return Err(broken("a body over the limit"));
        }
        body.extend(read_exactly(from, size).await?);
        read_line(from).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(method: &str, text: &str) -> (Head, Option<Vec<u8>>) {
        let mut from = text.as_bytes();
        let head = Head::read(&mut from).await.unwrap().unwrap();
        let body = head.answer_body(method, &mut from).await.unwrap();
        (head, body)
    }

    #[tokio::test]
    async fn bodies_end_where_their_framing_says() {
        let (_, body) = answer("GET", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nabc").await;
        assert_eq!(body.unwrap(), b"ab");
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: u\r\n\r\nrest";
        assert_eq!(answer("GET", chunked).await.1.unwrap(), b"abc");
        assert_eq!(answer("GET", "HTTP/1.0 200 OK\r\n\r\nto the end").await.1.unwrap(), b"to the end");
        assert_eq!(answer("GET", "HTTP/1.1 204 No Content\r\n\r\n").await.1, None);
        assert_eq!(answer("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").await.1, None);
    }

    #[tokio::test]
    async fn a_rewritten_head_frames_its_body_by_length_alone() {
        let head = Head {
            first_line: "HTTP/1.1 200 OK".into(),
            headers: vec![("Transfer-Encoding".into(), "chunked".into()), ("Link".into(), "<x>".into())],
        };
        let mut out = Vec::new();
        head.write(Some(b"abc"), &mut out).await.unwrap();
        let expected = "HTTP/1.1 200 OK\r\nLink: <x>\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[tokio::test]
    async fn a_closed_connection_is_no_message_and_half_a_body_is_an_error() {
        assert!(Head::read(&mut "".as_bytes()).await.unwrap().is_none());
        let mut from = "POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nab".as_bytes();
        let head = Head::read(&mut from).await.unwrap().unwrap();
        assert!(head.request_body(&mut from).await.is_err());
    }
}
