//! What can go wrong with durable state.

use std::error::Error;

/// Why the store could not do what it was asked. No variant carries a secret or a connection password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Something of that name or id exists already, or the row is no longer in a state that allows the change.
    #[error("conflict: {what}")]
    Conflict {
        /// What collided, without its secret parts.
        what: String,
    },
    /// A row that the operation builds on does not exist.
    #[error("not found: {what}")]
    NotFound {
        /// The kind and id of what is missing.
        what: String,
    },
    /// A value cannot be stored as given.
    #[error("invalid value: {what}")]
    Invalid {
        /// The value's name and what is wrong with it.
        what: String,
    },
    /// The database was created under another master key.
    #[error("this database belongs to another master key; start with the key that it was created with")]
    WrongKey,
    /// The place that the master key comes from gave none.
    #[error("{why}")]
    KeySource {
        /// What went wrong, without the key.
        why: String,
    },
    /// The URL's scheme names a backend that this build does not have.
    #[error(
        "database URLs with the scheme '{scheme}' are not supported; use sqlite://PATH, sqlite::memory: or postgres://USER@HOST/DATABASE"
    )]
    UnsupportedUrl {
        /// The scheme alone: the rest of a URL may hold a password.
        scheme: String,
    },
    /// A newer Koine has migrated the database.
    #[error(
        "the database has schema {found} and this koine knows schemas up to {known}: run the koine that migrated it, or a newer one; an older one needs a database from before, such as a backup"
    )]
    NewerSchema {
        /// A migration that was applied and is not known.
        found: i64,
        /// The newest one that is.
        known: i64,
    },
    /// The database server does not answer, or does not let us in.
    #[error("cannot connect to the database {place}")]
    Unreachable {
        /// Host, port and database.
        place: String,
        /// Why not.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The database failed or refused.
    #[error("the database failed")]
    Database(#[source] Box<dyn Error + Send + Sync>),
    /// Stored data cannot be read back: damaged, altered or moved between rows.
    #[error("stored data is damaged or was altered: {what}")]
    Corrupt {
        /// Table, column and row.
        what: String,
    },
    /// An exported file does not open with the key given.
    #[error(
        "the file does not open: the passphrase or master key is another one, or its beginning is damaged"
    )]
    ExportKey,
    /// A file cannot be written or read.
    #[error("the file cannot be written or read")]
    File(#[source] std::io::Error),
    /// The text given as master key is not one.
    #[error("the master key is not 32 bytes in base64; generate one with `koine key generate`")]
    BadKey,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::database(error)
    }
}

impl StoreError {
    pub(crate) fn database(source: impl Error + Send + Sync + 'static) -> Self {
        Self::Database(Box::new(source))
    }

    pub(crate) fn file(source: std::io::Error) -> Self {
        Self::File(source)
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }

    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    pub(crate) fn conflict(what: impl Into<String>) -> Self {
        Self::Conflict { what: what.into() }
    }
}
