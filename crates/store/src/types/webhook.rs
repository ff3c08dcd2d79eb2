//! Events, and the webhooks that hear of them. `Debug` never prints a signing secret, a payload or an address's path.

use std::fmt;

use serde_json::Value;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::Redacted;
use crate::Account;

/// Something that happened, to be told to whoever asked for it.
#[derive(Clone)]
pub struct NewEvent {
    /// The environment that it happened in.
    pub environment_id: Uuid,
    /// What, as `family:word`.
    pub event: String,
    /// About it; sealed at rest, but receivers read it: never put a secret here.
    pub payload: Value,
}

impl fmt::Debug for NewEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEvent")
            .field("environment_id", &self.environment_id)
            .field("event", &self.event)
            .field("payload", &Redacted)
            .finish()
    }
}

/// The events that tell of an account as it is after a change.
pub type Announce<'a> = &'a (dyn Fn(&Account) -> Vec<NewEvent> + Send + Sync);

/// Somebody who wants to hear of events.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: Uuid,
    /// The environment whose events it hears of.
    pub environment_id: Uuid,
    /// Where deliveries go.
    pub target_url: String,
    /// Which events: names, or `family:*`; `None` is all.
    pub event_types: Option<Vec<String>>,
    /// Whether it is on.
    pub is_active: bool,
    /// Since when nothing was delivered any more, if the last attempt failed.
    pub failing_since: Option<String>,
    /// When it was turned off because it had failed for too long.
    pub disabled_at: Option<String>,
    /// When it was created.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("environment_id", &self.environment_id)
            .field("target_url", &Redacted)
            .field("event_types", &self.event_types)
            .field("is_active", &self.is_active)
            .finish_non_exhaustive()
    }
}

/// A webhook to create.
#[derive(Clone)]
pub struct NewWebhook {
    /// The environment whose events it hears of.
    pub environment_id: Uuid,
    /// Where deliveries go; sealed at rest.
    pub target_url: String,
    /// Which events; `None` is all.
    pub event_types: Option<Vec<String>>,
    /// Whether it is on.
    pub is_active: bool,
}

/// What to change in a webhook; `None` leaves it as it is.
#[derive(Clone, Default)]
pub struct WebhookChange {
    /// The new address.
    pub target_url: Option<String>,
    /// The new choice of events; `Some(None)` is all.
    pub event_types: Option<Option<Vec<String>>>,
    /// On or off. Turning it on queues what was held and forgets past failures.
    pub is_active: Option<bool>,
}

/// One delivery to make now.
#[derive(Clone)]
pub struct DueDelivery {
    /// The delivery.
    pub id: Uuid,
    /// What this node holds the webhook with; `None` for one that is made at once and never queued.
    pub lease: Option<Uuid>,
    /// The receiver.
    pub webhook_id: Uuid,
    /// Its environment.
    pub environment_id: Uuid,
    /// Its address.
    pub target_url: String,
    /// What signs the delivery.
    pub secret: Zeroizing<String>,
    /// The event, the same in every attempt and for every receiver.
    pub event_id: Uuid,
    /// Its name.
    pub event: String,
    /// About it.
    pub payload: Value,
    /// When it happened.
    pub created_at: String,
    /// Attempts so far.
    pub attempts: u32,
    /// Attempts since it was last queued.
    pub retries: u32,
    /// How many attempts in a row have failed at this receiver, of whichever deliveries.
    pub failures: u32,
}

impl fmt::Debug for DueDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DueDelivery")
            .field("id", &self.id)
            .field("webhook_id", &self.webhook_id)
            .field("event_id", &self.event_id)
            .field("event", &self.event)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

/// How one attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The receiver's HTTP status, if it answered.
    pub http_status: Option<u16>,
    /// Why there was no answer, or why it is none.
    pub error: Option<String>,
    /// How long it took.
    pub duration_ms: u32,
    /// The first bytes of what it said; sealed at rest.
    pub answer: Option<String>,
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is delivered.
    Done,
    /// It is tried again after this pause.
    Again(std::time::Duration),
    /// It has failed, and is not tried again by itself.
    GiveUp,
}

/// What is decided after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of the delivery.
    pub next: Next,
    /// How long the receiver is left alone after a failure, by every delivery.
    pub rest: std::time::Duration,
    /// How long nothing may have reached the receiver before it is turned off.
    pub patience: std::time::Duration,
}

/// What a recorded attempt changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The delivery.
    Delivery,
    /// The delivery, and the webhook was turned off: nothing has reached it for too long.
    Disabled,
    /// Nothing: the delivery is gone, or another node has recorded an attempt of its own meanwhile.
    Outrun,
}

/// A delivery as the log shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: Uuid,
    /// The receiver.
    pub webhook_id: Uuid,
    /// The event.
    pub event_id: Uuid,
    /// Its name.
    pub event: String,
    /// `pending`, `held`, `delivered` or `failed`.
    pub status: String,
    /// When it is tried next.
    pub next_at: Option<String>,
    /// When it was queued first.
    pub created_at: String,
    /// When it ended.
    pub finished_at: Option<String>,
    /// Every attempt, oldest first, with the time of its end.
    pub attempts: Vec<(Attempt, String)>,
}

/// Which deliveries to list; `None` is any.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only to this webhook.
    pub webhook_id: Option<Uuid>,
    /// Only of this event.
    pub event: Option<String>,
    /// Only in this status.
    pub status: Option<String>,
    /// Only those queued after this time (ISO 8601 with an offset).
    pub after: Option<String>,
    /// Only those queued before this time.
    pub until: Option<String>,
}

/// What to send again.
#[derive(Clone, Debug)]
pub enum Replay {
    /// This delivery, whatever became of it.
    One(Uuid),
    /// Every failed one that was queued at or after this time (ISO 8601 with an offset).
    FailedSince(String),
}
