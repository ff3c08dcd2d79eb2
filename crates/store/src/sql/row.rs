//! Columns into Rust types, and broken rules into conflicts.

use sqlx::Row;
use uuid::Uuid;

use super::DbRow;
use crate::StoreError;

/// Names the conflict when `error` is a broken uniqueness rule.
pub(super) fn unique(error: sqlx::Error, what: impl FnOnce() -> String) -> StoreError {
    match error.as_database_error() {
        Some(database) if database.is_unique_violation() => StoreError::conflict(what()),
        _ => error.into(),
    }
}

/// What a vendor says may hold a character that PostgreSQL cannot store; the outcome beside it must not get lost.
pub(super) fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

pub(super) fn text(row: &DbRow, column: &str) -> Result<String, StoreError> {
    Ok(row.try_get(column)?)
}

pub(super) fn optional_text(row: &DbRow, column: &str) -> Result<Option<String>, StoreError> {
    Ok(row.try_get(column)?)
}

pub(super) fn id(row: &DbRow, column: &str) -> Result<Uuid, StoreError> {
    parse_id(column, &text(row, column)?)
}

pub(super) fn optional_id(row: &DbRow, column: &str) -> Result<Option<Uuid>, StoreError> {
    optional_text(row, column)?.map(|text| parse_id(column, &text)).transpose()
}

/// A whole number; both databases keep them in 64 bits with a sign.
pub(super) fn number<N: TryFrom<i64>>(row: &DbRow, column: &str) -> Result<N, StoreError> {
    narrow(column, row.try_get(column)?)
}

pub(super) fn optional_number<N: TryFrom<i64>>(row: &DbRow, column: &str) -> Result<Option<N>, StoreError> {
    row.try_get::<Option<i64>, _>(column)?.map(|number| narrow(column, number)).transpose()
}

fn narrow<N: TryFrom<i64>>(column: &str, number: i64) -> Result<N, StoreError> {
    N::try_from(number).map_err(|_| StoreError::corrupt(format!("{column} is out of range")))
}

fn parse_id(column: &str, text: &str) -> Result<Uuid, StoreError> {
    Uuid::try_parse(text).map_err(|_| StoreError::corrupt(format!("{column} is not a UUID")))
}
