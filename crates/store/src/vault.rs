//! Encryption at rest: a master key wraps one data key per environment, which seals that environment's secrets.
//!
//! A sealed value is `version (1) || nonce (12) || AES-256-GCM ciphertext and tag`. The associated data names the
//! environment, the row and the column, so a value that was altered, or moved to another row, does not open.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::StoreError;

const KEY_LEN: usize = 32;
const VERSION: u8 = 1;
const CHECK_TEXT: &[u8] = b"koine master key check";
const CHECK_PLACE: Place<'static> =
    Place { environment: Uuid::nil(), row: Uuid::nil(), column: "vault_check.sealed" };

/// The key that wraps every data key: 32 random bytes, kept outside the database.
pub struct MasterKey(Zeroizing<[u8; KEY_LEN]>);

impl MasterKey {
    /// Reads a key from standard base64; white space around it is ignored.
    ///
    /// # Errors
    /// [`StoreError::BadKey`] when it is not 32 bytes in base64.
    pub fn from_base64(text: &str) -> Result<Self, StoreError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| StoreError::BadKey)?);
        let key: [u8; KEY_LEN] = bytes.as_slice().try_into().map_err(|_| StoreError::BadKey)?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// Makes a new key from the system's random source.
    #[must_use]
    pub fn generate() -> Self {
        Self(random())
    }

    /// The key as [`from_base64`](Self::from_base64) reads it. A secret: show it once, to its owner.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0.as_slice())
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

/// Seals and opens what must not be readable in the database.
pub struct Vault {
    master: DataKey,
}

impl Vault {
    /// A vault under `master`.
    #[must_use]
    pub fn new(master: MasterKey) -> Self {
        let MasterKey(bytes) = master;
        Self { master: DataKey::new(&bytes) }
    }

    /// A value that only this master key opens; stored once per database.
    pub(crate) fn key_check(&self) -> Vec<u8> {
        self.master.seal(CHECK_PLACE, CHECK_TEXT)
    }

    /// Says whether `stored` was made by [`key_check`](Self::key_check) under this master key.
    pub(crate) fn verify_key_check(&self, stored: &[u8]) -> Result<(), StoreError> {
        match self.master.open(CHECK_PLACE, stored) {
            Ok(text) if text.as_slice() == CHECK_TEXT => Ok(()),
            _ => Err(StoreError::WrongKey),
        }
    }

    /// Makes a data key for `environment`, wrapped for storage.
    pub(crate) fn new_data_key(&self, environment: Uuid) -> Vec<u8> {
        let key: Zeroizing<[u8; KEY_LEN]> = random();
        self.master.seal(data_key_place(environment), key.as_slice())
    }

    /// Unwraps the data key of `environment`.
    pub(crate) fn data_key(&self, environment: Uuid, wrapped: &[u8]) -> Result<DataKey, StoreError> {
        let place = data_key_place(environment);
        let bytes = self.master.open(place, wrapped)?;
        let key: &[u8; KEY_LEN] = bytes.as_slice().try_into().map_err(|_| place.corrupt())?;
        Ok(DataKey::new(key))
    }

    /// A bare key, for an export.
    pub(crate) fn bare(&self, what: &Wrapped<'_>, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        what.at(|place| self.master.open(place, wrapped))
    }

    /// Wraps a key of an import; `None` when it is none.
    pub(crate) fn wrap(&self, what: &Wrapped<'_>, bare: &[u8]) -> Option<Vec<u8>> {
        (bare.len() == KEY_LEN).then(|| what.at(|place| self.master.seal(place, bare)))
    }

    /// The master key itself, for what belongs to no environment.
    pub(crate) fn master(&self) -> &DataKey {
        &self.master
    }
}

/// Keys that are stored under the master key.
pub(crate) enum Wrapped<'a> {
    /// Of an environment.
    Data(Uuid),
    /// Of the installation, by its name.
    Installation(&'a str),
}

impl Wrapped<'_> {
    fn at<T>(&self, then: impl FnOnce(Place<'_>) -> T) -> T {
        match self {
            Self::Data(environment) => then(data_key_place(*environment)),
            Self::Installation(name) => {
                let column = format!("installation_keys.sealed/{name}");
                then(Place { environment: Uuid::nil(), row: Uuid::nil(), column: &column })
            }
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault([redacted])")
    }
}

/// Where a sealed value belongs. Part of the associated data, so it opens nowhere else.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) environment: Uuid,
    pub(crate) row: Uuid,
    /// `table.column`, with `/part` where a row has several.
    pub(crate) column: &'a str,
}

