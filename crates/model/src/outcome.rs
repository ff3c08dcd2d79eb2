//! What a removal does, and what became of it.

use serde::{Deserialize, Serialize};

/// What a destructive method does at the vendor when it succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The user no longer exists there, or no longer belongs to the account.
    Deletes,
    /// The user exists but can no longer sign in.
    Deactivates,
    /// One membership ends; the user stays.
    RemovesMembership,
    /// Personal data is wiped, a husk stays.
    Anonymises,
}

impl Effect {
    /// Reads the word that a connector writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "deletes" => Self::Deletes,
            "deactivates" => Self::Deactivates,
            "removes_membership" => Self::RemovesMembership,
            "anonymises" => Self::Anonymises,
            _ => return None,
        })
    }

    /// The outcome of a call whose effect was achieved.
    #[must_use]
    pub fn achieved(self) -> Outcome {
        match self {
            Self::Deactivates => Outcome::Deactivated,
            Self::Deletes | Self::RemovesMembership | Self::Anonymises => Outcome::Removed,
        }
    }
}

/// What became of a removal: the value of the header `Koine-Outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Gone, by reading back (or by the vendor's word when read-back was turned off).
    Removed,
    /// Disabled, which is all the vendor can do or all that was asked.
    Deactivated,
    /// It did not exist when we came, and there is evidence that it once did.
    AlreadyGone,
    /// The vendor accepted and still works on it.
    Pending,
    /// An answer was lost and reading could not settle it.
    Uncertain,
    /// The vendor or a guard said no; nothing was changed.
    Refused,
}

impl Outcome {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Deactivated => "deactivated",
            Self::AlreadyGone => "already_gone",
            Self::Pending => "pending",
            Self::Uncertain => "uncertain",
            Self::Refused => "refused",
        }
    }
}
