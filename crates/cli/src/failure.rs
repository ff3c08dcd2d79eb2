//! What ends a command early, and the exit code that says so.

use koine_model::{Error, ErrorCode, Outcome};
use koine_store::StoreError;

/// A message for people and a code for scripts: 1 failure, 2 usage, 3 not found, 4 refused, 5 uncertain.
#[derive(Debug)]
pub(crate) struct Failure {
    pub message: String,
    pub code: u8,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 2 }
    }

    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 3 }
    }

    pub(crate) fn store(error: StoreError) -> Self {
        match error {
            // What is wrong with a setting.
            StoreError::KeySource { why } => Self::usage(why),
            other => Self::caused(&other),
        }
    }

    /// A failure that tells its whole chain of causes.
    pub(crate) fn caused(error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            message = format!("{message}: {inner}");
            cause = inner.source();
        }
        Self::other(message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match (error.outcome, error.code) {
            (Some(Outcome::Uncertain), _) | (_, ErrorCode::Uncertain) => 5,
            (Some(Outcome::Refused), _) | (_, ErrorCode::Conflict) => 4,
            (_, ErrorCode::NotFound) => 3,
            (_, ErrorCode::InvalidRequest | ErrorCode::MissingParameter) => 2,
            _ => 1,
        };
        let cause = error.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
        Self { message: format!("{}{cause}", error.message), code }
    }
}
