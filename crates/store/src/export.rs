//! An installation as one encrypted file: what is in it, and what opens it.

mod file;
mod header;

use std::fmt;
use std::io::{Read, Write};

use async_trait::async_trait;
use zeroize::Zeroizing;

pub(crate) use file::{Reader, Writer};

use crate::StoreError;

/// What an installation consists of; whatever a table refers to comes before it. The others are of one database or one
/// moment: the key check, leases, locks, consents under way, the list of migrations.
pub const EXPORTED_TABLES: &[&str] = &[
    "environments",
    "installation_keys",
    "api_tokens",
    "api_token_uses",
    "accounts",
    "oauth_apps",
    "grants",
    "link_tokens",
    "calls",
    "idempotency_keys",
    "intents",
    "exchanges",
    "audit_log",
    "audit_head",
    "webhooks",
    "events",
    "deliveries",
    "delivery_attempts",
];

/// A column of a table, as the database describes it.
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Flag,
    Bytes,
}

/// An installation as a file, and back, between any two databases.
#[async_trait]
pub trait Archive: Send + Sync {
    /// Writes everything, as it is at one moment: environments with their data keys, tokens, accounts, journal, audit log.
    /// [`StoreError::File`] when it cannot be written.
    async fn export(&self, key: &ExportKey, to: &mut (dyn Write + Send)) -> Result<(), StoreError>;
    /// Reads what [`Self::export`] wrote into an empty database, all or nothing. Data keys are wrapped by this
    /// installation's master key. [`StoreError::Conflict`] when the database is not empty, [`StoreError::ExportKey`] for
    /// the wrong key, [`StoreError::Invalid`] for a file that is not whole or of another schema,
    /// [`StoreError::Corrupt`] for one that was altered.
    async fn import(&self, key: &ExportKey, from: &mut (dyn Read + Send)) -> Result<(), StoreError>;
}

/// A passphrase shorter than this is no protection for a file that leaves the machine.
const LEAST_PASSPHRASE: usize = 12;

/// What opens an exported file.
pub enum ExportKey {
    /// The master key of the installation; the one that imports must have the same.
    Master,
    /// A text of its own.
    Passphrase(Zeroizing<String>),
}

impl ExportKey {
    /// A passphrase; white space around it is ignored.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when it is too short.
    pub fn passphrase(text: &str) -> Result<Self, StoreError> {
        let text = Zeroizing::new(text.trim().to_owned());
        if text.chars().count() < LEAST_PASSPHRASE {
            let what = format!("the passphrase has fewer than {LEAST_PASSPHRASE} characters");
            return Err(StoreError::Invalid { what });
        }
        Ok(Self::Passphrase(text))
    }
}

impl fmt::Debug for ExportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExportKey([redacted])")
    }
}
