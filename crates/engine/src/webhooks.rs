//! Webhooks as callers manage them.

use koine_model::{Error, ErrorCode};
use koine_store::{NewEvent, NewWebhook, StoreError, Webhook, WebhookChange};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::{Caller, Engine, Rights, WebhookPatch, WebhookQuery, delivery_attempt, events};

/// Entries in a page when the caller names no number.
pub(crate) const PAGE: u32 = 25;
/// Most entries in a page.
pub(crate) const LARGEST_PAGE: u32 = 100;
/// Longest address.
const LONGEST_URL: usize = 2048;

impl Engine {
    /// Creates a webhook; only this answer holds its signing secret.
    ///
    /// # Errors
    /// An address that deliveries may not go to, or an unknown event; 409 when the environment has as many as it may have.
    pub async fn create_webhook(
        &self,
        caller: &Caller,
        target_url: &str,
        event_types: Option<Vec<String>>,
        is_active: bool,
    ) -> Result<Value, Error> {
        self.check_target(target_url)?;
        check_types(event_types.as_deref())?;
        let new = NewWebhook {
            environment_id: caller.environment_id,
            target_url: target_url.to_owned(),
            event_types,
            is_active,
        };
        let made = self.parts.store.create_webhook(new, &caller.as_actor()).await;
        let (webhook, secret) = made.map_err(|error| match error {
            StoreError::Conflict { what } => Error::new(ErrorCode::Conflict, what),
            other => Error::internal(other),
        })?;
        let mut shown = shown(&webhook, caller);
        shown["secret"] = json!(secret.as_str());
        Ok(shown)
    }

    /// One webhook.
    ///
    /// # Errors
    /// 404 when this environment has none with that id.
    pub async fn get_webhook(&self, caller: &Caller, id: Uuid) -> Result<Value, Error> {
        self.webhook(caller, id).await.map(|webhook| shown(&webhook, caller))
    }

    /// A page of webhooks: `{result, next_cursor, limit}`.
    ///
    /// # Errors
    /// A cursor that is not one.
    pub async fn list_webhooks(&self, caller: &Caller, query: WebhookQuery) -> Result<Value, Error> {
        let limit = query.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
        let after = cursor(query.next_cursor)?;
        if query.environment_id.is_some_and(|id| id != caller.environment_id) {
            return Ok(page(&[], None, limit));
        }
        let store = &self.parts.store;
        let found = store.list_webhooks(caller.environment_id, query.is_active, limit, after).await;
        let found = found.map_err(Error::internal)?;
        let last = found.last().map(|webhook| webhook.id);
        let result: Vec<_> = found.iter().map(|webhook| shown(webhook, caller)).collect();
        Ok(page(&result, last, limit))
    }

    /// Changes a webhook. Turning it on queues what was held while it was off.
    ///
    /// # Errors
    /// As [`Engine::create_webhook`] and [`Engine::get_webhook`].
    pub async fn patch_webhook(
        &self,
        caller: &Caller,
        id: Uuid,
        patch: WebhookPatch,
    ) -> Result<Value, Error> {
        if let Some(url) = &patch.target_url {
            self.check_target(url)?;
        }
        check_types(patch.event_types.as_ref().and_then(Option::as_deref))?;
        let change = WebhookChange {
            target_url: patch.target_url,
            event_types: patch.event_types,
            is_active: patch.is_active,
        };
        let (store, by) = (&self.parts.store, caller.as_actor());
        let changed = store.update_webhook(caller.environment_id, id, change, &by).await;
        let webhook = changed.map_err(Error::internal)?.ok_or_else(|| no_webhook(id))?;
        self.memory.wake.notify_one();
        Ok(shown(&webhook, caller))
    }

    /// Forgets a webhook, its secret and its deliveries.
    ///
    /// # Errors
    /// As [`Engine::get_webhook`].
    pub async fn delete_webhook(&self, caller: &Caller, id: Uuid) -> Result<Value, Error> {
        let gone = self.parts.store.delete_webhook(caller.environment_id, id, &caller.as_actor()).await;
        if !gone.map_err(Error::internal)? {
            return Err(no_webhook(id));
        }
        Ok(json!({"id": id}))
    }

