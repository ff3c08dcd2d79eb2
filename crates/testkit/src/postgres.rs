//! Databases on the PostgreSQL that `tools/postgres` (and so `./test`) started.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use url::Url;

/// Names the server; its user may create databases.
const SERVER: &str = "KOINE_TEST_POSTGRES_URL";
/// `postgres`: tests of gateways that do not choose a database themselves get one on PostgreSQL, and not SQLite.
const CHOICE: &str = "KOINE_TEST_DATABASE";

/// An empty database, dropped with this value.
#[derive(Debug)]
pub struct PostgresDatabase {
    server: Url,
    name: String,
}

impl PostgresDatabase {
    /// Whether there is a server; where there is none, a word on stderr says what takes one.
    #[expect(clippy::print_stderr, reason = "the test's own output says why it did nothing")]
    pub fn is_available() -> bool {
        let is_available = std::env::var_os(SERVER).is_some();
        if !is_available {
            eprintln!("skipped: {SERVER} is not set; run the tests through tools/postgres");
        }
        is_available
    }

    /// A new one; `None`, with a word on stderr, where there is no server.
    ///
    /// # Panics
    /// When there is one and it makes no database.
    pub fn create() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if !Self::is_available() {
            return None;
        }
        let server = std::env::var_os(SERVER)?;
        let server = server.into_string().expect("the server's URL is text");
        let server = Url::parse(&server).expect("the server's URL is one");
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("koine_{}_{}_{count}", std::process::id(), since.as_micros());
        let database = Self { server, name };
        database.on_server(&format!("CREATE DATABASE {}", database.name));
        Some(database)
    }

    /// A new one for a test that runs on either database, when this run of the tests is the one on PostgreSQL.
    ///
    /// # Panics
    /// When it is, and there is no server.
    pub fn of_this_run() -> Option<Self> {
        let chosen = std::env::var_os(CHOICE).is_some_and(|choice| choice == "postgres");
        chosen.then(|| Self::create().expect("a run on PostgreSQL goes through tools/postgres"))
    }

    /// Where it is, for `KOINE_DATABASE_URL`.
    pub fn url(&self) -> String {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        url.into()
    }

    /// Where it is by TCP, with a password, and the file of the authority that signed its server's certificate. The
    /// certificate is for the name `localhost`; the URL says nothing about TLS.
    ///
    /// # Panics
    /// When the server was not started by `tools/postgres`.
    pub fn by_tcp(&self) -> (Url, String) {
        let variable =
            |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is set by tools/postgres"));
        let mut url = Url::parse(&variable("KOINE_TEST_POSTGRES_TLS_URL")).expect("the server's URL is one");
        url.set_path(&self.name);
        (url, variable("KOINE_TEST_POSTGRES_CA"))
    }

    /// Runs SQL in it, behind the store's back, and gives what `psql` prints: values without headings.
    ///
    /// # Panics
    /// When it fails.
    pub fn run(&self, sql: &str) -> String {
        psql(&self.url(), sql)
    }

    /// All it holds, as SQL; binary values are in hexadecimal.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn dump(&self) -> String {
        let mut command = Command::new("pg_dump");
        output(command.args(["--inserts", "--dbname", &self.url()]))
    }

    fn on_server(&self, sql: &str) {
        psql(self.server.as_str(), sql);
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        // During a panic another one would hide it; the whole server goes when the tests are over.
        if !std::thread::panicking() {
            self.on_server(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

/// Runs each function on both databases, as tests of these names: with `None` for SQLite, and with a database on
/// PostgreSQL where there is one.
#[macro_export]
macro_rules! on_each_database {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(None).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                if let Some(database) = $crate::PostgresDatabase::create() {
                    super::$test(Some(database)).await;
                }
            })+
        }
    };
}

fn psql(url: &str, sql: &str) -> String {
    let options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"];
    output(Command::new("psql").args(options).args(["--command", sql, "--dbname", url]))
}

fn output(command: &mut Command) -> String {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("PostgreSQL speaks UTF-8")
}
