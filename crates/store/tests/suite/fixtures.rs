//! Stores to test with, and the smallest valid arguments.

use std::sync::Arc;

use koine_store::{
    Account, Environment, ExchangeRow, Finish, MasterKey, NewAccount, NewCall, Store, StoreError,
    StoredAnswer, Vault,
};
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

/// A credential that must never be readable where it should not be.
pub(crate) const CREDENTIAL: &str = "s3cr3t-credential-of-the-vendor";

/// A database's place and master key; it can be opened again and again.
pub(crate) struct Home {
    directory: TempDir,
    url: String,
    key: String,
}

impl Home {
    pub(crate) fn file() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("koine.db").display());
        Self { directory, url, key: MasterKey::generate().to_base64() }
    }

    pub(crate) fn memory() -> Self {
        Self { url: "sqlite::memory:".to_owned(), ..Self::file() }
    }

    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        self.open_with(MasterKey::from_base64(&self.key).unwrap()).await.unwrap()
    }

    pub(crate) async fn open_with(&self, key: MasterKey) -> Result<Arc<dyn Store>, StoreError> {
        koine_store::open(&self.url, Vault::new(key)).await
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Everything on disk: the database and its side files.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.directory.path()).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }
}

pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

pub(crate) async fn environment(store: &Arc<dyn Store>) -> Environment {
    store.create_environment(&format!("environment {}", Uuid::now_v7())).await.unwrap()
}

pub(crate) fn new_account(environment: &Environment) -> NewAccount {
    NewAccount {
        environment_id: environment.id,
        tenant_id: "acme".to_owned(),
        connector: "okta".to_owned(),
        authentication_method: "api_key".to_owned(),
        context: json!({ "api_key": CREDENTIAL, "number": 12345678901234567890_u64 }),
    }
}

pub(crate) async fn account(store: &Arc<dyn Store>, environment: &Environment) -> Account {
    store.create_account(new_account(environment)).await.unwrap()
}

/// A removal of user 42 under the idempotency key `key`.
pub(crate) fn removal(environment_id: Uuid, account_id: Uuid, key: Option<&str>) -> NewCall {
    NewCall {
        id: Uuid::now_v7(),
        environment_id,
        account_id,
        model: "user-directory".to_owned(),
        resource: "users".to_owned(),
        method: "delete".to_owned(),
        target_id: Some("42".to_owned()),
        token_id: None,
        request: json!({ "id": "42", "note": CREDENTIAL }),
        idempotency_key: key.map(str::to_owned),
        fingerprint: "sha256:1".to_owned(),
        path: "/unified/user-directory/users/42".to_owned(),
    }
}

pub(crate) fn answer() -> StoredAnswer {
    StoredAnswer {
        status: 200,
        headers: vec![("koine-outcome".to_owned(), "removed".to_owned())],
        body: format!("{{\"id\":\"42\",\"note\":\"{CREDENTIAL}\"}}\u{0}").into_bytes(),
    }
}

pub(crate) fn finish(outcome: &str, answer: Option<StoredAnswer>) -> Finish {
    Finish { outcome: Some(outcome.to_owned()), detail: None, answer }
}

pub(crate) fn exchange(seq: u32, status: Option<u16>) -> ExchangeRow {
    ExchangeRow {
        seq,
        step: "delete".to_owned(),
        method: "DELETE".to_owned(),
        url_redacted: "https://acme.example.com/users/42".to_owned(),
        request_sha256: "aa".to_owned(),
        status,
        answer_sha256: status.map(|_| "bb".to_owned()),
        result: "ok".to_owned(),
    }
}
