//! The way out: how the engine reaches vendors, and waits. Production has one; fixtures replay another.

use std::time::Duration;

use async_trait::async_trait;
use koine_model::{Answer, Credentials, Request, Secret};
use koine_upstream::{Hosts, Login, Token, TokenError, Upstream};
use url::Url;

/// What carries requests to vendors.
#[async_trait]
pub trait Outgoing: Send + Sync {
    /// Sends once; see [`Upstream::send`].
    async fn send(&self, request: &Request, credentials: &Credentials, hosts: &Hosts) -> Answer;

    /// An access token; see [`Upstream::token`].
    ///
    /// # Errors
    /// When there is none.
    async fn token(&self, key: &str, login: &dyn Login, hosts: &Hosts) -> Result<Token, TokenError>;

    /// Drops a refused token; see [`Upstream::forget_token`].
    fn forget_token(&self, key: &str, token: &Secret);

    /// Waits between two requests.
    async fn pause(&self, time: Duration);

    /// How long [`Self::send`] takes at most; what stands in for vendors answers at once.
    fn longest_exchange(&self) -> Duration {
        Duration::ZERO
    }

    /// Why a request to this address would be refused, as far as that is known before its name is looked up.
    fn refuses(&self, _url: &Url, _hosts: &Hosts) -> Option<String> {
        None
    }
}

#[async_trait]
impl Outgoing for Upstream {
    async fn send(&self, request: &Request, credentials: &Credentials, hosts: &Hosts) -> Answer {
        Self::send(self, request, credentials, hosts).await
    }

    async fn token(&self, key: &str, login: &dyn Login, hosts: &Hosts) -> Result<Token, TokenError> {
        Self::token(self, key, login, hosts).await
    }

    fn forget_token(&self, key: &str, token: &Secret) {
        Self::forget_token(self, key, token);
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn longest_exchange(&self) -> Duration {
        Self::longest_exchange(self)
    }

    fn refuses(&self, url: &Url, hosts: &Hosts) -> Option<String> {
        Self::refuses(self, url, hosts)
    }
}
