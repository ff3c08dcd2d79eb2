//! [`Webhooks`] over a database.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{SqlStore, accounts, deliveries, delivery_log, events, webhooks};
use crate::{
    Account, AccountChange, Actor, Announce, Attempt, Delivery, DeliveryFilter, DueDelivery, NewEvent,
    NewWebhook, Recorded, Replay, StoreError, Verdict, Webhook, WebhookChange, Webhooks,
};

#[async_trait]
impl Webhooks for SqlStore {
    async fn update_account_with(
        &self,
        environment_id: Uuid,
        id: Uuid,
        change: AccountChange,
        announce: Announce<'_>,
    ) -> Result<Option<Account>, StoreError> {
        let _changed = self.changes.change();
        accounts::update(self, environment_id, id, change, announce).await
    }

    async fn record_event(&self, event: NewEvent) -> Result<Uuid, StoreError> {
        events::record_alone(self, &event).await
    }

    async fn create_webhook(
        &self,
        webhook: NewWebhook,
        by: &Actor,
    ) -> Result<(Webhook, Zeroizing<String>), StoreError> {
        webhooks::create(self, webhook, by).await
    }

    async fn get_webhook(&self, environment_id: Uuid, id: Uuid) -> Result<Option<Webhook>, StoreError> {
        webhooks::get(self, environment_id, id).await
    }

    async fn list_webhooks(
        &self,
        environment_id: Uuid,
        is_active: Option<bool>,
        limit: u32,
        after: Option<Uuid>,
    ) -> Result<Vec<Webhook>, StoreError> {
        webhooks::list(self, environment_id, is_active, limit, after).await
    }

    async fn update_webhook(
        &self,
        environment_id: Uuid,
        id: Uuid,
        change: WebhookChange,
        by: &Actor,
    ) -> Result<Option<Webhook>, StoreError> {
        webhooks::update(self, environment_id, id, change, by).await
    }

    async fn delete_webhook(&self, environment_id: Uuid, id: Uuid, by: &Actor) -> Result<bool, StoreError> {
        webhooks::delete(self, environment_id, id, by).await
    }

    async fn claim_deliveries(&self, limit: u32, lease: Duration) -> Result<Vec<DueDelivery>, StoreError> {
        deliveries::claim(self, limit, lease).await
    }

    async fn next_delivery(&self) -> Result<Option<Duration>, StoreError> {
        deliveries::next(self).await
    }

    async fn single_delivery(
        &self,
        webhook_id: Uuid,
        event: NewEvent,
    ) -> Result<Option<DueDelivery>, StoreError> {
        deliveries::single(self, webhook_id, event).await
    }

    async fn finish_attempt(
        &self,
        due: &DueDelivery,
        attempt: Attempt,
        verdict: Verdict,
    ) -> Result<Recorded, StoreError> {
        deliveries::finish(self, due, attempt, verdict).await
    }

    async fn list_deliveries(
        &self,
        environment_id: Uuid,
        filter: DeliveryFilter,
        limit: u32,
        before: Option<Uuid>,
    ) -> Result<Vec<Delivery>, StoreError> {
        delivery_log::list(self, environment_id, filter, limit, before).await
    }

    async fn replay_deliveries(
        &self,
        environment_id: Uuid,
        webhook_id: Uuid,
        what: Replay,
        by: &Actor,
    ) -> Result<u64, StoreError> {
        delivery_log::replay(self, environment_id, webhook_id, what, by).await
    }

    async fn forget_events(&self, older_than: Duration) -> Result<u64, StoreError> {
        events::forget(self, older_than).await
    }
}
