//! A gateway with one connected account.

use koine_testkit::{Gateway as Serving, PostgresDatabase, http};
use serde_json::{Value, json};

pub(crate) const BIN: &str = env!("CARGO_BIN_EXE_koine");
/// Connectors of the operator's own, beside the built-in ones.
pub(crate) const CONNECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/connectors");
/// 32 bytes of zero in base64: a key for tests only.
pub(crate) const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A running gateway with one connected account.
pub(crate) struct Gateway {
    serving: Serving,
    token: String,
    account: String,
}

impl Gateway {
    /// `base` takes the place of the vendor's base URL; `context` holds the account's credential fields.
    pub(crate) async fn start(connector: &str, base: &str, context: &Value) -> Self {
        Self::start_on(None, connector, base, context).await
    }

    /// The same on a database of PostgreSQL, if there is one.
    pub(crate) async fn start_on(
        database: Option<&PostgresDatabase>,
        connector: &str,
        base: &str,
        context: &Value,
    ) -> Self {
        let (base_urls, url) = (json!({connector: base}).to_string(), database.map(PostgresDatabase::url));
        let mut settings = vec![
            ("KOINE_ALLOW_ADDRESSES", "127.0.0.0/8"),
            ("KOINE_BASE_URLS", &base_urls),
            ("KOINE_CONNECTORS_DIR", CONNECTORS),
            // A held answer is given up soon.
            ("KOINE_UPSTREAM_TIMEOUT", "8"),
        ];
        settings.extend(url.as_deref().map(|url| ("KOINE_DATABASE_URL", url)));
        let serving = Serving::start(BIN, &settings).await;
        let token = serving.token(&[]).await;
        let context = context.to_string();
        let add = ["account", "add", connector, "--tenant", "acme", "--context", &context];
        let account = serving.admin(&add).await["id"].as_str().unwrap().to_owned();
        Self { serving, token, account }
    }

    /// Another server on the same database, beside this one or on a machine of its own.
    pub(crate) async fn another(&self, elsewhere: bool) -> Self {
        let serving = if elsewhere { self.serving.elsewhere().await } else { self.serving.beside().await };
        Self { serving, token: self.token.clone(), account: self.account.clone() }
    }

    /// Its process id.
    pub(crate) fn pid(&mut self) -> u32 {
        self.serving.process().pid()
    }

    /// What it has logged so far.
    pub(crate) fn log(&mut self) -> String {
        self.serving.process().stderr()
    }

    /// Waits until it has logged this.
    pub(crate) async fn logged(&mut self, text: &str) {
        for _ in 0..600 {
            if self.log().contains(text) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{text:?} was not logged:\n{}", self.log());
    }

    /// SIGKILL.
    pub(crate) async fn kill(&mut self) {
        self.serving.process().kill().await.unwrap();
    }

    /// Starts again on the same data, after [`Self::kill`].
    pub(crate) async fn restart(&mut self) {
        self.serving.restart().await;
    }

    /// Status, outcome and body of one call on the user-directory model.
    pub(crate) async fn call(&self, verb: &str, path: &str, body: &Value) -> (u16, Option<String>, Value) {
        let answer = self.send(verb, path, body, &[]).await.unwrap();
        let outcome = answer.header("koine-outcome").map(ToOwned::to_owned);
        (answer.status, outcome, answer.json().unwrap())
    }

    /// The same with headers, and all of the answer.
    pub(crate) async fn send(
        &self,
        verb: &str,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> std::io::Result<http::Answer> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!("/unified/user-directory/{path}{mark}integrated_account_id={}", self.account);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.serving.send(&self.token, verb, &path, headers, body.as_bytes()).await
    }
}
