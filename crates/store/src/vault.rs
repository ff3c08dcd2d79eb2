//! Encryption at rest: a master key wraps one data key per environment, which seals that environment's secrets.
//!
//! A sealed value is `version (1) || nonce (12) || AES-256-GCM ciphertext and tag`. The associated data names the
//! environment, the row and the column, so a value that was altered, or moved to another row, does not open.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
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
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

/// Where master keys come from. Asked at the start, and again when the database turns out to be under another one.
#[async_trait]
pub trait KeySource: Send + Sync + 'static {
    /// The keys: the first is the one to be used; a database that is under one of the others still opens.
    async fn keys(&self) -> Result<Vec<MasterKey>, StoreError>;
}

/// One key that stays.
struct Fixed(MasterKey);

#[async_trait]
impl KeySource for Fixed {
    async fn keys(&self) -> Result<Vec<MasterKey>, StoreError> {
        Ok(vec![MasterKey(self.0.0.clone())])
    }
}

/// Seals and opens what must not be readable in the database.
pub struct Vault {
    source: Box<dyn KeySource>,
    /// Empty until a database was opened.
    master: RwLock<Option<Arc<Master>>>,
}

impl Vault {
    /// A vault under `master`, for as long as it exists.
    #[must_use]
    pub fn new(master: MasterKey) -> Self {
        Self::with_source(Fixed(master))
    }

    /// A vault whose master key can be changed while it is in use.
    #[must_use]
    pub fn with_source(source: impl KeySource) -> Self {
        Self { source: Box::new(source), master: RwLock::default() }
    }

    pub(crate) async fn keys(&self) -> Result<Vec<MasterKey>, StoreError> {
        self.source.keys().await
    }

    /// The key that the database is under, as far as is known.
    pub(crate) fn master(&self) -> Result<Arc<Master>, StoreError> {
        let master = self.master.read().unwrap_or_else(PoisonError::into_inner);
        master.clone().ok_or(StoreError::WrongKey)
    }

    pub(crate) fn take(&self, master: Master) {
        *self.master.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(master));
    }

    /// A bare key, for an export.
    pub(crate) fn bare(&self, what: &Wrapped<'_>, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let master = self.master()?;
        what.at(|place| master.key.open(place, wrapped))
    }

    /// Wraps a key of an import; `None` when it is none.
    pub(crate) fn wrap(&self, what: &Wrapped<'_>, bare: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let master = self.master()?;
        Ok((bare.len() == KEY_LEN).then(|| what.at(|place| master.key.seal(place, bare))))
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
            Self::Installation(name) => then(installation_key_place(&column_of(name))),
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault([redacted])")
    }
}

/// A master key in use, with the key check that it belongs to: a value that only this key opens, stored once per
/// database, made anew with every change of the key.
pub(crate) struct Master {
    key: DataKey,
    check: Vec<u8>,
}

impl Master {
    /// With a new key check.
    pub(crate) fn new(key: &MasterKey) -> Self {
        let key = DataKey::new(&key.0);
        let check = key.seal(CHECK_PLACE, CHECK_TEXT);
        Self { key, check }
    }

    /// The key itself, for what belongs to no environment.
    pub(crate) fn key(&self) -> &DataKey {
        &self.key
    }

    /// The key check that this node believes in.
    pub(crate) fn check(&self) -> &[u8] {
        &self.check
    }

    /// Makes a data key for `environment`, wrapped for storage.
    pub(crate) fn new_data_key(&self, environment: Uuid) -> Vec<u8> {
        self.key.seal(data_key_place(environment), random().as_slice())
    }

    /// Unwraps the data key of `environment`.
    pub(crate) fn data_key(&self, environment: Uuid, wrapped: &[u8]) -> Result<DataKey, StoreError> {
        let place = data_key_place(environment);
        let bytes = self.key.open(place, wrapped)?;
        let key: &[u8; KEY_LEN] = bytes.as_slice().try_into().map_err(|_| place.corrupt())?;
        Ok(DataKey::new(key))
    }

    /// Puts the data key of `environment` under another master key.
    pub(crate) fn rewrap_data_key(
        &self,
        environment: Uuid,
        wrapped: &[u8],
        new: &Self,
    ) -> Result<Vec<u8>, StoreError> {
        let place = data_key_place(environment);
        Ok(new.key.seal(place, &self.key.open(place, wrapped)?))
    }

    /// Makes a key of the installation, wrapped for storage.
    pub(crate) fn new_installation_key(&self, name: &str) -> Vec<u8> {
        self.key.seal(installation_key_place(&column_of(name)), random().as_slice())
    }

    /// Unwraps a key of the installation.
    pub(crate) fn installation_key(
        &self,
        name: &str,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        self.key.open(installation_key_place(&column_of(name)), wrapped)
    }

    /// Puts a key of the installation under another master key.
    pub(crate) fn rewrap_installation_key(
        &self,
        name: &str,
        wrapped: &[u8],
        new: &Self,
    ) -> Result<Vec<u8>, StoreError> {
        let column = column_of(name);
        let place = installation_key_place(&column);
        Ok(new.key.seal(place, &self.key.open(place, wrapped)?))
    }
}

/// Whether `key` made this key check.
pub(crate) fn opens(key: &MasterKey, check: &[u8]) -> bool {
    // The tag alone decides: nothing else is sealed for that place.
    DataKey::new(&key.0).open(CHECK_PLACE, check).is_ok_and(|text| text.as_slice() == CHECK_TEXT)
}

/// The key that made this key check.
pub(crate) fn that_opens(keys: &[MasterKey], check: &[u8]) -> Result<Master, StoreError> {
    let found = keys.iter().find(|key| opens(key, check)).ok_or(StoreError::WrongKey)?;
    Ok(Master { key: DataKey::new(&found.0), check: check.to_vec() })
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

fn column_of(name: &str) -> String {
    format!("installation_keys.sealed/{name}")
}

fn installation_key_place(column: &str) -> Place<'_> {
    Place { environment: Uuid::nil(), row: Uuid::nil(), column }
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
        let again = MasterKey::from_base64(&format!(" {}\n", *key.to_base64())).unwrap();
        assert_eq!(again.to_base64(), key.to_base64());
        assert!(matches!(MasterKey::from_base64("c2hvcnQ="), Err(StoreError::BadKey)));
        assert!(matches!(MasterKey::from_base64("not base64!"), Err(StoreError::BadKey)));
        assert!(!format!("{key:?}").contains(key.to_base64().as_str()));
    }
}
