//! The way out: how the engine reaches vendors, and waits. Production has one; fixtures replay another.

use std::time::Duration;

use async_trait::async_trait;
use koine_model::{Answer, Credentials, Request, Secret};
use koine_upstream::{ClientCredentials, Hosts, TokenError, Upstream};

/// What carries requests to vendors.
#[async_trait]
pub trait Outgoing: Send + Sync {
    /// Sends once; see [`Upstream::send`].
    async fn send(&self, request: &Request, credentials: &Credentials, hosts: &Hosts) -> Answer;

    /// An access token; see [`Upstream::token`].
    ///
    /// # Errors
    /// When there is none.
    async fn token(&self, key: &str, grant: &ClientCredentials, hosts: &Hosts) -> Result<Secret, TokenError>;

    /// Drops a refused token; see [`Upstream::forget_token`].
    fn forget_token(&self, key: &str, token: &Secret);

    /// Waits between two requests.
    async fn pause(&self, time: Duration);
}

#[async_trait]
impl Outgoing for Upstream {
    async fn send(&self, request: &Request, credentials: &Credentials, hosts: &Hosts) -> Answer {
        Self::send(self, request, credentials, hosts).await
    }

    async fn token(&self, key: &str, grant: &ClientCredentials, hosts: &Hosts) -> Result<Secret, TokenError> {
        Self::token(self, key, grant, hosts).await
    }

    fn forget_token(&self, key: &str, token: &Secret) {
        Self::forget_token(self, key, token);
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
