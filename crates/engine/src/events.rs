//! Events: what happened, told to webhooks. Written durably, with the change of an account where one goes with it.

use koine_model::Error;
use koine_store::{
    Account, AccountChange, Actor, LinkAnnounce, LinkSession, Linked, LinkedAccount, NewAccount, NewEvent,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Caller, Engine};

/// An account was stored.
pub const ACCOUNT_CREATED: &str = "integrated_account:created";
/// An account can be used.
pub const ACCOUNT_ACTIVE: &str = "integrated_account:active";
/// An account was changed.
pub const ACCOUNT_UPDATED: &str = "integrated_account:updated";
/// An account was forgotten.
pub const ACCOUNT_DELETED: &str = "integrated_account:deleted";
/// What is done after an account was connected failed.
pub const ACCOUNT_POST_INSTALL_ERROR: &str = "integrated_account:post_install_error";
/// A new account's credentials did not work.
pub const ACCOUNT_VALIDATION_ERROR: &str = "integrated_account:validation_error";
/// An account's credentials do not work any more.
pub const ACCOUNT_AUTHENTICATION_ERROR: &str = "integrated_account:authentication_error";
/// An account's credentials work again.
pub const ACCOUNT_REACTIVATED: &str = "integrated_account:reactivated";
/// The form after connecting was sent.
pub const ACCOUNT_FORM_SUBMITTED: &str = "integrated_account:post_connect_form_submitted";

/// Sent by hand, to try a webhook.
pub const TEST: &str = "test";

/// What webhooks can ask for: each with its words, or `family:*`. Some are of the contract and do not happen here (yet).
const FAMILIES: &[(&str, &[&str])] = &[
    (
        "integrated_account",
        &[
            "created",
            "active",
            "updated",
            "deleted",
            "post_install_error",
            "validation_error",
            "authentication_error",
            "reactivated",
            "post_connect_form_submitted",
        ],
    ),
    ("environment_integration", &["created", "updated", "deleted"]),
    ("api_token", &["created", "deleted"]),
    ("sync_job_run", &["created", "updated", "completed", "failed", "deleted"]),
    ("record", &[]),
    ("webhook", &["disabled"]),
];

/// Whether a webhook can ask for this.
pub(crate) fn is_known(wanted: &str) -> bool {
    let Some((family, word)) = wanted.split_once(':') else { return wanted == TEST };
    let known = FAMILIES.iter().find(|(name, _)| *name == family);
    // The words of `record` are those of unified resources.
    known.is_some_and(|(_, words)| {
        word == "*" || words.contains(&word) || words.is_empty() && !word.is_empty()
    })
}

/// What a webhook can ask for, for people.
pub(crate) fn known() -> Vec<String> {
    let families = FAMILIES.iter().flat_map(|(family, words)| {
        let words = words.iter().chain(&["*"]);
        words.map(move |word| format!("{family}:{word}"))
    });
    families.chain([TEST.to_owned()]).collect()
}

impl Engine {
    /// Records an event that goes with no change of an account.
    ///
    /// # Errors
    /// When the environment does not exist, or the store fails.
    pub async fn emit(&self, environment_id: Uuid, event: &str, payload: Value) -> Result<(), Error> {
        let event = NewEvent { environment_id, event: event.to_owned(), payload };
        self.parts.store.record_event(event).await.map_err(Error::internal)?;
        self.memory.wake.notify_one();
        Ok(())
    }

    /// Records an event about an account that goes with no change of it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn emit_account(&self, account: &Account, event: &'static str) -> Result<(), Error> {
        self.emit(account.environment_id, event, self.payload(account)).await
    }

    /// Stores an account and the events of that, in one transaction.
    pub(crate) async fn add_account(
        &self,
        by: &Actor,
        new: NewAccount,
        events: &[&'static str],
    ) -> Result<Account, Error> {
        let announce = |account: &Account| self.announced(account, events);
        let account = self.parts.store.create_account_by(new, by, &announce).await;
        self.memory.wake.notify_one();
        account.map_err(Error::internal)
    }

    /// Changes an account as its caller wants, and records the events of that, in one transaction; `None` when there is
    /// no such account.
    pub(crate) async fn change_account_by(
        &self,
        caller: &Caller,
        id: Uuid,
        change: AccountChange,
        events: &[&'static str],
    ) -> Result<Option<Account>, Error> {
        let announce = |account: &Account| self.announced(account, events);
        let (store, by) = (&self.parts.store, caller.as_actor());
        let changed = store.update_account_by(caller.environment_id, id, change, &by, &announce).await;
        self.memory.wake.notify_one();
        changed.map_err(Error::internal)
    }

    /// Changes an account because of something that Koine found out, and records the events of that, in one transaction;
    /// `None` when there is no such account, or it is not as [`AccountChange::only_from`] wants it.
    pub(crate) async fn change_account(
        &self,
        environment_id: Uuid,
        id: Uuid,
        change: AccountChange,
        events: &[&'static str],
    ) -> Result<Option<Account>, Error> {
        let announce = |account: &Account| self.announced(account, events);
        let store = &self.parts.store;
        let changed = store.update_account_with(environment_id, id, change, &announce).await;
        self.memory.wake.notify_one();
        changed.map_err(Error::internal)
    }

    /// Saves what a customer gave for a link, and records the events of that, in one transaction.
    pub(crate) async fn save_linked_account(
        &self,
        session: &LinkSession,
        account: LinkedAccount,
        by: &Actor,
    ) -> Result<Linked, Error> {
        let created = |account: &Account| self.announced(account, &[ACCOUNT_CREATED]);
        let updated = |account: &Account| self.announced(account, &[ACCOUNT_UPDATED]);
        let announce = LinkAnnounce { created: &created, updated: &updated };
        let saved = self.parts.store.save_linked_account(session, account, by, announce).await;
        self.memory.wake.notify_one();
        saved.map_err(Error::internal)
    }

    /// Forgets an account and says so, in one transaction; `false` when there is none.
    pub(crate) async fn forget_account(&self, caller: &Caller, id: Uuid) -> Result<bool, Error> {
        let environment_id = caller.environment_id;
        let event =
            NewEvent { environment_id, event: ACCOUNT_DELETED.to_owned(), payload: json!({"id": id}) };
        let (store, by) = (&self.parts.store, caller.as_actor());
        let gone = store.delete_account_by(environment_id, id, &by, &[event]).await;
        self.memory.wake.notify_one();
        gone.map_err(Error::internal)
    }

    /// These events of an account as it is after a change, for a method of the store that records them with it.
    pub(crate) fn announced(&self, account: &Account, events: &[&'static str]) -> Vec<NewEvent> {
        let payload = |event: &&str| NewEvent {
            environment_id: account.environment_id,
            event: (*event).to_owned(),
            payload: self.payload(account),
        };
        events.iter().map(payload).collect()
    }

    /// The account as callers see it, with as much of its connector as receivers need.
    fn payload(&self, account: &Account) -> Value {
        let mut payload = self.shown(account);
        let label = self.parts.catalogue.connector(&account.connector).map(|connector| &connector.label);
        payload["integration"] =
            json!({"id": account.connector, "name": account.connector, "config": {"label": label}});
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn webhooks_ask_for_what_can_happen() {
        for wanted in ["test", "integrated_account:active", "api_token:*", "record:created", "record:*"] {
            assert!(is_known(wanted), "{wanted}");
        }
        for wanted in
            ["", "*", "integrated_account", "integrated_account:", "user:created", "record:", "test:*"]
        {
            assert!(!is_known(wanted), "{wanted}");
        }
    }
}
