//! What may be seen of credentials: nothing, neither in requests that people are shown nor in what vendors repeat.

use bytes::Bytes;
use koine_model::{Answer, Body, Credentials, Request, Secret};
use memchr::{memchr_iter, memmem};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use url::Url;
use url::form_urlencoded::byte_serialize;

/// What stands in place of a credential.
const REDACTED: &str = "[redacted]";
/// A shorter secret is likely to be an ordinary word of an answer too.
const SHORTEST: usize = 6;
/// Bytes of a small answer.
const SMALL: usize = 16 << 10;

/// How paths spell what is placed in them.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The parts of a request. Credentials are added later and are not in it, but a connector may also write a secret
/// credential field into a URL, a header or a body: those are taken out.
pub(crate) struct ShownRequest {
    pub method: &'static str,
    pub url: String,
    pub headers: Map<String, Value>,
    /// Null without a body.
    pub body: Value,
}

/// Secrets in every spelling in which they may come back.
#[derive(Debug, Default)]
pub(crate) struct Secrets(Vec<Secret>);

impl Secrets {
    /// Those among an account's fields.
    pub(crate) fn of<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        values.for_each(|value| all.add(value));
        all
    }

    /// Those of one request that are not `known`, and of which a vendor may repeat a part: `Bearer x` is `x` here.
    pub(crate) fn sent(credentials: &Credentials, known: &Self) -> Self {
        let mut all = Self::default();
        for (_, value) in credentials.headers.iter().chain(&credentials.query) {
            let value = value.expose();
            let value = value.split_once(' ').map_or(value, |(_, rest)| rest);
            if !known.has(value) {
                all.add(value);
            }
        }
        all
    }

    fn has(&self, spelling: &str) -> bool {
        self.0.iter().any(|known| known.expose() == spelling)
    }

    fn add(&mut self, value: &str) {
        if value.trim().len() < SHORTEST {
            return;
        }
        // Nearly every credential is spelled the same everywhere.
        if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')) {
            return self.0.push(Secret::new(value));
        }
        let json = Value::String(value.to_owned()).to_string();
        let json = &json[1..json.len() - 1];
        let form: String = byte_serialize(value.as_bytes()).collect();
        let percent = utf8_percent_encode(value, SEGMENT).to_string();
        for spelling in [value, json, &form, &percent] {
            if !self.has(spelling) {
                self.0.push(Secret::new(spelling));
            }
        }
    }

    /// The text without them.
    pub(crate) fn redacted_text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose(), REDACTED))
    }

    fn redacted(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.redacted_text(text)),
            Value::Array(items) => items.iter().map(|item| self.redacted(item)).collect(),
            Value::Object(map) => {
                Value::Object(map.iter().map(|(name, item)| (name.clone(), self.redacted(item))).collect())
            }
            other => other.clone(),
        }
    }

    /// The answer as it is read: a credential that the vendor repeats is not in it, so that it reaches no record, error,
    /// cursor or log.
    pub(crate) fn unsaid(&self, answer: Answer) -> Answer {
        let Answer::Received(mut response) = answer else { return answer };
        for secret in self.0.iter().map(Secret::expose) {
            for (_, value) in &mut response.headers {
                if repeats(value.as_bytes(), secret.as_bytes()) {
                    *value = value.replace(secret, REDACTED);
                }
            }
            if repeats(&response.body, secret.as_bytes()) {
                response.body = without(&response.body, secret.as_bytes());
            }
        }
        Answer::Received(response)
    }
}

/// Whether a text holds a secret. Most answers are small and hold none, and to prepare a search takes longer than to look
/// at them; a large one is searched in time that grows with its length alone.
fn repeats(text: &[u8], secret: &[u8]) -> bool {
    if text.len() > SMALL {
        return memmem::find(text, secret).is_some();
    }
    // Capitals are rare in what vendors say.
    let at = secret.iter().position(u8::is_ascii_uppercase).unwrap_or_default();
    let (Some(last), Some(rare)) = (text.len().checked_sub(secret.len()), secret.get(at)) else {
        return false;
    };
    memchr_iter(*rare, &text[at..=last + at]).any(|start| text[start..].starts_with(secret))
}

fn without(body: &Bytes, secret: &[u8]) -> Bytes {
    let mut clean = Vec::with_capacity(body.len());
    let mut from = 0;
    for at in memmem::find_iter(body, secret) {
        clean.extend_from_slice(&body[from..at]);
        clean.extend_from_slice(REDACTED.as_bytes());
        from = at + secret.len();
    }
    clean.extend_from_slice(&body[from..]);
    clean.into()
}

/// A URL for the journal: without its query, and without secrets in its path.
pub(crate) fn place(secrets: &Secrets, url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    secrets.redacted_text(url.as_str())
}

pub(crate) fn request(secrets: &Secrets, request: &Request) -> ShownRequest {
    let body = match &request.body {
        Some(Body::Json(value)) => value.clone(),
        Some(Body::Form(pairs)) => json!(pairs),
        Some(Body::Raw { text, .. }) => json!(text),
        None => Value::Null,
    };
    let headers = request.headers.iter();
    ShownRequest {
        method: request.verb.as_str(),
        url: secrets.redacted_text(request.url.as_str()),
        headers: headers.map(|(name, value)| (name.clone(), json!(secrets.redacted_text(value)))).collect(),
        body: secrets.redacted(&body),
    }
}

#[cfg(test)]
mod tests {
    use memchr::memmem;

    use super::repeats;

    proptest::proptest! {
        #[test]
        fn a_secret_is_found_wherever_it_is(text in "[aB]{0,40}", secret in "[aB]{1,8}") {
            let found = memmem::find(text.as_bytes(), secret.as_bytes()).is_some();
            proptest::prop_assert_eq!(repeats(text.as_bytes(), secret.as_bytes()), found);
        }
    }
}
