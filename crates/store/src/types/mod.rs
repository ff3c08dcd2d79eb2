//! What goes in and comes out, the same for every backend. Times are UTC, `2026-01-31T12:00:00.000Z`.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod journal;
pub(crate) mod link;
pub(crate) mod oauth;
pub(crate) mod webhook;

use std::fmt;

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
    /// Who made it: `operator`, `token:ID`.
    pub created_by: String,
    /// The account of an integrated-account token, which may do nothing but calls on it.
    pub own_account_id: Option<Uuid>,
    /// When it stops working.
    pub expires_at: Option<String>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<String>,
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

/// A token for one account only, to be issued.
#[derive(Clone, Debug)]
pub struct NewAccountToken {
    /// The account's environment.
    pub environment_id: Uuid,
    /// The one account that it opens.
    pub account_id: Uuid,
    /// The token that it is issued with, and ends with.
    pub issued_by: Option<Uuid>,
    /// Whether it may only read.
    pub read_only: bool,
    /// When it stops working: ISO 8601 with an offset.
    pub expires_at: String,
}

/// What became of a change of the master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// Everything is under the new key.
    Done {
        /// How many environments there are.
        environments: usize,
    },
    /// Everything was under it already.
    Already,
}

/// Stands in for a secret in `Debug` output.
pub(crate) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
