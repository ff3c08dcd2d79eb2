//! Koine's durable state: environments, API tokens, integrated accounts, the journal of write calls, the audit log.
//!
//! One trait, [`Store`], and one backend so far, SQLite; the only crate that knows sqlx. [`open`] connects,
//! migrates, checks the master key and hands out an `Arc<dyn Store>`.
//!
//! Three properties hold in every backend, and `tests/suite.rs` checks them:
//!
//! * **Credentials are unreadable at rest.** Account contexts, stored requests, snapshots and answers are sealed
//!   by the [`Vault`] (AES-256-GCM under a data key per environment) and bound to their row and column.
//! * **Intent comes first.** When [`Store::record_intent`] returns, the intent survives a crash.
//! * **A key runs once.** Two [`Store::begin_call`] with one idempotency key start one call.
//!
//! Another backend is a module beside `sqlite` with its own migrations, a scheme in [`open`], and a line in the
//! suite that opens it.

mod error;
mod leases;
mod open;
mod sqlite;
mod store;
mod time;
mod types;
mod vault;

pub use error::StoreError;
pub use leases::{Lease, Leases};
pub use open::open;
pub use store::{NOTICED_WITHIN, Store};
pub use types::account::{Account, AccountChange, AccountFilter, NewAccount};
pub use types::journal::{Begun, CallRow, ExchangeRow, Finish, NewCall, OpenIntent, StoredAnswer};
pub use types::{ApiToken, AuditEntry, AuditRecord, Environment, NewToken};
pub use vault::{MasterKey, Vault};
