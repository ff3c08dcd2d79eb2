//! One `koine serve` of several on a database.

use koine_testkit::{KoineProcess, http};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::BIN;

pub(super) struct Node {
    process: KoineProcess,
    url: String,
    token: String,
}

impl Node {
    pub(super) async fn start(env: &[(String, String)], token: &str) -> Self {
        let env: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut process = KoineProcess::start(BIN, ["serve"], &env).unwrap();
        let line = process.line("listening on ").await;
        let url = line.split("listening on ").nth(1).unwrap().trim().to_owned();
        Self { process, url, token: token.to_owned() }
    }

    /// The status, and the users' list or the whole error.
    pub(super) async fn users(&self, account: &Uuid) -> (u16, Value) {
        let answer = self.ask_for_users(account).await;
        let body: Value = answer.json().unwrap();
        if answer.status == 200 { (200, body["result"].clone()) } else { (answer.status, body) }
    }

    pub(super) async fn ask_for_users(&self, account: &Uuid) -> http::Answer {
        let path = "/unified/user-directory/users?truto_ignore_remote_data=true&integrated_account_id=";
        self.send(&self.token, "GET", &format!("{path}{account}"), &Value::Null).await
    }

    /// The account as its own token sees it.
    pub(super) async fn own_account(&self, account: &Uuid) -> Value {
        let body = json!({"integrated_account_id": account});
        let made = self.send(&self.token, "POST", "/integrated-account/token", &body).await.json().unwrap();
        let own = made["integrated_account_token"].as_str().unwrap();
        let answer = self.send(own, "GET", "/integrated-account/me", &Value::Null).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json().unwrap()
    }

    /// `POST /integrated-account/refresh-credentials`.
    pub(super) async fn refresh(&self, account: &Uuid) -> (u16, Value) {
        let path = "/integrated-account/refresh-credentials";
        let answer = self.send(&self.token, "POST", path, &json!({"id": account})).await;
        (answer.status, answer.json().unwrap())
    }

    async fn send(&self, token: &str, verb: &str, path: &str, body: &Value) -> http::Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        http::request(verb, &format!("{}{path}", self.url), &headers, body.as_bytes()).await.unwrap()
    }

    pub(super) fn log(&mut self) -> String {
        self.process.stderr()
    }

    pub(super) async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }
}
