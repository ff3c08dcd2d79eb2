//! What the databases' own migrations have in common.

use sqlx::migrate::{MigrateError, Migrator};

use crate::StoreError;

/// One step of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its number; the same in every database.
    pub version: i64,
    /// What it is about. A newer Koine's is not known here.
    pub name: Option<String>,
    /// What it does to this database. A newer Koine's is not known here.
    pub sql: Option<String>,
    /// Whether it was applied.
    pub applied: bool,
}

/// This build's migrations and those that the database says it has, in order.
pub(crate) fn compare(migrator: &Migrator, applied: &[i64]) -> Vec<Migration> {
    let known = migrator.iter().map(|migration| Migration {
        version: migration.version,
        name: Some(migration.description.to_string()),
        sql: Some(migration.sql.as_str().to_owned()),
        applied: applied.contains(&migration.version),
    });
    let unknown = applied.iter().filter(|version| !migrator.version_exists(**version));
    let unknown =
        unknown.map(|version| Migration { version: *version, name: None, sql: None, applied: true });
    let mut all: Vec<_> = known.chain(unknown).collect();
    all.sort_by_key(|migration| migration.version);
    all
}

/// Tells a schema that a newer Koine made from a failure.
pub(crate) fn failed(migrator: &Migrator, error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(found) => StoreError::NewerSchema { found, known: newest(migrator) },
        other => StoreError::database(other),
    }
}

/// The schema that this build makes.
pub(crate) fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|migration| migration.version).max().unwrap_or_default()
}
