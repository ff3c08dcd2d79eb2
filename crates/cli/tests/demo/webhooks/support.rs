//! Gateways that tell a receiver of events: the binary with `serve`, on data of their own.

use koine_store::{MasterKey, NewToken, Vault};
use koine_testkit::receiver::hmac_sha256;
use koine_testkit::{KoineProcess, PostgresDatabase, Received, Receiver, http};
use serde_json::{Value, json};

use crate::support::BIN;

/// 32 bytes of zero in base64: a key for tests only.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// Of the accounts that tests make; nothing of it may ever be told.
pub(crate) const CREDENTIAL: &str = "okta-token-that-nobody-may-see";

/// Data, and how to run gateways on it.
pub(crate) struct Home {
    pub folder: tempfile::TempDir,
    database: Option<PostgresDatabase>,
    env: Vec<(String, String)>,
}

/// A running gateway and a token for it.
pub(crate) struct Gateway {
    pub process: KoineProcess,
    pub url: String,
    pub token: String,
}

impl Home {
    /// With these settings beside those that let deliveries reach loopback.
    pub(crate) fn new(settings: &[(&str, &str)]) -> Self {
        Self::on(None, settings)
    }

    /// The same on a database of PostgreSQL, if there is one.
    pub(crate) fn on(database: Option<PostgresDatabase>, settings: &[(&str, &str)]) -> Self {
        let url = database.as_ref().map(PostgresDatabase::url);
        let own = [("KOINE_WEBHOOK_ALLOW_ADDRESSES", "127.0.0.0/8")];
        let on = url.as_deref().map(|url| ("KOINE_DATABASE_URL", url));
        let settings: Vec<_> = own.iter().chain(settings).copied().chain(on).collect();
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_str().unwrap();
        let fixed = [("KOINE_DATA_DIR", data), ("KOINE_MASTER_KEY", KEY), ("KOINE_LISTEN", "127.0.0.1:0")];
        let env =
            fixed.iter().chain(&settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let env = env.collect();
        Self { folder, database, env }
    }

    fn start(&self, args: &[&str]) -> KoineProcess {
        let env: Vec<_> = self.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        KoineProcess::start(BIN, args, &env).unwrap()
    }

    /// A command that succeeds, and its JSON.
    pub(crate) async fn admin(&self, args: &[&str]) -> Value {
        let mut process = self.start(&[args, &["-o", "json"]].concat());
        let status = process.end().await.unwrap();
        assert!(status.success(), "{args:?}: {}", process.stderr());
        serde_json::from_str(&process.stdout()).unwrap()
    }

    /// A command that fails: its exit code and what it says.
    pub(crate) async fn refused(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut process = self.start(args);
        let status = process.end().await.unwrap();
        assert!(!status.success(), "{args:?}: {}", process.stdout());
        (status.code(), process.stderr())
    }

    /// An account, made by a command: its event waits for a gateway.
    pub(crate) async fn account(&self) -> String {
        let context = json!({"domain": "acme.okta.com", "api_token": CREDENTIAL}).to_string();
        let made = self.admin(&["account", "add", "okta", "--tenant", "acme", "--context", &context]).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// A new token of this kind, for the environment of that name. Not by a command: there are many of these.
    pub(crate) async fn token(&self, environment: &str, change: impl FnOnce(&mut NewToken)) -> String {
        let file = || format!("sqlite://{}/koine.db", self.folder.path().display());
        let url = self.database.as_ref().map_or_else(file, PostgresDatabase::url);
        let store = koine_store::open(&url, Vault::new(MasterKey::from_base64(KEY).unwrap())).await.unwrap();
        let found = store.find_environment(environment).await.unwrap();
        let environment = match found {
            Some(found) => found,
            None => store.create_environment(environment).await.unwrap(),
        };
        let mut new = NewToken {
            environment_id: environment.id,
            name: "test".to_owned(),
            account_ids: None,
            read_only: false,
            administrator: false,
            expires_at: None,
        };
        change(&mut new);
        let (_, secret) = store.create_token(new).await.unwrap();
        store.close().await;
        secret
    }

    /// A gateway, with a token for all of the default environment.
    pub(crate) async fn serve(&self) -> Gateway {
        let token = self.token("default", |_| {}).await;
        self.serve_with(&token).await
    }

    /// A gateway that is spoken to with this token.
    pub(crate) async fn serve_with(&self, token: &str) -> Gateway {
        let mut process = self.start(&["serve"]);
        let line = process.line("listening on ").await;
        let url = line.split("listening on ").nth(1).unwrap().trim().to_owned();
        Gateway { process, url, token: token.to_owned() }
    }
}

impl Gateway {
    /// One call: status and body.
    pub(crate) async fn call(&self, verb: &str, path: &str, body: &Value) -> (u16, Value) {
        self.call_as(&self.token, verb, path, body).await
    }

    /// The same with another token.
    pub(crate) async fn call_as(&self, token: &str, verb: &str, path: &str, body: &Value) -> (u16, Value) {
        let bearer = format!("Bearer {token}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let url = format!("{}{path}", self.url);
        let answer = http::request(verb, &url, &[("authorization", &bearer)], body.as_bytes()).await.unwrap();
        (answer.status, answer.json().unwrap())
    }

    /// A webhook for these events (null: all): its id and its secret.
    pub(crate) async fn webhook(&self, url: &str, types: Value) -> (String, String) {
        let (status, made) =
            self.call("POST", "/webhook", &json!({"target_url": url, "event_types": types})).await;
        assert_eq!(status, 200, "{made}");
        (made["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
    }

    /// A new account.
    pub(crate) async fn account(&self) -> String {
        let context = json!({"domain": "acme.okta.com", "api_token": CREDENTIAL});
        let new = json!({"connector": "okta", "tenant_id": "acme", "context": context});
        let (status, made) = self.call("POST", "/integrated-account", &new).await;
        assert_eq!(status, 200, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    /// The delivery log of a webhook, oldest first, once every delivery of it is in one of these states.
    pub(crate) async fn settled(&self, webhook: &str, states: &[&str]) -> Vec<Value> {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
        while tokio::time::Instant::now() < deadline {
            let (status, page) =
                self.call("GET", &format!("/webhook/{webhook}/deliveries?limit=100"), &Value::Null).await;
            assert_eq!(status, 200, "{page}");
            let mut log = page["result"].as_array().unwrap().clone();
            if log.iter().all(|entry| states.contains(&entry["status"].as_str().unwrap())) {
                log.reverse();
                return log;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("deliveries are not {states:?}\n{}", self.process.stderr());
    }
}

/// Checks a delivery's signatures with another implementation than the gateway's.
pub(crate) fn assert_signed(received: &Received, secret: &str) {
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let expected = format!("format=sha256,v={}", hex(hmac_sha256(secret.as_bytes(), &received.body)));
    assert_eq!(received.header("x-truto-signature"), expected);
    let body = String::from_utf8(received.body.clone()).unwrap();
    let content =
        format!("{}.{}.{body}", received.header("webhook-id"), received.header("webhook-timestamp"));
    let standard = received.header("webhook-signature").strip_prefix("v1,").unwrap();
    let expected = hex(hmac_sha256(secret.as_bytes(), content.as_bytes()));
    assert_eq!(hex(base64(standard)), expected);
}

/// Standard base64 into bytes.
fn base64(text: &str) -> Vec<u8> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = text.bytes().filter(|byte| *byte != b'=').map(|byte| LETTERS.find(char::from(byte)).unwrap());
    let (mut bytes, mut held, mut count) = (Vec::new(), 0_u32, 0);
    for six in bits {
        held = (held << 6) | u32::try_from(six).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((held >> count) & 0xff).unwrap());
        }
    }
    bytes
}

/// The names and ids of the events that came, in order.
pub(crate) fn told(received: &[Received]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    received.iter().map(Received::json).map(|body| (text(&body["event"]), text(&body["id"]))).collect()
}

pub(crate) async fn receiver() -> Receiver {
    Receiver::start().await.unwrap()
}
