//! A request on its way out: encoded, with its credentials, and what becomes of it at a redirect.

use std::borrow::Cow;

use bytes::Bytes;
use koine_model::{Answer, Body, Credentials, Request, Secret, Verb};
use reqwest::Method;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue,
    USER_AGENT,
};
use url::Url;

/// Headers that a caller may not set. The transport frames the message and says which encodings it can undo; a
/// second opinion on the length or the host is how requests are smuggled.
const TRANSPORT: [&str; 9] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "accept-encoding",
];

/// A request with all that goes on the wire.
pub(crate) struct Outgoing<'a> {
    request: &'a Request,
    credentials: &'a Credentials,
    /// Without the credentials' query parameters.
    url: Cow<'a, Url>,
    content: Option<Content>,
    /// Whether this is still the host that credentials and body are for.
    trusted: bool,
}

/// A body and its type.
struct Content {
    kind: HeaderValue,
    bytes: Bytes,
}

impl<'a> Outgoing<'a> {
    /// Encodes a request; the error is the answer to give instead of sending.
    pub(crate) fn new(request: &'a Request, credentials: &'a Credentials) -> Result<Self, Answer> {
        let content = request.body.as_ref().map(encode).transpose()?;
        Ok(Self { request, credentials, url: Cow::Borrowed(&request.url), content, trusted: true })
    }

    /// Where it goes, without credentials.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Ready to be sent; the error is the answer to give instead.
    pub(crate) fn request(&self) -> Result<reqwest::Request, Answer> {
        let mut url = self.url.clone().into_owned();
        if self.trusted {
            for (name, value) in &self.credentials.query {
                place(&mut url, name, value);
            }
        }
        let mut request = reqwest::Request::new(method(self.request.verb), url);
        *request.headers_mut() = self.headers()?;
        *request.body_mut() = self.content.as_ref().map(|content| content.bytes.clone().into());
        Ok(request)
    }

    fn headers(&self) -> Result<HeaderMap, Answer> {
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("koine/", env!("CARGO_PKG_VERSION"))));
        if let Some(content) = &self.content {
            headers.insert(CONTENT_TYPE, content.kind.clone());
        } else if matches!(self.request.verb, Verb::Post | Verb::Put | Verb::Patch) {
            // A POST without a body still says so: some servers answer 411 without a length.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        lay(&mut headers, &self.request.headers, String::as_str, false)?;
        if self.trusted {
            lay(&mut headers, &self.credentials.headers, Secret::expose, true)?;
        } else {
            // Whatever authenticates or is content was meant for the first host, whoever put it there.
            for name in [AUTHORIZATION, COOKIE, CONTENT_TYPE] {
                headers.remove(name);
            }
        }
        Ok(headers)
    }

    /// Points it at a redirect's target. Once another origin was visited credentials and body stay dropped, even if
    /// a later redirect leads back: the way there was the other host's choice.
    pub(crate) fn redirect(&mut self, target: Url) -> Result<(), Answer> {
        if self.url.origin() != target.origin() {
            let carries = |secret: &Secret| target.query_pairs().any(|(_, value)| value == secret.expose());
            if self.credentials.query.iter().any(|(_, secret)| carries(secret)) {
                return Err(Answer::Forbidden(
                    "a redirect would take a credential to another host".to_owned(),
                ));
            }
            self.trusted = false;
            self.content = None;
        }
        self.url = Cow::Owned(target);
        Ok(())
    }
}

/// The account's credential, once and no other: a redirect or a next link often repeats the query that it was asked
/// with, and callers may add parameters of their own.
fn place(url: &mut Url, name: &str, value: &Secret) {
    let mut given =
        url.query_pairs().filter(|(known, _)| known == name).map(|(_, own)| own == value.expose());
    match (given.next(), given.next()) {
        (None, _) => {
            url.query_pairs_mut().append_pair(name, value.expose());
        }
        (Some(true), None) => {}
        _ => {
            let others: Vec<(String, String)> = url
                .query_pairs()
                .filter(|(known, _)| known != name)
                .map(|(known, own)| (known.into_owned(), own.into_owned()))
                .collect();
            url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value.expose());
        }
    }
}

fn encode(body: &Body) -> Result<Content, Answer> {
    let (kind, bytes) = match body {
        Body::Json(value) => {
            let bytes = serde_json::to_vec(value)
                .map_err(|_| Answer::Forbidden("the body cannot be written as JSON".to_owned()))?;
            ("application/json", bytes)
        }
        Body::Form(pairs) => {
            let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            ("application/x-www-form-urlencoded", text.into_bytes())
        }
        Body::Raw { content_type, text } => (content_type.as_str(), text.clone().into_bytes()),
    };
    let kind = HeaderValue::from_str(kind)
        .map_err(|_| Answer::Forbidden("the body's type is not one that HTTP allows".to_owned()))?;
    Ok(Content { kind, bytes: bytes.into() })
}

/// Lays headers over those of the same name. The texts of errors name the header, never its value.
fn lay<T>(
    headers: &mut HeaderMap,
    pairs: &[(String, T)],
    text: impl Fn(&T) -> &str,
    sensitive: bool,
) -> Result<(), Answer> {
    for (index, (name, value)) in pairs.iter().enumerate() {
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| Answer::Forbidden("a header's name is not one that HTTP allows".to_owned()))?;
        if TRANSPORT.contains(&key.as_str()) {
            continue;
        }
        let mut value = HeaderValue::from_bytes(text(value).as_bytes()).map_err(|_| {
            Answer::Forbidden(format!("the value of header `{key}` has characters that HTTP does not allow"))
        })?;
        value.set_sensitive(sensitive);
        if pairs[..index].iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
            headers.append(key, value);
        } else {
            headers.insert(key, value);
        }
    }
    Ok(())
}

fn method(verb: Verb) -> Method {
    match verb {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
        Verb::Patch => Method::PATCH,
        Verb::Delete => Method::DELETE,
    }
}
