//! What goes in and comes out, the same for every backend. Times are UTC, `2026-01-31T12:00:00.000Z`.

pub(crate) mod account;
pub(crate) mod journal;
pub(crate) mod oauth;

use std::fmt;

use serde_json::Value;
use uuid::Uuid;

/// An isolated workspace: tokens, accounts and journal belong to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its id.
    pub id: Uuid,
    /// Its name, unique in the store.
    pub name: String,
    /// When it was created.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
}

/// What an API token may do. Its secret is not here: the store keeps only a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: Uuid,
    /// The environment that it opens.
    pub environment_id: Uuid,
    /// A name for people.
    pub name: String,
    /// The accounts it may use; `None` is all of the environment, an empty list is none.
    pub account_ids: Option<Vec<Uuid>>,
    /// Whether it may only read.
    pub read_only: bool,
    /// Whether it may administer its environment: tokens, name, audit log.
    pub administrator: bool,
    /// When it stops working.
    pub expires_at: Option<String>,
    /// When it was created.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When it was revoked.
    pub revoked_at: Option<String>,
}

impl ApiToken {
    /// Whether its time is over.
    #[must_use]
    pub fn has_expired(&self) -> bool {
        self.expires_at.as_ref().is_some_and(|at| *at <= crate::time::now())
    }
}

/// A token to create.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The environment that it opens.
    pub environment_id: Uuid,
    /// A name for people.
    pub name: String,
    /// The accounts it may use; `None` is all of the environment.
    pub account_ids: Option<Vec<Uuid>>,
    /// Whether it may only read.
    pub read_only: bool,
    /// Whether it may administer its environment: tokens, name, audit log.
    pub administrator: bool,
    /// When it stops working: ISO 8601 with an offset.
    pub expires_at: Option<String>,
}

/// Something that somebody did to Koine itself.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// The environment it concerns, if one.
    pub environment_id: Option<Uuid>,
    /// Who did it.
    pub actor: String,
    /// What they did, as `noun.verb`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// More about it. Stored readable: never put a secret here.
    pub detail: Value,
}

/// An [`AuditEntry`] as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRecord {
    /// Its id.
    pub id: Uuid,
    /// When it was recorded.
    pub created_at: String,
    /// What happened.
    pub entry: AuditEntry,
}

/// Stands in for a secret in `Debug` output.
pub(crate) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
