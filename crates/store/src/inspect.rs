//! A look at a database that changes nothing: not its schema, and not whether it exists.

use std::path::PathBuf;

use crate::{StoreError, postgres, sqlite};

/// A database as it is.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    /// Product and version.
    pub server: String,
    /// Its file, where it is one.
    pub file: Option<PathBuf>,
    /// The newest migration in it; `None` when there is no database yet, or an empty one.
    pub schema: Option<i64>,
    /// The newest migration of this build.
    pub newest: i64,
    /// Why nothing can be written, if that is so.
    pub unwritable: Option<String>,
    /// What else is not as it should be, a sentence each.
    pub hazards: Vec<String>,
    /// Its clock, in milliseconds of Unix time; `None` when it has none of its own.
    pub clock: Option<i64>,
}

/// Looks at the database at `url`.
///
/// # Errors
/// As [`crate::open`]; a missing SQLite file is none.
pub async fn inspect(url: &str) -> Result<Inspection, StoreError> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => sqlite::inspect(url).await,
        Some("postgres" | "postgresql") => postgres::inspect(url).await,
        scheme => Err(StoreError::UnsupportedUrl { scheme: scheme.unwrap_or("(none)").to_owned() }),
    }
}
