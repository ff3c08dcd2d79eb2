//! Koine's durable state: environments, API tokens, integrated accounts, the journal of write calls, events and the
//! webhooks that hear of them, the audit log.
//!
//! One trait, [`Store`], and two backends, SQLite and PostgreSQL; the only crate that knows sqlx. [`open`] connects,
//! migrates, checks the master key and hands out an `Arc<dyn Store>`. Both backends are one source, `sql/`, compiled once
//! for each.
//!
//! Three properties hold in every backend, and `tests/suite` checks them:
//!
//! * **Credentials are unreadable at rest.** Account contexts, stored requests, snapshots and answers are sealed
//!   by the [`Vault`] (AES-256-GCM under a data key per environment) and bound to their row and column.
//! * **Intent comes first.** When [`Store::record_intent`] returns, the intent survives a crash.
//! * **A key runs once.** Two [`Store::begin_call`] with one idempotency key start one call.
//!
//! A new table is a migration for each database under the same number, a trait that [`Store`] includes, and a file in
//! `sql/` that implements it with statements that both understand.

mod administration;
mod changes;
mod error;
mod export;
mod inspect;
mod leases;
mod link_tokens;
mod migrations;
mod nodes;
mod oauth;
mod open;
mod postgres;
mod sqlite;
mod store;
mod time;
mod types;
mod vault;
mod webhooks;

pub use administration::Administration;
pub use error::StoreError;
pub use export::{Archive, EXPORTED_TABLES, ExportKey};
pub use inspect::{Inspection, inspect};
pub use leases::{Lease, Leases};
pub use link_tokens::{LinkAnnounce, LinkTokens, MOST_LINK_ATTEMPTS};
pub use migrations::Migration;
pub use nodes::{Nodes, node_lease};
pub use oauth::Oauth;
pub use open::{migrate, migrations, open};
pub use store::{NOTICED_WITHIN, Store};
pub use types::account::{Account, AccountChange, AccountFilter, NewAccount};
pub use types::audit::{Actor, AuditCheck, AuditEntry, AuditFilter, AuditRecord};
pub use types::journal::{Begun, CallRow, ExchangeRow, Finish, NewCall, OpenIntent, StoredAnswer};
pub use types::link::{GrantChange, LinkSession, Linked, LinkedAccount, NewLinkToken};
pub use types::oauth::{Authorization, NewAuthorization, NewOauthApp, OauthApp, StoredGrant};
pub use types::webhook::{
    Announce, Attempt, Delivery, DeliveryFilter, DueDelivery, NewEvent, NewWebhook, Next, Recorded, Replay,
    Verdict, Webhook, WebhookChange,
};
pub use types::{ApiToken, Environment, NewAccountToken, NewToken, Rotated};
pub use vault::{KeySource, MasterKey, Vault};
pub use webhooks::Webhooks;
