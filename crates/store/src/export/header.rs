//! The line that an exported file begins with, and the key that it leads to.
//!
//! The key is the installation's master key, or made of a passphrase. That is PBKDF2 because the cryptographic library
//! that is here already has it, and a passphrase in a file is better made by a program than by a person; the
//! number of rounds is what OWASP asks of HMAC-SHA-256, and travels in the header.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::ExportKey;
use crate::StoreError;
use crate::vault::DataKey;

/// The first thing in every file; another number is another format.
pub(super) const FORMAT: u32 = 1;
const ROUNDS: u32 = 600_000;
/// More than anybody sets, and few enough to be refused in no time.
const MOST_ROUNDS: u32 = 10_000_000;

/// What must be known before anything can be opened.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) koine_export: u32,
    /// Of this file.
    pub(super) id: Uuid,
    /// The schema that its tables have.
    pub(super) schema: i64,
    pub(super) key: KeyKind,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(super) enum KeyKind {
    Master,
    Passphrase { kdf: String, rounds: u32, salt: String },
}

/// The kind of rounds that [`KeyKind::Passphrase`] counts.
const KDF: &str = "pbkdf2-hmac-sha256";

impl KeyKind {
    pub(super) fn new(key: &ExportKey) -> Self {
        match key {
            ExportKey::Master => Self::Master,
            ExportKey::Passphrase(_) => Self::Passphrase {
                kdf: KDF.to_owned(),
                rounds: ROUNDS,
                salt: STANDARD.encode(crate::vault::random().as_slice()),
            },
        }
    }

    /// `None` is the vault's own key.
    pub(super) fn data_key(&self, key: &ExportKey) -> Result<Option<DataKey>, StoreError> {
        let wrong = |what: &str| StoreError::Invalid { what: what.to_owned() };
        match (self, key) {
            (Self::Master, ExportKey::Master) => Ok(None),
            (Self::Passphrase { kdf, rounds, salt }, ExportKey::Passphrase(text)) => {
                let rounds = NonZeroU32::new(*rounds).filter(|rounds| rounds.get() <= MOST_ROUNDS);
                let (Some(rounds), Ok(salt), KDF) = (rounds, STANDARD.decode(salt), kdf.as_str()) else {
                    return Err(wrong("the file's header does not say how its key is made"));
                };
                let mut bytes = Zeroizing::new([0; 32]);
                pbkdf2::derive(
                    pbkdf2::PBKDF2_HMAC_SHA256,
                    rounds,
                    &salt,
                    text.as_bytes(),
                    bytes.as_mut_slice(),
                );
                Ok(Some(DataKey::new(&bytes)))
            }
            (Self::Master, ExportKey::Passphrase(_)) => {
                Err(wrong("the file was exported under a master key, not under a passphrase"))
            }
            (Self::Passphrase { .. }, ExportKey::Master) => {
                Err(wrong("the file was exported under a passphrase; give it"))
            }
        }
    }
}
