//! Stores to test with, and the smallest valid arguments.

use std::sync::Arc;

use koine_store::{
    Account, Environment, ExchangeRow, Finish, MasterKey, NewAccount, NewCall, Store, StoreError,
    StoredAnswer, Vault,
};
use koine_testkit::PostgresDatabase;
use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

/// A credential that must never be readable where it should not be.
pub(crate) const CREDENTIAL: &str = "s3cr3t-credential-of-the-vendor";

/// A database's place and master key; it can be opened again and again, except in memory.
pub(crate) struct Home {
    place: Place,
    url: String,
    key: String,
}

enum Place {
    Memory,
    File(TempDir),
    Server(PostgresDatabase),
}

impl Home {
    pub(crate) fn memory() -> Option<Self> {
        Some(Self::at(Place::Memory, "sqlite::memory:".to_owned()))
    }

    pub(crate) fn file() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("koine.db").display());
        Some(Self::at(Place::File(directory), url))
    }

    /// `None` where there is no PostgreSQL.
    pub(crate) fn postgres() -> Option<Self> {
        let database = PostgresDatabase::create()?;
        let url = database.url();
        Some(Self::at(Place::Server(database), url))
    }

    fn at(place: Place, url: String) -> Self {
        Self { place, url, key: MasterKey::generate().to_base64().to_string() }
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

    /// Everything at rest: the database's files, or its dump with binary values in hexadecimal.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match &self.place {
            Place::Memory => Vec::new(),
            Place::File(directory) => {
                let files = std::fs::read_dir(directory.path()).unwrap();
                files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
            }
            Place::Server(database) => database.dump().into_bytes(),
        }
    }

    /// Runs a statement behind the store's back.
    pub(crate) async fn run(&self, sql: &str) {
        if let Place::Server(database) = &self.place {
            database.run(sql);
        } else {
            let mut raw = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut raw).await.unwrap();
        }
    }

    /// Says that a newer Koine migrated it.
    pub(crate) async fn become_newer(&self) {
        self.run(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             SELECT 9999, 'from the future', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
    }

    /// All tables, by name.
    pub(crate) async fn tables(&self) -> Vec<String> {
        if let Place::Server(database) = &self.place {
            let names = "SELECT table_name FROM information_schema.tables
                         WHERE table_schema = current_schema() ORDER BY table_name COLLATE \"C\"";
            return database.run(names).lines().map(str::to_owned).collect();
        }
        let mut raw = SqliteConnection::connect(&self.url).await.unwrap();
        let names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
        sqlx::query_scalar(names).fetch_all(&mut raw).await.unwrap()
    }

    /// The context of the one account, as stored.
    pub(crate) async fn sealed_context(&self) -> Vec<u8> {
        let hex = if let Place::Server(database) = &self.place {
            database.run("SELECT encode(context_sealed, 'hex') FROM accounts").trim().to_owned()
        } else {
            let mut raw = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar("SELECT hex(context_sealed) FROM accounts").fetch_one(&mut raw).await.unwrap()
        };
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// Bytes as this database's SQL writes them.
    pub(crate) fn literal(&self, bytes: &[u8]) -> String {
        match self.place {
            Place::Server(_) => format!("'\\x{}'", hex(bytes)),
            _ => format!("X'{}'", hex(bytes)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Whether the text is in there, plainly or in hexadecimal.
pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    let found = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    found(text.as_bytes()) || found(hex(text.as_bytes()).as_bytes())
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
        node_id: None,
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
