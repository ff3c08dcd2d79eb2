//! What the engine keeps of tokens and accounts never outlives them: not for changes of its own, and not for those of a
//! command that runs beside it on the same database.
#![expect(
    clippy::unwrap_used,
    reason = "clippy's exemption covers test functions, not the functions they share"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use koine_connector::catalogue::Catalogue;
use koine_engine::{
    AccountPatch, BaseUrls, Caller, Engine, EngineParts, NewAccount, Operation, Outgoing, UnifiedCall,
};
use koine_model::{Answer, Credentials, Error, ErrorCode, Request, Response, Secret};
use koine_store::{AccountChange, MasterKey, NOTICED_WITHIN, NewToken, Store, Vault};
use koine_upstream::{Hosts, Login, Token, TokenError};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// Answers everything with one user, and remembers what it was last asked with.
#[derive(Default)]
struct Vendor(Mutex<Option<Credentials>>);

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
struct Setting {
    engine: Engine,
    vendor: Arc<Vendor>,
    command: Arc<dyn Store>,
    environment: Uuid,
    account: Uuid,
    token: (Uuid, String),
    _home: TempDir,
}

impl Setting {
    async fn new() -> Self {
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

    async fn caller(&self) -> Result<Caller, Error> {
        self.engine.authenticate(Some(&format!("Bearer {}", self.token.1))).await
    }

    /// One call; what it was sent with.
    async fn call(&self) -> Result<String, Error> {
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
    async fn call_twice(&self) -> String {
        let first = self.call().await.unwrap();
        assert_eq!(self.call().await.unwrap(), first);
        first
    }
}

fn fields(api_token: &str) -> Map<String, Value> {
    let fields = json!({"domain": "acme.okta.com", "api_token": api_token});
    fields.as_object().cloned().unwrap()
}

fn code<T>(result: Result<T, Error>) -> Option<ErrorCode> {
    result.err().map(|error| error.code)
}

#[tokio::test]
async fn own_changes_count_at_once() {
    let setting = Setting::new().await;
    assert_eq!(setting.call_twice().await, "SSWS first");
    let caller = setting.caller().await.unwrap();
    let patch = AccountPatch { context: Some(fields("second")), ..AccountPatch::default() };
    setting.engine.patch_account(&caller, setting.account, patch).await.unwrap();
    assert_eq!(setting.call_twice().await, "SSWS second");
    setting.engine.delete_account(&caller, setting.account).await.unwrap();
    assert_eq!(code(setting.call().await), Some(ErrorCode::NotFound));
    setting.engine.store().revoke_token(setting.token.0).await.unwrap();
    assert_eq!(code(setting.caller().await), Some(ErrorCode::Unauthenticated));
}

#[tokio::test]
async fn changes_by_a_command_beside_the_server_count_in_time() {
    let setting = Setting::new().await;
    assert_eq!(setting.call_twice().await, "SSWS first");
    let context = Some(Value::Object(fields("second")));
    let change = AccountChange { context, ..AccountChange::default() };
    setting.command.update_account(setting.environment, setting.account, change).await.unwrap();
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(setting.call_twice().await, "SSWS second");
    setting.command.delete_account(setting.environment, setting.account).await.unwrap();
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(code(setting.call().await), Some(ErrorCode::NotFound));
    setting.command.revoke_token(setting.token.0).await.unwrap();
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(code(setting.caller().await), Some(ErrorCode::Unauthenticated));
}

#[tokio::test]
async fn a_token_that_is_kept_expires_all_the_same() {
    let setting = Setting::new().await;
    let at = std::time::SystemTime::now() + Duration::from_millis(400);
    let expires_at = Some(jiff::Timestamp::try_from(at).unwrap().to_string());
    let (name, account_ids) = ("short".to_owned(), None);
    let environment_id = setting.environment;
    let new =
        NewToken { environment_id, name, account_ids, read_only: false, administrator: false, expires_at };
    let (_, secret) = setting.command.create_token(new).await.unwrap();
    let header = format!("Bearer {secret}");
    while setting.engine.authenticate(Some(&header)).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(std::time::SystemTime::now() >= at);
}