    /// Sends the event `test` at once, whether the webhook is on or off, and waits for the receiver's answer.
    ///
    /// # Errors
    /// What kept it from being delivered; the delivery log has it too.
    pub async fn test_webhook(&self, caller: &Caller, id: Uuid) -> Result<Value, Error> {
        let event = NewEvent {
            environment_id: caller.environment_id,
            event: events::TEST.to_owned(),
            payload: json!({"foo": "bar"}),
        };
        let due = self.parts.store.single_delivery(id, event).await.map_err(Error::internal)?;
        self.deliver_once(&due.ok_or_else(|| no_webhook(id))?).await?;
        Ok(json!({"success": true}))
    }

    pub(crate) async fn webhook(&self, caller: &Caller, id: Uuid) -> Result<Webhook, Error> {
        let found = self.parts.store.get_webhook(caller.environment_id, id).await.map_err(Error::internal)?;
        found.ok_or_else(|| no_webhook(id))
    }

    /// What can be said of an address before its name is looked up; the rest is checked at every connection.
    fn check_target(&self, text: &str) -> Result<(), Error> {
        let wrong = |why: &str| Error::invalid(format!("`target_url` {why}"));
        if text.len() > LONGEST_URL {
            return Err(wrong(&format!("is longer than {LONGEST_URL} bytes")));
        }
        let url = Url::parse(text).map_err(|_| wrong("must be a URL: https://…"))?;
        let hosts =
            delivery_attempt::host_of(&url).ok_or_else(|| wrong("must be a URL with a host: https://…"))?;
        match self.receivers().outgoing.refuses(&url, &hosts) {
            None => Ok(()),
            Some(why) => Err(wrong(&format!("cannot be used: {why}"))),
        }
    }
}

fn check_types(types: Option<&[String]>) -> Result<(), Error> {
    match types.unwrap_or_default().iter().find(|wanted| !events::is_known(wanted)) {
        None => Ok(()),
        Some(unknown) => {
            let known = events::known().join(", ");
            Err(Error::invalid(format!("`event_types`: there is no event `{unknown}`; there are {known}")))
        }
    }
}

fn no_webhook(id: Uuid) -> Error {
    Error::not_found(format!("there is no webhook {id}"))
}

pub(crate) fn cursor(text: Option<String>) -> Result<Option<Uuid>, Error> {
    let text = text.filter(|text| !text.is_empty());
    let id = text.map(|text| Uuid::parse_str(&text)).transpose();
    id.map_err(|_| Error::invalid("`next_cursor` is not one of this list"))
}

pub(crate) fn page(result: &[Value], last: Option<Uuid>, limit: u32) -> Value {
    let next = last.filter(|_| result.len() == limit as usize);
    json!({"result": result, "next_cursor": next, "limit": limit})
}

/// A webhook without its secret.
fn shown(webhook: &Webhook, caller: &Caller) -> Value {
    json!({
        "id": webhook.id, "target_url": shown_target(&webhook.target_url, caller), "is_active": webhook.is_active,
        "event_types": webhook.event_types, "environment_id": webhook.environment_id,
        "failing_since": webhook.failing_since, "disabled_at": webhook.disabled_at,
        "created_at": webhook.created_at, "updated_at": webhook.updated_at,
    })
}

/// Who may not change a webhook sees where it leads, but not the rest of its address: that is often all it takes to send
/// something there.
fn shown_target(target: &str, caller: &Caller) -> String {
    match Url::parse(target) {
        _ if caller.rights >= Rights::Write => target.to_owned(),
        Ok(url) if url.path() == "/" && url.query().is_none() && url.fragment().is_none() => {
            target.to_owned()
        }
        Ok(url) => format!("{}/…", url.origin().ascii_serialization()),
        Err(_) => String::new(),
    }
}
