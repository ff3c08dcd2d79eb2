//! A database, an authorization server behind a proxy, an engine that stands for the page on which people connect, and
//! as many nodes as a test wants.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use koine_connector::catalogue::Catalogue;
use koine_engine::{
    AuthorizationAnswer, AuthorizationRequest, AuthorizationStarted, BaseUrls, Caller, Engine, EngineParts,
    Granted, OauthAppChange,
};
use koine_model::{Error, Secret};
use koine_store::{AccountChange, MasterKey, NOTICED_WITHIN, NewAccount, NewToken, Vault};
use koine_testkit::{LosingProxy, PostgresDatabase, RealServer, Refreshing, http};
use koine_upstream::{Settings, Upstream};
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;

use super::consent::{self, Says, answer_in};
use super::node::Node;
use crate::support::{CONNECTORS, KEY};

pub(super) const TOKEN: &str = "/token";
pub(super) const SECRET: &str = "made-up-secret-of-the-app";
pub(super) const CONNECTOR: &str = "acme-oauth";
const METHOD: &str = "oauth2";
const PUBLIC: &str = "http://localhost:9";
/// As the connector writes it.
pub(super) const ENDPOINT: &str = "https://id.example.com/token";

/// For all engines of a test: it takes its time to read.
static CATALOGUE: LazyLock<Arc<Catalogue>> =
    LazyLock::new(|| Arc::new(Catalogue::with_folder(CONNECTORS.as_ref()).unwrap()));

pub(super) struct Setting {
    pub engine: Engine,
    pub proxy: LosingProxy,
    server: RealServer,
    environment: Uuid,
    token: String,
    env: Vec<(String, String)>,
    url: String,
    folder: tempfile::TempDir,
    // Dropped after the engine, which is connected to it.
    database: Option<PostgresDatabase>,
}

impl Setting {
    /// On SQLite; access tokens live so many seconds.
    pub(super) async fn new(seconds: u32) -> Self {
        Self::on(None, seconds, Refreshing::Once).await
    }

