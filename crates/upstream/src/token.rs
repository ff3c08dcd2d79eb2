//! Access tokens, however they are obtained: fetched once, kept until shortly before they expire.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use koine_model::{Answer, Credentials, Request, Response, Secret};
use serde_json::{Map, Value};

use crate::error::TokenError;
use crate::{Hosts, Upstream};

/// The life of a token whose endpoint does not tell: short, and a vendor's 401 ends it earlier.
const UNTOLD_LIFE: Duration = Duration::from_secs(300);
/// A life beyond this is a mistake of the endpoint, and would overflow the clock.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// A token and what came with it.
#[derive(Clone, Debug)]
pub struct Token {
    /// The token.
    pub value: Secret,
    /// Seconds it lives, if the endpoint told.
    pub lifetime: Option<f64>,
    /// What else of the answer is worth keeping.
    pub kept: Map<String, Value>,
}

/// How a token is asked for and read.
#[async_trait]
pub trait Login: Send + Sync {
    /// The request, made anew for every fetch.
    ///
    /// # Errors
    /// When it cannot be made.
    async fn request(&self) -> Result<(Request, Credentials), TokenError>;

    /// Reads the answer, and makes durable what must not be lost (a refresh token that replaces the one used)
    /// before anybody gets the token.
    ///
    /// # Errors
    /// When the endpoint refused.
    async fn read(&self, response: &Response) -> Result<Token, TokenError>;
}

/// Asks the endpoint once.
pub(crate) async fn fetch(
    login: &dyn Login,
    upstream: &Upstream,
    hosts: &Hosts,
) -> Result<Token, TokenError> {
    let (request, credentials) = login.request().await?;
    match upstream.send(&request, &credentials, hosts).await {
        Answer::Received(response) => login.read(&response).await,
        Answer::Lost(why) | Answer::NotSent(why) => Err(TokenError::Lost(why)),
        Answer::Forbidden(why) => Err(TokenError::Forbidden(why)),
    }
}

/// The life that the endpoint told, within reason.
fn life(told: Option<f64>) -> Duration {
    match told {
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
    kept: Option<(Token, Instant)>,
    /// Fetches that have ended, and how the last one failed.
    ended: u64,
    failure: Option<TokenError>,
}

impl State {
    fn fresh(&self) -> Option<Token> {
        let (token, until) = self.kept.as_ref()?;
        (Instant::now() < *until).then(|| token.clone())
    }
}

impl Tokens {
    /// The kept token, or a new one.
    pub(crate) async fn get<F>(&self, key: &str, fetch: impl FnOnce() -> F) -> Result<Token, TokenError>
    where
        F: Future<Output = Result<Token, TokenError>>,
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
        state.kept = Some((fetched.clone(), asked + use_for(life(fetched.lifetime))));
        Ok(fetched)
    }

    /// Drops the token if it is the kept one.
    pub(crate) fn forget(&self, key: &str, token: &Secret) {
        let Some(slot) = lock(&self.0).get(key).cloned() else { return };
        let mut state = lock(&slot.state);
        if state.kept.as_ref().is_some_and(|(kept, _)| kept.value == *token) {
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
    fn a_life_is_bounded() {
        for (told, seconds) in
            [(Some(3600.0), 3600), (Some(-1.0), 0), (Some(1e300), LONGEST_LIFE.as_secs()), (None, 300)]
        {
            assert_eq!(life(told), Duration::from_secs(seconds), "{told:?}");
        }
    }
}
