//! Access tokens by OAuth 2 client credentials, kept until shortly before they expire.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use koine_model::{Answer, Body, Credentials, Request, Response, Secret, Verb};
use serde_json::Value;
use url::Url;

use crate::error::TokenError;
use crate::{Hosts, Upstream};

/// The life of a token whose endpoint does not tell: short, and a vendor's 401 ends it earlier.
const UNTOLD_LIFE: Duration = Duration::from_secs(300);
/// A life beyond this is a mistake of the endpoint, and would overflow the clock.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Most characters of an endpoint's complaint.
const COMPLAINT: usize = 500;

/// Where a client's id and secret go in a token request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialsIn {
    /// In an `Authorization: Basic` header.
    Header,
    /// In the form, as `client_id` and `client_secret`.
    Body,
}

/// An OAuth 2 client credentials grant.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    /// The token endpoint.
    pub token_url: Url,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Secret,
    /// Scopes to ask for; none leaves the parameter out.
    pub scopes: Vec<String>,
    /// Where id and secret go.
    pub credentials_in: CredentialsIn,
    /// More form parameters, such as `audience`.
    pub extra: Vec<(String, String)>,
}

/// A token and how long it may be used.
pub(crate) struct Fetched {
    token: Secret,
    life: Duration,
}

impl ClientCredentials {
    /// Asks the token endpoint once.
    pub(crate) async fn fetch(&self, upstream: &Upstream, hosts: &Hosts) -> Result<Fetched, TokenError> {
        let (request, credentials) = self.request();
        match upstream.send(&request, &credentials, hosts).await {
            Answer::Received(response) => self.read(&response),
            Answer::Lost(why) | Answer::NotSent(why) => Err(TokenError::Lost(why)),
            Answer::Forbidden(why) => Err(TokenError::Forbidden(why)),
        }
    }

    fn request(&self) -> (Request, Credentials) {
        let mut form = vec![("grant_type".to_owned(), "client_credentials".to_owned())];
        if !self.scopes.is_empty() {
            form.push(("scope".to_owned(), self.scopes.join(" ")));
        }
        let mut credentials = Credentials::default();
        match self.credentials_in {
            CredentialsIn::Header => {
                let value = Secret::new(format!("Basic {}", self.basic().expose()));
                credentials.headers.push(("authorization".to_owned(), value));
            }
            CredentialsIn::Body => {
                form.push(("client_id".to_owned(), self.client_id.clone()));
                form.push(("client_secret".to_owned(), self.client_secret.expose().to_owned()));
            }
        }
        form.extend(self.extra.iter().cloned());
        let body = Some(Body::Form(form));
        (Request { verb: Verb::Post, url: self.token_url.clone(), headers: Vec::new(), body }, credentials)
    }

    /// Id and secret for Basic, form-encoded before they are joined as RFC 6749 section 2.3.1 asks: either may
    /// hold a colon.
    fn basic(&self) -> Secret {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let joined =
            Secret::new(format!("{}:{}", encode(&self.client_id), encode(self.client_secret.expose())));
        Secret::new(STANDARD.encode(joined.expose()))
    }

    fn read(&self, response: &Response) -> Result<Fetched, TokenError> {
        let refused = |body: String| TokenError::Refused { status: response.status, body };
        if !(200..300).contains(&response.status) {
            return Err(refused(self.complaint(&String::from_utf8_lossy(&response.body))));
        }
        let answer = response.json().unwrap_or_default();
        match answer.get("access_token").and_then(Value::as_str) {
            Some(token) if !token.is_empty() => {
                Ok(Fetched { token: Secret::new(token), life: life(&answer) })
            }
            // The rest of a success may hold a token under another name, so only an error is repeated.
            _ => {
                let said = answer.get("error").and_then(Value::as_str).unwrap_or_default();
                Err(refused(self.complaint(&format!("no access_token in the answer {said}"))))
            }
        }
    }

    /// What the endpoint said, fit to be shown: some endpoints repeat the request.
    fn complaint(&self, text: &str) -> String {
        let secret = self.client_secret.expose();
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let mut text = text.trim().to_owned();
        for secret in [self.basic().expose(), &encoded, secret] {
            if !secret.is_empty() {
                text = text.replace(secret, "…");
            }
        }
        text.chars().take(COMPLAINT).collect()
    }
}

