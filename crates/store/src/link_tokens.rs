//! Links that let a customer connect an account: 256 random bits, seven days, one account.

use async_trait::async_trait;
use serde_json::Value;
use uuid::Uuid;

use crate::{Actor, Announce, LinkSession, Linked, LinkedAccount, NewLinkToken, StoreError};

/// Most times that credentials are saved under one link.
pub const MOST_LINK_ATTEMPTS: u32 = 30;

/// Which events tell of an account that a link made or changed.
#[derive(Clone, Copy)]
pub struct LinkAnnounce<'a> {
    /// Of a new one.
    pub created: Announce<'a>,
    /// Of one that was there.
    pub updated: Announce<'a>,
}

/// The part of [`Store`](crate::Store) for connecting accounts on the hosted page.
#[async_trait]
pub trait LinkTokens: Send + Sync {
    /// Creates a link token and returns its id and its secret, which is shown once and cannot be had again.
    /// [`StoreError::NotFound`] without the environment.
    async fn create_link_token(&self, token: NewLinkToken, by: &Actor) -> Result<(Uuid, String), StoreError>;
    /// Begins a browser's session under the link with this secret: the session's id and secret. `None` when the link
    /// is unknown, its time is over, or it was used up.
    async fn open_link(&self, secret: &str, options: Value) -> Result<Option<(Uuid, String)>, StoreError>;
    /// The session with this id and secret, while its time lasts.
    async fn link_session(&self, id: Uuid, secret: &str) -> Result<Option<LinkSession>, StoreError>;
    /// Saves credentials and uses the link up, in one step: of two sessions at once one wins. The one that won may save
    /// again, [`MOST_LINK_ATTEMPTS`] times, as long as its account is not `active`. The account changes with its entry in
    /// the audit log, with its grant, and with its events.
    async fn save_linked_account(
        &self,
        session: &LinkSession,
        account: LinkedAccount,
        by: &Actor,
        announce: LinkAnnounce<'_>,
    ) -> Result<Linked, StoreError>;
}
