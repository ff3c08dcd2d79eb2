//! What a database's own migrations have in common.

use sqlx::migrate::{MigrateError, Migrator};

use crate::StoreError;

/// Tells a schema that a newer Koine made from a failure.
pub(crate) fn failed(migrator: &Migrator, error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(found) => StoreError::NewerSchema { found, known: newest(migrator) },
        other => StoreError::database(other),
    }
}

/// The schema that this build makes.
fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|migration| migration.version).max().unwrap_or_default()
}
