//! An engine whose one vendor answers everything.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use koine_connector::catalogue::Catalogue;
use koine_engine::{BaseUrls, Caller, Engine, EngineParts, NewAccount, Operation, Outgoing, UnifiedCall};
use koine_model::{Answer, Credentials, Error, ErrorCode, Request, Response, Secret};
use koine_store::{MasterKey, NewToken, Store, Vault};
use koine_upstream::{Hosts, Login, Token, TokenError};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// Answers everything with one user, and remembers what it was last asked with.
#[derive(Default)]
pub(crate) struct Vendor(pub(crate) Mutex<Option<Credentials>>);

#[async_trait]
impl Outgoing for Vendor {
    async fn send(&self, _: &Request, credentials: &Credentials, _: &Hosts) -> Answer {
        *self.0.lock().unwrap() = Some(credentials.clone());
        let body = json!({"id": "00u1", "status": "ACTIVE"}).to_string().into();
        Answer::Received(Response { status: 200, headers: Vec::new(), body })
    }

    async fn token(&self, _: &str, _: &dyn Login, _: &Hosts) -> Result<Token, TokenError> {
        let value = Secret::new("token");
        Ok(Token { value, lifetime: None, kept: Map::new(), fresh_for: None, since: Instant::now() })
    }

    fn forget_token(&self, _: &str, _: &Secret) {}

    async fn pause(&self, _: Duration) {}
}

/// A server's engine, a command's store beside it, a token and an account.
pub(crate) struct Setting {
    pub(crate) engine: Engine,
    pub(crate) vendor: Arc<Vendor>,
    pub(crate) command: Arc<dyn Store>,
    pub(crate) environment: Uuid,
    pub(crate) account: Uuid,
    pub(crate) token: (Uuid, String),
    _home: TempDir,
}

impl Setting {
    pub(crate) async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", home.path().join("koine.db").display());
        let key = MasterKey::generate().to_base64();
        let open = || koine_store::open(&url, Vault::new(MasterKey::from_base64(&key).unwrap()));
        let (store, command) = (open().await.unwrap(), open().await.unwrap());
        let environment = command.create_environment("home").await.unwrap().id;
        let vendor = Arc::new(Vendor::default());
        let engine = Engine::new(EngineParts {
            store,
            catalogue: Arc::new(Catalogue::embedded().unwrap_or_else(|problems| panic!("{problems}"))),
            upstream: Arc::clone(&vendor) as Arc<dyn Outgoing>,
            base_urls: BaseUrls::default(),
            cursor_key: Secret::new("test"),
            public_url: None,
        });
        let new = NewAccount {
            tenant_id: "acme".to_owned(),
            connector: "okta".to_owned(),
            authentication_method: None,
            context: fields("first"),
        };
        let account = engine.create_account(&Caller::operator(environment), new).await.unwrap();
        let account = account["id"].as_str().unwrap().parse().unwrap();
        let (name, account_ids, expires_at) = ("ci".to_owned(), None, None);
        let new = NewToken {
            environment_id: environment,
            name,
            account_ids,
            read_only: false,
            administrator: false,
            expires_at,
        };
        let (token, secret) = command.create_token(new).await.unwrap();
        Self { engine, vendor, command, environment, account, token: (token.id, secret), _home: home }
    }

    pub(crate) async fn caller(&self) -> Result<Caller, Error> {
        self.engine.authenticate(Some(&format!("Bearer {}", self.token.1))).await
    }

    /// One call; what it was sent with.
    pub(crate) async fn call(&self) -> Result<String, Error> {
        let call = UnifiedCall {
            model: "user-directory".to_owned(),
            resource: "users".to_owned(),
            operation: Operation::Get,
            id: Some("00u1".to_owned()),
            query: Map::from_iter([("integrated_account_id".to_owned(), json!(self.account))]),
            body: Map::new(),
            path: String::new(),
            idempotency_key: None,
            passthrough: None,
        };
        self.engine.unified(&self.caller().await?, call).await?;
        let sent = self.vendor.0.lock().unwrap().take().unwrap();
        Ok(sent.headers[0].1.expose().to_owned())
    }

    /// The second call is answered from memory.
    pub(crate) async fn call_twice(&self) -> String {
        let first = self.call().await.unwrap();
        assert_eq!(self.call().await.unwrap(), first);
        first
    }
}

pub(crate) fn fields(api_token: &str) -> Map<String, Value> {
    let fields = json!({"domain": "acme.okta.com", "api_token": api_token});
    fields.as_object().cloned().unwrap()
}

pub(crate) fn code<T>(result: Result<T, Error>) -> Option<ErrorCode> {
    result.err().map(|error| error.code)
}
