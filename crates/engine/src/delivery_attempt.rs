//! One attempt to deliver an event: what is sent, how it went, and what follows from it.

use std::time::Instant;

use jiff::Timestamp;
use koine_model::{Answer, Body, Credentials, Error, ErrorCode, Request, Response, Verb};
use koine_store::{Actor, Attempt, AuditEntry, DueDelivery, Next, Recorded, Verdict};
use koine_upstream::Hosts;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::{Engine, Receivers, signature};

/// Most characters of an answer that are kept.
const KEPT: usize = 512;

impl Engine {
    /// One attempt of a queued delivery, and what follows from it.
    pub(crate) async fn attempt(&self, due: &DueDelivery) {
        let receivers = self.receivers();
        let (attempt, taken) = send(&receivers, due).await;
        let verdict = receivers.judge(due, taken);
        tracing::info!(
            webhook.id = %due.webhook_id,
            event.id = %shown_id(due.event_id),
            event.name = due.event,
            delivery.attempt = due.attempts + 1,
            http.status = attempt.http_status,
            error = attempt.error,
            duration_ms = attempt.duration_ms,
            next = ?verdict.next,
            "delivery"
        );
        match self.parts.store.finish_attempt(due, attempt, verdict).await {
            Ok(Recorded::Delivery | Recorded::Outrun) => {}
            Ok(Recorded::Disabled) => self.note_disabled(due).await,
            // It is tried again when the lease has ended: the receiver knows it by its id.
            Err(error) => {
                tracing::error!(webhook.id = %due.webhook_id, %error, "a delivery cannot be recorded");
            }
        }
    }

    /// One attempt at once, recorded but never repeated.
    pub(crate) async fn deliver_once(&self, due: &DueDelivery) -> Result<(), Error> {
        let receivers = self.receivers();
        let (attempt, taken) = send(&receivers, due).await;
        let next = if taken { Next::Done } else { Next::GiveUp };
        let verdict = Verdict { next, ..receivers.judge(due, taken) };
        let said = attempt.error.clone();
        self.parts.store.finish_attempt(due, attempt, verdict).await.map_err(Error::internal)?;
        match said {
            Some(why) if !taken => {
                Err(Error::new(ErrorCode::VendorUnreachable, format!("not delivered: {why}")))
            }
            _ => Ok(()),
        }
    }

    async fn note_disabled(&self, due: &DueDelivery) {
        tracing::warn!(webhook.id = %due.webhook_id, "a webhook was turned off: nothing has reached it for too long");
        let by = Actor { name: "koine".to_owned(), source: "deliveries".to_owned() };
        let entry = AuditEntry::new(&by, Some(due.environment_id), "webhook.disable", &due.webhook_id)
            .making(json!({"why": "nothing has reached it for too long", "delivery": due.id}));
        if let Err(error) = self.parts.store.audit(entry).await {
            tracing::error!(webhook.id = %due.webhook_id, %error, "the audit log cannot be written");
        }
    }

    pub(crate) fn receivers(&self) -> Receivers {
        let parts = || Receivers::new(std::sync::Arc::clone(&self.parts.upstream));
        self.memory.receivers.clone().unwrap_or_else(parts)
    }
}

/// An event's id as receivers see it.
pub(crate) fn shown_id(id: Uuid) -> String {
    format!("evt_{}", id.simple())
}

/// The body of a delivery: the same bytes in every attempt.
fn body(due: &DueDelivery) -> String {
    let body: Value = json!({
        "id": shown_id(due.event_id), "event": due.event, "payload": due.payload, "environment_id": due.environment_id,
        "webhook_id": due.webhook_id, "created_at": due.created_at,
    });
    body.to_string()
}

/// Sends once; says how it went, and whether the receiver took it.
async fn send(receivers: &Receivers, due: &DueDelivery) -> (Attempt, bool) {
    let started = Instant::now();
    let answer = match request(due) {
        Some((request, hosts)) => {
            let nothing = Credentials::default();
            let sending = receivers.outgoing.send(&request, &nothing, &hosts);
            tokio::time::timeout(receivers.timeout, sending)
                .await
                .unwrap_or_else(|_| Answer::Lost(format!("no whole answer within {:?}", receivers.timeout)))
        }
        None => Answer::Forbidden("the address is not a URL".to_owned()),
    };
    let (http_status, error, answer) = match answer {
        Answer::Received(response) => {
            let taken = (200..300).contains(&response.status);
            let error = (!taken).then(|| format!("the receiver answered {}", response.status));
            (Some(response.status), error, Some(beginning(&response, due)))
        }
        Answer::Lost(why) | Answer::NotSent(why) | Answer::Forbidden(why) => (None, Some(why), None),
    };
    let taken = error.is_none();
    let duration_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
    (Attempt { http_status, error, duration_ms, answer }, taken)
}

fn request(due: &DueDelivery) -> Option<(Request, Hosts)> {
    let url = Url::parse(&due.target_url).ok()?;
    let hosts = host_of(&url)?;
    let text = body(due);
    let now = Timestamp::now().as_second();
    let mut headers = signature::headers(&due.secret, &shown_id(due.event_id), now, &text);
    headers.push(("Koine-Delivery".to_owned(), due.id.to_string()));
    headers.push(("Koine-Attempt".to_owned(), (due.attempts + 1).to_string()));
    let body = Some(Body::Raw { content_type: "application/json".to_owned(), text });
    Some((Request { verb: Verb::Post, url, headers, body }, hosts))
}

/// The only host that a delivery may go to.
pub(crate) fn host_of(url: &Url) -> Option<Hosts> {
    let host = url.host_str()?;
    Some(Hosts::new([url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))]))
}

/// How an answer begins, unless it repeats the signing secret.
fn beginning(response: &Response, due: &DueDelivery) -> String {
    let text = String::from_utf8_lossy(&response.body);
    if text.contains(due.secret.as_str()) {
        return "[the answer repeats the signing secret]".to_owned();
    }
    text.chars().take(KEPT).collect()
}
