//! A gateway as its users run it: the binary, its settings in the environment, its own temporary folder.

use koine_testkit::{KoineProcess, http};
use serde_json::{Value, json};

const BIN: &str = env!("CARGO_BIN_EXE_koine");
/// Connectors of the operator's own, beside the built-in ones.
const CONNECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/connectors");
/// 32 bytes of zero in base64: a key for tests only.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A running gateway with one connected account.
pub(crate) struct Gateway {
    url: String,
    token: String,
    account: String,
    process: KoineProcess,
    env: Vec<(String, String)>,
    _folder: tempfile::TempDir,
}

impl Gateway {
    /// `base` takes the place of the vendor's base URL; `context` holds the account's credential fields.
    pub(crate) async fn start(connector: &str, base: &str, context: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let env = settings(&folder, connector, base);
        let token = admin(&["token", "create", "--name", "test", "-o", "json"], &env).await;
        let context = context.to_string();
        let add = ["account", "add", connector, "--tenant", "acme", "--context", &context, "-o", "json"];
        let account = admin(&add, &env).await;
        let (process, url) = serve(&env).await;
        let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
        let (token, account) = (text(&token, "token"), text(&account, "id"));
        Self { url, token, account, process, env, _folder: folder }
    }

    /// SIGKILL.
    pub(crate) async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    /// Starts again on the same data, after [`Self::kill`].
    pub(crate) async fn restart(&mut self) {
        (self.process, self.url) = serve(&self.env).await;
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
        let url =
            format!("{}/unified/user-directory/{path}{mark}integrated_account_id={}", self.url, self.account);
        let bearer = format!("Bearer {}", self.token);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers: Vec<_> = headers.iter().copied().chain([("authorization", bearer.as_str())]).collect();
        http::request(verb, &url, &headers, body.as_bytes()).await
    }
}

fn settings(folder: &tempfile::TempDir, connector: &str, base: &str) -> Vec<(String, String)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        pair("KOINE_DATA_DIR", folder.path().to_str().unwrap()),
        pair("KOINE_MASTER_KEY", KEY),
        pair("KOINE_LISTEN", "127.0.0.1:0"),
        pair("KOINE_ALLOW_ADDRESSES", "127.0.0.0/8"),
        pair("KOINE_BASE_URLS", &json!({connector: base}).to_string()),
        pair("KOINE_CONNECTORS_DIR", CONNECTORS),
    ]
}

async fn start(args: &[&str], env: &[(String, String)]) -> KoineProcess {
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    KoineProcess::start(BIN, args, &env).unwrap()
}

async fn admin(args: &[&str], env: &[(String, String)]) -> Value {
    let mut process = start(args, env).await;
    let status = process.end().await.unwrap();
    assert!(status.success(), "{}", process.stderr());
    serde_json::from_str(&process.stdout()).unwrap()
}

async fn serve(env: &[(String, String)]) -> (KoineProcess, String) {
    let mut process = start(&["serve"], env).await;
    let line = process.line("listening on ").await;
    let url = line.split("listening on ").nth(1).unwrap().trim().to_owned();
    (process, url)
}
