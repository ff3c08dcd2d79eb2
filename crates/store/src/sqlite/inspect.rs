//! What is in the file, and who else can read it.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::{Duration, SystemTime};

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::connect::MIGRATIONS;
use crate::{Inspection, StoreError, migrations};

/// What the times of files may differ from the clock.
const SKEW: Duration = Duration::from_secs(5);

/// Looks at the file, if there is one.
pub(crate) async fn inspect(url: &str) -> Result<Inspection, StoreError> {
    let options = SqliteConnectOptions::from_str(url)?.busy_timeout(Duration::from_secs(2));
    let file = options.get_filename().to_owned();
    let mut found = Inspection {
        server: "SQLite".to_owned(),
        newest: migrations::newest(&MIGRATIONS),
        file: Some(file.clone()),
        ..Inspection::default()
    };
    if !file.exists() {
        return Ok(found);
    }
    found.hazards.extend(written_in_the_future(&file));
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut connection).await?;
    found.server = format!("SQLite {version}");
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'")
        .fetch_one(&mut connection)
        .await?;
    if known > 0 {
        let newest = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success");
        found.schema = newest.fetch_one(&mut connection).await?;
    }
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut connection).await?;
    if found.schema.is_some() && mode != "wal" {
        found.hazards.push(format!("its journal mode is {mode}, not wal: reading waits for writing"));
    }
    match sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await {
        Ok(_) => {
            sqlx::query("ROLLBACK").execute(&mut connection).await?;
        }
        Err(error) => found.unwritable = Some(error.to_string()),
    }
    connection.close().await?;
    found.hazards.extend(exposed(&file));
    Ok(found)
}

/// The file and those that SQLite keeps beside it.
fn files(file: &Path) -> impl Iterator<Item = (PathBuf, std::fs::Metadata)> {
    ["", "-wal", "-shm"].into_iter().filter_map(move |end| {
        let mut path = file.as_os_str().to_owned();
        path.push(end);
        let metadata = std::fs::metadata(&path).ok()?;
        Some((path.into(), metadata))
    })
}

/// A file has no clock of its own, but knows a time that is over.
fn written_in_the_future(file: &Path) -> Option<String> {
    let times = files(file).filter_map(|(_, metadata)| metadata.modified().ok());
    let ahead = times.max()?.duration_since(SystemTime::now()).ok().filter(|ahead| *ahead > SKEW)?;
    Some(format!(
        "it was last written {} seconds from now: the clock of this machine was set back, so run NTP",
        ahead.as_secs()
    ))
}

/// The files that others can read.
#[cfg(unix)]
fn exposed(file: &Path) -> Vec<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let modes = files(file).map(|(path, metadata)| (path, metadata.permissions().mode() & 0o777));
    let wide = modes.filter(|(_, mode)| mode & 0o077 != 0);
    wide.map(|(path, mode)| {
        let path = path.display();
        format!("{path} has mode {mode:o}: others than its owner may read it; chmod 0600 {path}")
    })
    .collect()
}

#[cfg(not(unix))]
fn exposed(_: &Path) -> Vec<String> {
    Vec::new()
}
