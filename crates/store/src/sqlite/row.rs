//! Columns into Rust types, and sqlx errors into ours.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::StoreError;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::database(error)
    }
}

/// Names the conflict when `error` is a broken uniqueness rule.
pub(super) fn unique(error: sqlx::Error, what: impl FnOnce() -> String) -> StoreError {
    match error.as_database_error() {
        Some(database) if database.is_unique_violation() => StoreError::conflict(what()),
        _ => error.into(),
    }
}

pub(super) fn text(row: &SqliteRow, column: &str) -> Result<String, StoreError> {
    Ok(row.try_get(column)?)
}

pub(super) fn optional_text(row: &SqliteRow, column: &str) -> Result<Option<String>, StoreError> {
    Ok(row.try_get(column)?)
}

pub(super) fn id(row: &SqliteRow, column: &str) -> Result<Uuid, StoreError> {
    parse_id(column, &text(row, column)?)
}

pub(super) fn optional_id(row: &SqliteRow, column: &str) -> Result<Option<Uuid>, StoreError> {
    optional_text(row, column)?.map(|text| parse_id(column, &text)).transpose()
}

fn parse_id(column: &str, text: &str) -> Result<Uuid, StoreError> {
    Uuid::try_parse(text).map_err(|_| StoreError::corrupt(format!("{column} is not a UUID")))
}