/// `expires_in`, which some endpoints write as a text.
fn life(answer: &Value) -> Duration {
    let told = answer.get("expires_in");
    let seconds = told.and_then(|told| told.as_f64().or_else(|| told.as_str()?.trim().parse().ok()));
    match seconds {
        Some(seconds) => {
            Duration::try_from_secs_f64(seconds.max(0.0)).map_or(LONGEST_LIFE, |life| life.min(LONGEST_LIFE))
        }
        None => UNTOLD_LIFE,
    }
}

/// How long a token is used: to 90 % of its life or 60 s before its end, whichever is earlier. One that lives two
/// minutes or less is used for half its life, else it would be fetched for every call.
fn use_for(life: Duration) -> Duration {
    let margin = (life / 10).max(Duration::from_secs(60).min(life / 2));
    life.saturating_sub(margin)
}

/// The kept tokens.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<String, Arc<Slot>>>);

/// One key's token.
#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    /// Held while fetching, so that there is one fetch at a time.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    kept: Option<(Secret, Instant)>,
    /// Fetches that have ended, and how the last one failed.
    ended: u64,
    failure: Option<TokenError>,
}

impl State {
    fn fresh(&self) -> Option<Secret> {
        let (token, until) = self.kept.as_ref()?;
        (Instant::now() < *until).then(|| token.clone())
    }
}

impl Tokens {
    /// The kept token, or a new one.
    pub(crate) async fn get<F>(&self, key: &str, fetch: impl FnOnce() -> F) -> Result<Secret, TokenError>
    where
        F: Future<Output = Result<Fetched, TokenError>>,
    {
        let slot = Arc::clone(lock(&self.0).entry(key.to_owned()).or_default());
        let ended = {
            let state = lock(&slot.state);
            if let Some(token) = state.fresh() {
                return Ok(token);
            }
            state.ended
        };
        let _turn = slot.fetching.lock().await;
        {
            let state = lock(&slot.state);
            if let Some(token) = state.fresh() {
                return Ok(token);
            }
            // Who waited for a fetch shares its failure too: else every waiter in turn asks an endpoint that
            // has just refused, or waits for one that hangs.
            if let Some(failure) = state.failure.as_ref().filter(|_| state.ended != ended) {
                return Err(failure.clone());
            }
        }
        // Counted from before the request: the token may be as old as that.
        let asked = Instant::now();
        let result = fetch().await;
        let mut state = lock(&slot.state);
        state.ended += 1;
        state.failure = result.as_ref().err().cloned();
        let fetched = result?;
        state.kept = Some((fetched.token.clone(), asked + use_for(fetched.life)));
        Ok(fetched.token)
    }

    /// Drops the token if it is the kept one.
    pub(crate) fn forget(&self, key: &str, token: &Secret) {
        let Some(slot) = lock(&self.0).get(key).cloned() else { return };
        let mut state = lock(&slot.state);
        if state.kept.as_ref().is_some_and(|(kept, _)| kept == token) {
            state.kept = None;
        }
    }
}

/// The lock's content. A panic elsewhere leaves it whole: every change is a single assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_renewed_early() {
        for (life, used) in [(3600, 3240), (600, 540), (300, 240), (120, 60), (60, 30), (2, 1), (0, 0)] {
            assert_eq!(use_for(Duration::from_secs(life)), Duration::from_secs(used), "life {life}");
        }
    }

    #[test]
    fn expires_in_is_read_in_every_form() {
        for (answer, seconds) in [
            (r#"{"expires_in":3600}"#, 3600),
            (r#"{"expires_in":"3600"}"#, 3600),
            (r#"{"expires_in":-1}"#, 0),
            (r#"{"expires_in":1e300}"#, LONGEST_LIFE.as_secs()),
            (r#"{"expires_in":null}"#, 300),
            ("{}", 300),
        ] {
            let answer = serde_json::from_str(answer).unwrap();
            assert_eq!(life(&answer), Duration::from_secs(seconds), "{answer}");
        }
    }
}
