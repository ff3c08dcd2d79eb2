//! A request on its way out: encoded, with its credentials, and what becomes of it at a redirect.

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
    method: Method,
    /// Without the credentials' query parameters.
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
    credential_headers: HeaderMap,
    credential_query: &'a [(String, Secret)],
    /// Whether this is still the host that the credentials are for.
    trusted: bool,
}

impl<'a> Outgoing<'a> {
    /// Encodes a request; the error is the answer to give instead of sending.
    pub(crate) fn new(request: &Request, credentials: &'a Credentials) -> Result<Self, Answer> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("koine/", env!("CARGO_PKG_VERSION"))));
        let body = encode(request.body.as_ref(), &mut headers)?;
        // A POST without a body still says so: some servers answer 411 without a length.
        if body.is_none() && matches!(request.verb, Verb::Post | Verb::Put | Verb::Patch) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let given = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        merge(&mut headers, parse(given, false)?);
        let secrets = credentials.headers.iter().map(|(name, value)| (name.as_str(), value.expose()));
        Ok(Self {
            method: method(request.verb),
            url: request.url.clone(),
            headers,
            body,
            credential_headers: parse(secrets, true)?,
            credential_query: &credentials.query,
            trusted: true,
        })
    }

    /// Where it goes, without credentials.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Ready to be sent.
    pub(crate) fn request(&self) -> reqwest::Request {
        let mut url = self.url.clone();
        let mut headers = self.headers.clone();
        if self.trusted {
            merge(&mut headers, self.credential_headers.clone());
            for (name, value) in self.credential_query {
                place(&mut url, name, value);
            }
        }
        let mut request = reqwest::Request::new(self.method.clone(), url);
        *request.headers_mut() = headers;
        *request.body_mut() = self.body.clone().map(Into::into);
        request
    }

    /// Points it at a redirect's target. Once another origin was visited the credentials stay dropped, even if
    /// a later redirect leads back: the way there was the other host's choice.
    pub(crate) fn redirect(&mut self, target: Url) -> Result<(), Answer> {
        if self.url.origin() != target.origin() {
            let carries = |secret: &Secret| target.query_pairs().any(|(_, value)| value == secret.expose());
            if self.credential_query.iter().any(|(_, secret)| carries(secret)) {
                return Err(Answer::Forbidden(
                    "a redirect would take a credential to another host".to_owned(),
                ));
            }
            self.trusted = false;
            // Whatever authenticates or is content was meant for the first host, whoever put it there.
            for name in [AUTHORIZATION, COOKIE, CONTENT_TYPE] {
                self.headers.remove(name);
            }
            self.body = None;
        }
        self.url = target;
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

/// The body's bytes; its content type goes into the headers.
fn encode(body: Option<&Body>, headers: &mut HeaderMap) -> Result<Option<Bytes>, Answer> {
    let (kind, bytes) = match body {
        None => return Ok(None),
        Some(Body::Json(value)) => {
            let bytes = serde_json::to_vec(value)
                .map_err(|_| Answer::Forbidden("the body cannot be written as JSON".to_owned()))?;
            ("application/json", bytes)
        }
        Some(Body::Form(pairs)) => {
            let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            ("application/x-www-form-urlencoded", text.into_bytes())
        }
        Some(Body::Raw { content_type, text }) => (content_type.as_str(), text.clone().into_bytes()),
    };
    let kind = HeaderValue::from_str(kind)
        .map_err(|_| Answer::Forbidden("the body's type is not one that HTTP allows".to_owned()))?;
    headers.insert(CONTENT_TYPE, kind);
    Ok(Some(bytes.into()))
}

/// Header names and values; the texts of errors name the header, never its value.
fn parse<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>, sensitive: bool) -> Result<HeaderMap, Answer> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| Answer::Forbidden("a header's name is not one that HTTP allows".to_owned()))?;
        if TRANSPORT.contains(&key.as_str()) {
            continue;
        }
        let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
            Answer::Forbidden(format!("the value of header `{key}` has characters that HTTP does not allow"))
        })?;
        value.set_sensitive(sensitive);
        headers.append(key, value);
    }
    Ok(headers)
}

/// Puts the headers in place of those of the same name.
fn merge(into: &mut HeaderMap, from: HeaderMap) {
    for name in from.keys() {
        into.remove(name);
    }
    let mut current = None;
    for (name, value) in from {
        // A name comes with its first value only.
        current = name.or(current);
        if let Some(name) = &current {
            into.append(name.clone(), value);
        }
    }
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
