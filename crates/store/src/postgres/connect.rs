//! Connecting: the URL, the pool, what every connection must be set to, migrations.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{Connection as _, Executor as _};

use super::Changes;
use crate::StoreError;
use crate::migrations::{Migration, compare, failed};

/// Connections of one node. Statements are short, so a few serve many calls.
const CONNECTIONS: u32 = 16;
/// How long a call waits for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the URL's query may hold: all that sqlx understands. It passes over what it does not know, and with a
/// mistyped `sslmode` that would be too quiet.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "statement-cache-capacity",
];

/// Whatever the server, the role or the database sets by default: a commit is durable when it is confirmed, and a
/// statement sees what was committed before it, as this crate's transactions expect.
const SESSION: &str = "SELECT set_config('synchronous_commit', 'on', false)
     WHERE current_setting('synchronous_commit') IN ('off', 'false', 'no', '0');
     SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED";

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// An open database; readers and writers share its connections.
pub(super) struct Opened {
    pub(super) write: PgPool,
    pub(super) read: PgPool,
    pub(super) changes: Changes,
}

pub(super) async fn connect(url: &str) -> Result<Opened, StoreError> {
    let options = options(url)?;
    apply(&options).await?;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection, _| Box::pin(async move { connection.execute(SESSION).await.map(drop) }))
        .connect_with(options.clone())
        .await?;
    let changes = Changes::new(options).await?;
    Ok(Opened { write: pool.clone(), read: pool, changes })
}

/// By hand before there is a pool: that one would go on trying, and then say no more than that it took too long.
async fn reach(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    PgConnection::connect_with(options).await.map_err(|error| unreachable(options, error))
}

async fn apply(options: &PgConnectOptions) -> Result<(), StoreError> {
    let mut connection = reach(options).await?;
    MIGRATIONS.run(&mut connection).await.map_err(|error| failed(&MIGRATIONS, error))?;
    Ok(connection.close().await?)
}

/// As [`crate::migrations`].
pub(crate) async fn migrations(url: &str) -> Result<Vec<Migration>, StoreError> {
    let mut connection = reach(&options(url)?).await?;
    let has_any: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut connection)
        .await?;
    let applied: Vec<i64> = match has_any {
        true => sqlx::query_scalar("SELECT version FROM _sqlx_migrations").fetch_all(&mut connection).await?,
        false => Vec::new(),
    };
    connection.close().await?;
    Ok(compare(&MIGRATIONS, &applied))
}

/// As [`crate::migrate`].
pub(crate) async fn migrate(url: &str) -> Result<(), StoreError> {
    apply(&options(url)?).await
}

/// One connection, as it is before anything is set.
pub(super) async fn first(url: &str) -> Result<PgConnection, StoreError> {
    reach(&options(url)?).await
}

pub(super) fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let name = part.split('=').next().unwrap_or(part);
        if !PARAMETERS.contains(&name) && !name.starts_with("options") {
            let what =
                format!("the database URL's parameter '{name}' is not one of {}", PARAMETERS.join(", "));
            return Err(StoreError::Invalid { what });
        }
    }
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| StoreError::Invalid { what: format!("the database URL cannot be read: {error}") })?;
    // As libpq has it: who names authorities wants the server held against them. Ours would only encrypt.
    let asks_them = query.contains("sslmode=require") && query.contains("sslrootcert=");
    let options = if asks_them { options.ssl_mode(PgSslMode::VerifyCa) } else { options };
    Ok(match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("koine"),
    })
}

/// Names the place, never the password.
fn unreachable(options: &PgConnectOptions, error: sqlx::Error) -> StoreError {
    let host = options.get_socket().map_or(options.get_host().to_owned(), |path| path.display().to_string());
    let database = options.get_database().unwrap_or(options.get_username());
    StoreError::Unreachable {
        place: format!("{host}:{}/{database}", options.get_port()),
        source: Box::new(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_parameter_is_named_and_nothing_else_of_the_url() {
        let refused =
            options("postgres://koine:hunter2@db.example.com/koine?sslmod=require&password=hunter2");
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("'sslmod'") && message.contains("sslmode,"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn urls_are_read_as_libpq_reads_them() {
        let read = options("postgres://koine:hunter2@db.example.com:6432/state?sslmode=verify-full").unwrap();
        assert_eq!(
            (read.get_host(), read.get_port(), read.get_database()),
            ("db.example.com", 6432, Some("state"))
        );
        assert!(matches!(read.get_ssl_mode(), PgSslMode::VerifyFull));
        let mode = |query| options(&format!("postgres://koine@db/koine?{query}")).unwrap().get_ssl_mode();
        assert!(matches!(mode("sslmode=require"), PgSslMode::Require));
        assert!(matches!(mode("sslmode=require&sslrootcert=/ca.pem"), PgSslMode::VerifyCa));
        for wrong in
            ["postgres://koine:hunter2@db:port/koine", "postgres://koine:hunter2@db/koine?sslmode=maybe"]
        {
            let refused = options(wrong).unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{refused:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let refused =
            connect(&format!("postgres://koine:hunter2@127.0.0.1:{port}/koine")).await.err().unwrap();
        assert_eq!(refused.to_string(), format!("cannot connect to the database 127.0.0.1:{port}/koine"));
        assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
    }
}
