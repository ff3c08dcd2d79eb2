//! Access tokens, however they are obtained: fetched once, kept until shortly before they expire.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use koine_model::{Answer, Credentials, Request, Response, Secret};
use serde_json::{Map, Value};

use crate::error::TokenError;
use crate::{Hosts, Upstream};

/// The life of a token whose endpoint does not tell: short, and a vendor's 401 ends it earlier.
const UNTOLD_LIFE: Duration = Duration::from_secs(300);
/// A life beyond this is a mistake of the endpoint, and would overflow the clock.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Most keys before those that hold nothing of use go.
const MOST: usize = 1 << 16;

/// A token and what came with it.
#[derive(Clone, Debug)]
pub struct Token {
    /// The token.
    pub value: Secret,
    /// Seconds it lives, if the endpoint told.
    pub lifetime: Option<f64>,
    /// What else of the answer is worth keeping.
    pub kept: Map<String, Value>,
    /// How long it is used without a further look; by default until shortly before its life ends.
    pub fresh_for: Option<Duration>,
    /// When it was obtained.
    pub since: Instant,
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

    /// How long a refusal counts before the endpoint is asked again.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    /// Gets a token: by asking the endpoint once, unless there is a better way.
    ///
    /// # Errors
    /// When there is none.
    async fn fetch(&self, upstream: &Upstream, hosts: &Hosts) -> Result<Token, TokenError> {
        let (request, credentials) = self.request().await?;
        let response = received(upstream.send(&request, &credentials, hosts).await)?;
        self.read(&response).await
    }
}

/// What a token endpoint answered, if it did.
///
/// # Errors
/// When it was not asked, or its answer was lost.
pub fn received(answer: Answer) -> Result<Response, TokenError> {
    match answer {
        Answer::Received(response) => Ok(response),
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

/// How long a token of this life is used; see [`use_for`].
#[must_use]
pub fn lifetime(told: Option<f64>) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    use_for(life(told), now % JITTER)
}

/// How long a token is used: until 60 s before its end, and up to 30 s less, so that not everybody renews at once. One
/// that lives three minutes or less is used for half its life, else it would be fetched for every call.
fn use_for(life: Duration, jitter: u32) -> Duration {
    let margin = Duration::from_secs(60) + Duration::from_secs(30) * jitter / JITTER;
    life.saturating_sub(margin.min(life / 2))
}

/// Steps of the jitter.
const JITTER: u32 = 1000;

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
    /// The endpoint's last word, if it was a no that it meant.
    refusal: Option<(TokenError, Instant)>,
}

impl State {
    fn fresh(&self) -> Option<Token> {
        let (token, until) = self.kept.as_ref()?;
        (Instant::now() < *until).then(|| token.clone())
    }

    /// How a fetch failed that counts for a caller who had seen so many end.
    fn failure(&self, seen: u64, patience: Duration) -> Option<TokenError> {
        let refusal = self.refusal.as_ref().filter(|(_, since)| since.elapsed() < patience);
        // Who waited for a fetch shares its failure too: else every waiter in turn asks an endpoint that has just
        // refused, or waits for one that hangs.
        let shared = self.failure.as_ref().filter(|_| self.ended != seen);
        shared.or(refusal.map(|(error, _)| error)).cloned()
    }
}

impl Tokens {
    /// The kept token, or a new one. For as long as `patience` says, a refusal stands in for asking.
    pub(crate) async fn get<F>(
        &self,
        key: &str,
        patience: Duration,
        fetch: impl FnOnce() -> F,
    ) -> Result<Token, TokenError>
    where
        F: Future<Output = Result<Token, TokenError>>,
    {
        let slot = self.slot(key);
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
            if let Some(failure) = state.failure(ended, patience) {
                return Err(failure);
            }
        }
        // Counted from before the request: the token may be as old as that.
        let asked = Instant::now();
        let result = fetch().await;
        let mut state = lock(&slot.state);
        state.ended += 1;
        state.failure = result.as_ref().err().cloned();
        state.refusal = state.failure.clone().filter(TokenError::is_final).map(|error| (error, asked));
        let fetched = result?;
        let time = fetched.fresh_for.unwrap_or_else(|| lifetime(fetched.lifetime)).min(LONGEST_LIFE);
        state.kept = Some((fetched.clone(), asked + time));
        Ok(fetched)
    }

    /// The key's slot. Once there are very many, those that hold nothing of use make room.
    fn slot(&self, key: &str) -> Arc<Slot> {
        let mut slots = lock(&self.0);
        if slots.len() >= MOST && !slots.contains_key(key) {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1 || lock(&slot.state).fresh().is_some());
        }
        Arc::clone(slots.entry(key.to_owned()).or_default())
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
        for (life, jitter, used) in [
            (3600, 0, 3540),
            (3600, 500, 3525),
            (600, 1000, 510),
            (180, 1000, 90),
            (180, 0, 120),
            (120, 0, 60),
            (60, 1000, 30),
            (2, 0, 1),
            (0, 0, 0),
        ] {
            assert_eq!(use_for(Duration::from_secs(life), jitter), Duration::from_secs(used), "life {life}");
        }
        for _ in 0..100 {
            let used = lifetime(Some(3600.0));
            assert!((3510..=3540).contains(&used.as_secs()), "{used:?}");
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
