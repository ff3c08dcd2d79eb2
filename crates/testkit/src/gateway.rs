//! `koine serve` as its users run it: settings in the environment, a folder of its own, the command line beside it.

use std::io::Result;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::http::{self, Answer};
use crate::{KoineProcess, PostgresDatabase};

/// 32 bytes of zero in base64: a key for tests only.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A running gateway with data of its own. It is killed when dropped.
#[derive(Debug)]
pub struct Gateway {
    binary: String,
    url: String,
    process: KoineProcess,
    env: Vec<(String, String)>,
    folder: TempDir,
    // After the process, which is connected to it.
    database: Option<PostgresDatabase>,
}

impl Gateway {
    /// Starts `binary` (`env!("CARGO_BIN_EXE_koine")`) on a free port of loopback; `settings` are variables over the
    /// usual ones.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(binary: &str, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let data = folder.path().to_str().expect("temporary folders are text");
        let mut env = vec![
            own("KOINE_DATA_DIR", data),
            own("KOINE_MASTER_KEY", KEY),
            own("KOINE_LISTEN", "127.0.0.1:0"),
        ];
        let has_own =
            settings.iter().any(|(name, _)| ["KOINE_DATABASE_URL", "KOINE_DATA_DIR"].contains(name));
        let database = if has_own { None } else { PostgresDatabase::of_this_run() };
        env.extend(database.iter().map(|database| own("KOINE_DATABASE_URL", &database.url())));
        env.extend(settings.iter().map(|(name, value)| own(name, value)));
        let (process, url) = serve(binary, &env).await;
        Self { binary: binary.to_owned(), url, process, env, folder, database }
    }

    /// Another server on the same machine and database, which must outlive it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn beside(&self) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (process, url) = serve(&self.binary, &self.env).await;
        Self { binary: self.binary.clone(), url, process, env: self.env.clone(), folder, database: None }
    }

    /// Another server on the same database, which must be a server's too, with a folder of its own.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn elsewhere(&self) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().to_str().expect("temporary folders are text");
        let mut env = self.env.clone();
        env.push(("KOINE_DATA_DIR".to_owned(), data.to_owned()));
        let (process, url) = serve(&self.binary, &env).await;
        Self { binary: self.binary.clone(), url, process, env, folder, database: None }
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// All that is in its database, when that is not a file among its data.
    pub fn database_dump(&self) -> Option<String> {
        self.database.as_ref().map(PostgresDatabase::dump)
    }

    /// The master key, as its settings hold it.
    pub fn master_key(&self) -> &str {
        KEY
    }

    /// The id of the process.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The process.
    pub fn process(&mut self) -> &mut KoineProcess {
        &mut self.process
    }

    /// Starts again on the same data, after it ended.
    pub async fn restart(&mut self) {
        (self.process, self.url) = serve(&self.binary, &self.env).await;
    }

    /// Runs a command of the same installation that prints JSON.
    ///
    /// # Panics
    /// When it fails, with what it wrote.
    pub async fn admin(&self, args: &[&str]) -> Value {
        let args = [args, &["-o", "json"]].concat();
        let mut process = start(&self.binary, &args, &self.env);
        let status = process.end().await.expect("the operating system knows about our own child");
        assert!(status.success(), "{args:?}: {}", process.stderr());
        serde_json::from_str(&process.stdout()).expect("`-o json` prints JSON")
    }

    /// A new token, with further arguments of `token create`.
    ///
    /// # Panics
    /// When there is none.
    pub async fn token(&self, args: &[&str]) -> String {
        let made = self.admin(&[&["token", "create", "--name", "test"], args].concat()).await;
        made["token"].as_str().expect("a token is text").to_owned()
    }

    /// One request with a token; an empty one sends none.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn send(
        &self,
        token: &str,
        verb: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer> {
        let bearer = format!("Bearer {token}");
        let own = (!token.is_empty()).then_some(("authorization", bearer.as_str()));
        let headers: Vec<_> = headers.iter().copied().chain(own).collect();
        http::request(verb, &format!("{}{path}", self.url), &headers, body).await
    }
}

fn start(binary: &str, args: &[&str], env: &[(String, String)]) -> KoineProcess {
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    KoineProcess::start(binary, args, &env).expect("the binary can be started")
}

async fn serve(binary: &str, env: &[(String, String)]) -> (KoineProcess, String) {
    let mut process = start(binary, &["serve"], env);
    let line = process.line("listening on ").await;
    let url = line.split("listening on ").nth(1).unwrap_or_default().trim().to_owned();
    (process, url)
}
