//! A demo of its own for every test: free ports, its own data.

use koine_testkit::{KoineProcess, PostgresDatabase, http};
use serde_json::{Value, json};

pub(crate) const BIN: &str = env!("CARGO_BIN_EXE_koine");

/// A running demo.
pub(crate) struct Demo {
    pub facts: Value,
    pub process: KoineProcess,
    // After the process, which is connected to it.
    database: Option<PostgresDatabase>,
}

/// What came back from a unified call.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub outcome: Option<String>,
    pub body: Value,
    pub http: http::Answer,
}

impl Answer {
    /// Status and outcome, for comparisons.
    pub(crate) fn told(&self) -> (u16, Option<&str>) {
        (self.status, self.outcome.as_deref())
    }
}

impl Demo {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[], &[]).await
    }

    pub(crate) async fn start_with(args: &[&str], env: &[(&str, &str)]) -> Self {
        Self::on(PostgresDatabase::of_this_run(), args, env).await
    }

    /// Ends it, and opens another one on the same database.
    pub(crate) async fn again(mut self, args: &[&str]) -> Self {
        self.process.terminate().await.unwrap();
        Self::on(self.database.take(), args, &[]).await
    }

    async fn on(database: Option<PostgresDatabase>, args: &[&str], env: &[(&str, &str)]) -> Self {
        let url = database.as_ref().map(PostgresDatabase::url);
        let on: Vec<&str> = url.iter().flat_map(|url| ["--database-url", url]).collect();
        let args = [&["demo", "--json", "--port", "0", "--sandbox-port", "0"], args, &on].concat();
        let mut process = KoineProcess::start(BIN, args, env).unwrap();
        let line = process.line("sandbox_url").await;
        Self { facts: serde_json::from_str(&line).unwrap(), process, database }
    }

    /// Where its database is, if it is on PostgreSQL.
    pub(crate) fn database_url(&self) -> Option<String> {
        self.database.as_ref().map(PostgresDatabase::url)
    }

    pub(crate) fn url(&self) -> &str {
        self.facts["url"].as_str().unwrap()
    }

    pub(crate) fn token(&self) -> &str {
        self.facts["token"].as_str().unwrap()
    }

    pub(crate) fn account(&self, connector: &str) -> &str {
        self.facts["accounts"][connector].as_str().unwrap()
    }

    /// One call on an account. `path` is what follows `/unified/`; an id in it must be encoded already.
    pub(crate) async fn call(&self, connector: &str, verb: &str, path: &str, body: &Value) -> Answer {
        self.call_with(connector, verb, path, body, &[]).await
    }

    pub(crate) async fn call_with(
        &self,
        connector: &str,
        verb: &str,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mark = if path.contains('?') { '&' } else { '?' };
        let account = self.account(connector);
        let path = format!("/unified/{path}{mark}integrated_account_id={account}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(verb, &path, body.as_bytes(), headers).await
    }

    /// Anything, with the demo's token.
    pub(crate) async fn send(&self, verb: &str, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {}", self.token());
        let headers: Vec<_> = headers.iter().copied().chain([("authorization", bearer.as_str())]).collect();
        let http = http::request(verb, &format!("{}{path}", self.url()), &headers, body).await.unwrap();
        Answer {
            status: http.status,
            outcome: http.header("koine-outcome").map(ToOwned::to_owned),
            body: http.json().unwrap_or(Value::Null),
            http,
        }
    }

    /// Every record of a list, page by page; panics when a record comes twice.
    pub(crate) async fn all(&self, connector: &str, path: &str) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        let mut cursor = String::new();
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let page =
                self.call(connector, "GET", &format!("{path}{mark}next_cursor={cursor}"), &Value::Null).await;
            assert_eq!(page.status, 200, "{page:?}");
            for record in page.body["result"].as_array().unwrap() {
                assert!(!all.iter().any(|known| known["id"] == record["id"]), "twice: {record}");
                all.push(record.clone());
            }
            match page.body["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return all,
            }
        }
    }

    /// Arms a fault of the sandbox.
    pub(crate) async fn fault(&self, fault: &Value) {
        let (status, answer) = http::post_json(&self.sandbox("/_sandbox/faults"), &[], fault).await.unwrap();
        assert_eq!(status, 200, "{answer}");
    }

    /// How many such requests reached the vendor (lost ones do not).
    pub(crate) async fn reached(&self, connector: &str, verb: &str, path: &str) -> usize {
        let seen = self.seen(connector).await;
        let fits = |entry: &&Value| {
            entry["method"] == verb
                && entry["path"].as_str().unwrap().starts_with(path)
                && !entry["status"].is_null()
        };
        seen.iter().filter(fits).count()
    }

    /// All requests that the vendor saw.
    pub(crate) async fn seen(&self, connector: &str) -> Vec<Value> {
        let url = self.sandbox(&format!("/_sandbox/requests?vendor={connector}"));
        let (_, seen) = http::get_json(&url, &[]).await.unwrap();
        seen.as_array().unwrap().clone()
    }

    /// What the vendor holds.
    pub(crate) async fn state(&self, connector: &str, collection: &str) -> Vec<Value> {
        let url = self.sandbox(&format!("/_sandbox/state/{connector}/{collection}"));
        let (status, records) = http::get_json(&url, &[]).await.unwrap();
        assert_eq!(status, 200, "{records}");
        records.as_array().unwrap().clone()
    }

    pub(crate) fn sandbox(&self, path: &str) -> String {
        format!("{}{path}", self.facts["sandbox_url"].as_str().unwrap())
    }

    /// The id of the person with this e-mail at a vendor whose list shows e-mails.
    pub(crate) async fn id_of(&self, connector: &str, path: &str, email: &str) -> String {
        let all = self.all(connector, path).await;
        let found = all.iter().find(|record| record["emails"][0]["email"] == json!(email));
        found.unwrap()["id"].as_str().unwrap().to_owned()
    }
}
