//! A gateway with one connected account.

use koine_testkit::{Gateway as Serving, http};
use serde_json::{Value, json};

const BIN: &str = env!("CARGO_BIN_EXE_koine");
/// Connectors of the operator's own, beside the built-in ones.
const CONNECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/connectors");

/// A running gateway with one connected account.
pub(crate) struct Gateway {
    serving: Serving,
    token: String,
    account: String,
}

impl Gateway {
    /// `base` takes the place of the vendor's base URL; `context` holds the account's credential fields.
    pub(crate) async fn start(connector: &str, base: &str, context: &Value) -> Self {
        let settings = [
            ("KOINE_ALLOW_ADDRESSES", "127.0.0.0/8"),
            ("KOINE_BASE_URLS", &json!({connector: base}).to_string()),
            ("KOINE_CONNECTORS_DIR", CONNECTORS),
        ];
        let serving = Serving::start(BIN, &settings).await;
        let token = serving.token(&[]).await;
        let context = context.to_string();
        let add = ["account", "add", connector, "--tenant", "acme", "--context", &context];
        let account = serving.admin(&add).await["id"].as_str().unwrap().to_owned();
        Self { serving, token, account }
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