impl Place<'_> {
    /// The two ids have a fixed length, so no two places give the same bytes.
    fn associated_data(self) -> Vec<u8> {
        let Self { environment, row, column } = self;
        [environment.as_bytes().as_slice(), row.as_bytes().as_slice(), column.as_bytes()].concat()
    }

    fn corrupt(self) -> StoreError {
        StoreError::corrupt(format!("{} of {}", self.column, self.row))
    }
}

/// One AES-256-GCM key; each sealing draws a random 96-bit nonce.
pub(crate) struct DataKey(RandomizedNonceKey);

impl DataKey {
    pub(crate) fn new(bytes: &[u8; KEY_LEN]) -> Self {
        Self(RandomizedNonceKey::new(&AES_256_GCM, bytes).expect("AES-256 takes 32 bytes"))
    }

    /// Encrypts `plain` for `place`.
    pub(crate) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
        let mut cipher = plain.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(place.associated_data()), &mut cipher)
            .expect("AES-GCM seals every buffer below 64 GiB");
        [&[VERSION][..], nonce.as_ref(), &cipher].concat()
    }

    /// Decrypts what [`seal`](Self::seal) made for the same place.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let (&version, rest) = sealed.split_first().ok_or_else(|| place.corrupt())?;
        let (nonce, cipher) = rest.split_at_checked(NONCE_LEN).ok_or_else(|| place.corrupt())?;
        if version != VERSION {
            return Err(place.corrupt());
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| place.corrupt())?;
        let mut buffer = Zeroizing::new(cipher.to_vec());
        let length = self
            .0
            .open_in_place(nonce, Aad::from(place.associated_data()), &mut buffer)
            .map_err(|_| place.corrupt())?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }

    /// Encrypts `value` as JSON.
    pub(crate) fn seal_json<T: Serialize>(&self, place: Place<'_>, value: &T) -> Vec<u8> {
        let plain = Zeroizing::new(serde_json::to_vec(value).expect("what the store seals has text keys"));
        self.seal(place, &plain)
    }

    /// Decrypts JSON.
    pub(crate) fn open_json<T: DeserializeOwned>(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<T, StoreError> {
        serde_json::from_slice(&self.open(place, sealed)?).map_err(|_| place.corrupt())
    }
}

/// Random bytes, wiped when dropped.
pub(crate) fn random() -> Zeroizing<[u8; KEY_LEN]> {
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    aws_lc_rs::rand::fill(bytes.as_mut_slice()).expect("the system gives random bytes");
    bytes
}

fn data_key_place(environment: Uuid) -> Place<'static> {
    Place { environment, row: environment, column: "environments.data_key_sealed" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> DataKey {
        DataKey::new(&random())
    }

    fn place(column: &str) -> Place<'_> {
        Place { environment: Uuid::from_u128(1), row: Uuid::from_u128(2), column }
    }

    #[test]
    fn opens_only_what_it_sealed_and_only_there() {
        let key = key();
        let sealed = key.seal(place("a.b"), b"secret");
        assert_eq!(key.open(place("a.b"), &sealed).unwrap().as_slice(), b"secret");
        assert!(key.open(place("a.c"), &sealed).is_err());
        let elsewhere = Place { row: Uuid::from_u128(3), ..place("a.b") };
        assert!(key.open(elsewhere, &sealed).is_err());
        assert!(self::key().open(place("a.b"), &sealed).is_err());
    }

    #[test]
    fn every_altered_or_cut_byte_is_noticed() {
        let key = key();
        let sealed = key.seal(place("a.b"), b"secret");
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert!(matches!(key.open(place("a.b"), &altered), Err(StoreError::Corrupt { .. })));
            assert!(key.open(place("a.b"), &sealed[..index]).is_err());
        }
    }

    #[test]
    fn same_plaintext_seals_differently() {
        let key = key();
        assert_ne!(key.seal(place("a.b"), b"secret"), key.seal(place("a.b"), b"secret"));
    }

    #[test]
    fn master_keys_travel_as_base64() {
        let key = MasterKey::generate();
        let again = MasterKey::from_base64(&format!(" {}\n", key.to_base64())).unwrap();
        assert_eq!(again.to_base64(), key.to_base64());
        assert!(matches!(MasterKey::from_base64("c2hvcnQ="), Err(StoreError::BadKey)));
        assert!(matches!(MasterKey::from_base64("not base64!"), Err(StoreError::BadKey)));
        assert!(!format!("{key:?}").contains(&key.to_base64()));
    }
}
