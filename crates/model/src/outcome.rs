//! What a method that changes a person's access does, and what became of it.

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
    /// The user can sign in again: what takes a deactivation back.
    Reactivates,
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
            "reactivates" => Self::Reactivates,
            _ => return None,
        })
    }

    /// The outcome of a call whose effect was achieved.
    #[must_use]
    pub fn achieved(self) -> Outcome {
        match self {
            Self::Deactivates => Outcome::Deactivated,
            Self::Reactivates => Outcome::Reactivated,
            Self::Deletes | Self::RemovesMembership | Self::Anonymises => Outcome::Removed,
        }
    }
}

/// What became of a removal or a reactivation: the value of the header `Koine-Outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Gone, by reading back (or by the vendor's word when read-back was turned off).
    Removed,
    /// Disabled, which is all the vendor can do or all that was asked.
    Deactivated,
    /// Able to sign in, whether or not it was before.
    Reactivated,
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
            Self::Reactivated => "reactivated",
            Self::AlreadyGone => "already_gone",
            Self::Pending => "pending",
            Self::Uncertain => "uncertain",
            Self::Refused => "refused",
        }
    }
}