    /// On a database of PostgreSQL, if there is one.
    pub(super) async fn on(database: Option<PostgresDatabase>, seconds: u32, refreshing: Refreshing) -> Self {
        let redirect = format!("{PUBLIC}/connect/{CONNECTOR}/callback");
        let server = RealServer::authorization_server(&redirect, seconds, refreshing).await;
        let proxy = LosingProxy::start(server.url()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let urls = json!({
            CONNECTOR: proxy.url(),
            "https://id.example.com/auth": format!("{}/auth", server.url()),
            ENDPOINT: format!("{}/token", proxy.url()),
        });
        let data = folder.path().to_str().unwrap();
        let url =
            database.as_ref().map_or_else(|| format!("sqlite://{data}/koine.db"), PostgresDatabase::url);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let env = vec![
            pair("KOINE_DATA_DIR", data),
            pair("KOINE_DATABASE_URL", &url),
            pair("KOINE_MASTER_KEY", KEY),
            pair("KOINE_LISTEN", "127.0.0.1:0"),
            pair("KOINE_ALLOW_ADDRESSES", "127.0.0.0/8"),
            pair("KOINE_BASE_URLS", &urls.to_string()),
            pair("KOINE_CONNECTORS_DIR", CONNECTORS),
            pair("KOINE_PUBLIC_URL", PUBLIC),
            // An answer that is held back is given up soon.
            pair("KOINE_UPSTREAM_TIMEOUT", "3"),
        ];
        let engine = engine(&url, &urls).await;
        let environment = engine.store().create_environment("default").await.unwrap().id;
        let new = NewToken {
            environment_id: environment,
            name: "test".to_owned(),
            account_ids: None,
            read_only: false,
            administrator: false,
            expires_at: None,
        };
        let (_, token) = engine.store().create_token(new).await.unwrap();
        let setting = Self { engine, proxy, server, environment, token, env, url, folder, database };
        setting.set_app("koine", SECRET).await;
        setting
    }

    pub(super) fn caller(&self) -> Caller {
        Caller::operator(self.environment)
    }

    pub(super) async fn set_app(&self, client_id: &str, secret: &str) {
        self.set(CONNECTOR, client_id, secret, Map::new()).await;
    }

    /// An app of another vendor.
    pub(super) async fn set_app_of(&self, connector: &str, fields: Value) {
        self.set(connector, "koine", SECRET, fields.as_object().unwrap().clone()).await;
    }

    async fn set(&self, connector: &str, client_id: &str, secret: &str, fields: Map<String, Value>) {
        let change = OauthAppChange {
            connector: connector.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: Some(Secret::new(secret)),
            fields,
        };
        self.engine.set_oauth_app(&self.caller(), change).await.unwrap();
    }

    /// Another engine on the same database, for which vendors are elsewhere.
    pub(super) async fn engine_at(&self, urls: &Value) -> Engine {
        engine(&self.url, urls).await
    }

    /// For a vendor whose app renews by refresh tokens.
    pub(super) async fn begin_at(
        &self,
        connector: &str,
        context: Value,
    ) -> Result<AuthorizationStarted, Error> {
        let request = AuthorizationRequest {
            environment_id: self.environment,
            connector: connector.to_owned(),
            authentication_method: "oauth2_refresh_token".to_owned(),
            context: context.as_object().unwrap().clone(),
            scopes: Vec::new(),
            browser: None,
            carried: Value::Null,
        };
        self.engine.begin_authorization(request).await
    }

    /// `browser` is the cookie that the browser has.
    pub(super) async fn begin(&self, browser: Option<Secret>) -> AuthorizationStarted {
        let request = AuthorizationRequest {
            environment_id: self.environment,
            connector: CONNECTOR.to_owned(),
            authentication_method: METHOD.to_owned(),
            context: Map::new(),
            scopes: Vec::new(),
            browser,
            carried: json!({"session": 7}),
        };
        self.engine.begin_authorization(request).await.unwrap()
    }

    /// What the browser comes back with after somebody said this.
    pub(super) async fn answer(&self, says: Says<'_>) -> AuthorizationAnswer {
        let started = self.begin(None).await;
        let back = consent::ask(&started.url, says).await;
        assert!(back.as_str().starts_with(&format!("{PUBLIC}/connect/{CONNECTOR}/callback?")), "{back}");
        answer_in(&back, started.browser)
    }

    async fn granted(&self, who: &str) -> Granted {
        let answer = self.answer(Says::Yes(who)).await;
        self.engine.finish_authorization(answer).await.map_err(|failed| failed.message).unwrap()
    }

    /// An account that somebody consented to.
    pub(super) async fn connected(&self, who: &str) -> Uuid {
        let granted = self.granted(who).await;
        assert_eq!((granted.environment_id, &granted.carried), (self.environment, &json!({"session": 7})));
        let new = NewAccount {
            environment_id: self.environment,
            tenant_id: "acme".to_owned(),
            connector: granted.connector,
            authentication_method: granted.authentication_method,
            context: Value::Object(granted.context),
        };
        let account = self.engine.store().create_account(new).await.unwrap();
        self.engine.keep_grant(self.environment, account.id, &granted.grant).await.unwrap();
        account.id
    }

    /// An account whose credentials are an app's own.
    pub(super) async fn own(&self, client_id: &str, client_secret: &str) -> Uuid {
        let new = NewAccount {
            environment_id: self.environment,
            tenant_id: "acme".to_owned(),
            connector: CONNECTOR.to_owned(),
            authentication_method: "oauth2_client_credentials".to_owned(),
            context: json!({"client_id": client_id, "client_secret": client_secret}),
        };
        self.engine.store().create_account(new).await.unwrap().id
    }

    pub(super) async fn connect_again(&self, account: &Uuid, who: &str) {
        let granted = self.granted(who).await;
        self.engine.keep_grant(self.environment, *account, &granted.grant).await.unwrap();
    }

    pub(super) async fn account(&self, account: &Uuid) -> Value {
        self.engine.get_account(&self.caller(), *account).await.unwrap()
    }

    pub(super) async fn status(&self, account: &Uuid) -> String {
        self.account(account).await["status"].as_str().unwrap().to_owned()
    }

    pub(super) async fn grant(&self, account: &Uuid) -> Value {
        self.engine.store().find_grant(self.environment, *account).await.unwrap().unwrap().content
    }

    async fn change_grant(&self, account: &Uuid, changes: Value) {
        let mut grant = self.grant(account).await;
        grant.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        assert!(self.engine.store().set_grant(self.environment, *account, &grant).await.unwrap());
        // What nodes have in their memory is older than the account.
        let change = AccountChange::default();
        self.engine.store().update_account(self.environment, *account, change).await.unwrap();
        tokio::time::sleep(NOTICED_WITHIN * 2).await;
    }

    /// The access token is over.
    pub(super) async fn expire(&self, account: &Uuid) {
        self.change_grant(account, json!({"fresh_until": 0, "expires_at": 0})).await;
    }

    /// It is time to renew the access token, which is still good.
    pub(super) async fn make_stale(&self, account: &Uuid) {
        self.change_grant(account, json!({"fresh_until": 0})).await;
    }

    /// An access token that is over, though nobody here knows.
    pub(super) async fn write_other_token(&self, account: &Uuid) {
        self.change_grant(account, json!({"access_token": "of-another-time"})).await;
    }

    /// The owner takes their consent back, at the server.
    pub(super) async fn revoke(&self, account: &Uuid) {
        let token = self.grant(account).await["refresh_token"].as_str().unwrap().to_owned();
        let url = format!("{}/token/revocation", self.server.url());
        let headers = [
            ("authorization", self.server.authorization()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let body = format!("token={token}");
        let answer = http::request("POST", &url, &headers, body.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.expire(account).await;
    }

    /// Waits until the server has been asked for tokens so often.
    pub(super) async fn reached(&self, times: usize) {
        while self.proxy.reached_server("POST", TOKEN) < times {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) async fn node(&self) -> Node {
        self.node_with(&[]).await
    }

    /// With further settings.
    pub(super) async fn node_with(&self, settings: &[(&str, &str)]) -> Node {
        let more = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let env: Vec<_> = self.env.iter().cloned().chain(more).collect();
        Node::start(&env, &self.token).await
    }

    /// All that the database holds.
    pub(super) fn at_rest(&self) -> Vec<u8> {
        if let Some(database) = &self.database {
            return database.dump().into_bytes();
        }
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect()
    }
}

async fn engine(database: &str, urls: &Value) -> Engine {
    let vault = Vault::new(MasterKey::from_base64(KEY).unwrap());
    let settings = Settings { allow: vec!["127.0.0.0/8".parse().unwrap()], ..Settings::default() };
    let urls: BTreeMap<String, Url> = serde_json::from_value(urls.clone()).unwrap();
    Engine::new(EngineParts {
        store: koine_store::open(database, vault).await.unwrap(),
        catalogue: Arc::clone(&CATALOGUE),
        upstream: Arc::new(Upstream::new(settings).unwrap()),
        base_urls: BaseUrls::new(urls).unwrap(),
        cursor_key: Secret::new("test"),
        public_url: Some(PUBLIC.parse().unwrap()),
    })
}
