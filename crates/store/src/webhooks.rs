//! Events and webhooks as part of the store.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    Account, AccountChange, Actor, Announce, Attempt, Delivery, DeliveryFilter, DueDelivery, NewEvent,
    NewWebhook, Recorded, Replay, StoreError, Verdict, Webhook, WebhookChange,
};

/// An outbox: events are written with the change that they tell of, one delivery for each active webhook that wants
/// them; nodes take due deliveries under a lease, one per webhook at a time.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// [`crate::Store::update_account`], with its events in the same transaction: for what Koine finds out itself.
    async fn update_account_with(
        &self,
        environment_id: Uuid,
        id: Uuid,
        change: AccountChange,
        announce: Announce<'_>,
    ) -> Result<Option<Account>, StoreError>;
    /// Records an event that goes with no change, and gives its id. [`StoreError::NotFound`] without the environment.
    async fn record_event(&self, event: NewEvent) -> Result<Uuid, StoreError>;

    /// Creates a webhook and gives its signing secret, which is shown once. [`StoreError::Conflict`] when the environment
    /// has as many as it may have.
    async fn create_webhook(
        &self,
        webhook: NewWebhook,
        by: &Actor,
    ) -> Result<(Webhook, Zeroizing<String>), StoreError>;
    /// The webhook, if it exists in this environment.
    async fn get_webhook(&self, environment_id: Uuid, id: Uuid) -> Result<Option<Webhook>, StoreError>;
    /// At most `limit` webhooks of the environment, oldest first, from behind `after`.
    async fn list_webhooks(
        &self,
        environment_id: Uuid,
        is_active: Option<bool>,
        limit: u32,
        after: Option<Uuid>,
    ) -> Result<Vec<Webhook>, StoreError>;
    /// Changes a webhook. Turning it off holds what is queued; turning it on queues what was held.
    async fn update_webhook(
        &self,
        environment_id: Uuid,
        id: Uuid,
        change: WebhookChange,
        by: &Actor,
    ) -> Result<Option<Webhook>, StoreError>;
    /// Forgets a webhook with its deliveries; `false` when there was none.
    async fn delete_webhook(&self, environment_id: Uuid, id: Uuid, by: &Actor) -> Result<bool, StoreError>;

    /// Takes at most `limit` due deliveries, one for each webhook, longest waiting webhooks first. For the time of
    /// `lease`, nobody takes another one of these webhooks; a node that dies gives them back by that.
    async fn claim_deliveries(&self, limit: u32, lease: Duration) -> Result<Vec<DueDelivery>, StoreError>;
    /// How long until the next delivery is due; zero when one is, `None` when nothing is queued.
    async fn next_delivery(&self) -> Result<Option<Duration>, StoreError>;
    /// Records an event and a delivery of it to this webhook alone, on or off, that its caller makes at once;
    /// `None` when this environment has no such webhook.
    async fn single_delivery(
        &self,
        webhook_id: Uuid,
        event: NewEvent,
    ) -> Result<Option<DueDelivery>, StoreError>;
    /// Records an attempt, gives the webhook back or lets it rest, and turns it off when nothing has reached it for too
    /// long.
    async fn finish_attempt(
        &self,
        due: &DueDelivery,
        attempt: Attempt,
        verdict: Verdict,
    ) -> Result<Recorded, StoreError>;

    /// At most `limit` deliveries of the environment with their attempts, newest first, from before `before`.
    /// [`StoreError::Invalid`] for a bad time.
    async fn list_deliveries(
        &self,
        environment_id: Uuid,
        filter: DeliveryFilter,
        limit: u32,
        before: Option<Uuid>,
    ) -> Result<Vec<Delivery>, StoreError>;
    /// Queues deliveries of a webhook again, and says how many. [`StoreError::Invalid`] for a bad time.
    async fn replay_deliveries(
        &self,
        environment_id: Uuid,
        webhook_id: Uuid,
        what: Replay,
        by: &Actor,
    ) -> Result<u64, StoreError>;
    /// Forgets events, and their deliveries, that are older than this, unless one is still queued; says how many.
    async fn forget_events(&self, older_than: Duration) -> Result<u64, StoreError>;
}
