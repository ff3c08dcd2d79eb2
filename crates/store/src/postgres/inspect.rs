//! What the server says about itself and about our role.

use std::net::IpAddr;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};

use super::connect::{self, MIGRATIONS};
use crate::{Inspection, StoreError, migrations};

/// Looks at the server.
pub(crate) async fn inspect(url: &str) -> Result<Inspection, StoreError> {
    let options = connect::options(url)?;
    let mut connection = connect::first(url).await?;
    let is_encrypted: bool = sqlx::query_scalar(
        "SELECT coalesce(bool_or(ssl), false) FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    )
    .fetch_one(&mut connection)
    .await?;
    let version: String = sqlx::query_scalar("SHOW server_version").fetch_one(&mut connection).await?;
    let mut found = Inspection {
        server: format!("PostgreSQL {version}{}", if is_encrypted { " over TLS" } else { "" }),
        newest: migrations::newest(&MIGRATIONS),
        ..Inspection::default()
    };
    let known: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut connection)
        .await?;
    if known {
        let newest = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success");
        found.schema = newest.fetch_one(&mut connection).await?;
    }
    let may_create: bool = sqlx::query_scalar("SELECT has_schema_privilege(current_schema(), 'CREATE')")
        .fetch_one(&mut connection)
        .await?;
    let is_standby: bool =
        sqlx::query_scalar("SELECT pg_is_in_recovery()").fetch_one(&mut connection).await?;
    if is_standby {
        found.unwritable = Some("the server is a standby, which only reads".to_owned());
    } else if !may_create {
        found.unwritable = Some("the role may not create tables in its schema".to_owned());
    }
    let clock = sqlx::query_scalar("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint");
    found.clock = Some(clock.fetch_one(&mut connection).await?);
    found.hazards = hazards(&mut connection).await?;
    if !is_local(&options) {
        found.hazards.extend(on_the_way(is_encrypted, options.get_ssl_mode()));
    }
    connection.close().await?;
    Ok(found)
}

async fn hazards(connection: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let mut hazards = Vec::new();
    let encoding: String = sqlx::query_scalar("SHOW server_encoding").fetch_one(&mut *connection).await?;
    if encoding != "UTF8" {
        hazards.push(format!("its encoding is {encoding}, not UTF8: some names cannot be stored"));
    }
    let fsync: String = sqlx::query_scalar("SHOW fsync").fetch_one(connection).await?;
    if fsync != "on" {
        hazards.push("fsync is off: a crash of its machine can lose removals that were noted".to_owned());
    }
    Ok(hazards)
}

/// Whether the way to the server does not leave this machine.
fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let is_loopback = host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    options.get_socket().is_some() || host == "localhost" || is_loopback
}

/// What others could do between here and the server.
fn on_the_way(is_encrypted: bool, mode: PgSslMode) -> Option<String> {
    let advice = "add sslmode=verify-full to the database URL, and its authority to KOINE_EXTRA_CA_FILE";
    match mode {
        _ if !is_encrypted => {
            Some(format!("the connection is not encrypted: others on the way read along; {advice}"))
        }
        PgSslMode::VerifyFull => None,
        PgSslMode::VerifyCa => {
            Some(format!("any server with a certificate of the same authority is believed; {advice}"))
        }
        _ => Some(format!("nobody checks that the server is the one that is meant; {advice}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_verified_connection_to_elsewhere_passes() {
        let told = |encrypted, mode| on_the_way(encrypted, mode).unwrap_or_default();
        assert!(told(false, PgSslMode::Prefer).contains("not encrypted"));
        assert!(told(true, PgSslMode::Prefer).contains("nobody checks"));
        assert!(told(true, PgSslMode::Require).contains("nobody checks"));
        assert!(told(true, PgSslMode::VerifyCa).contains("same authority"));
        assert_eq!(told(true, PgSslMode::VerifyFull), "");
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        let local = |url| is_local(&connect::options(url).unwrap());
        for url in
            ["postgres://k@localhost/k", "postgres://k@127.0.0.1/k", "postgres://k@db/k?host=/run/postgresql"]
        {
            assert!(local(url), "{url}");
        }
        assert!(!local("postgres://k@db.example.com/k") && !local("postgres://k@10.0.0.5/k"));
    }
}
