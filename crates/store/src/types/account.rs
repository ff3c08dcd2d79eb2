//! Integrated accounts. `Debug` never prints a context: it holds credentials.

use std::fmt;

use serde_json::Value;
use uuid::Uuid;

use super::Redacted;

/// One connection of one tenant to one vendor.
#[derive(Clone, PartialEq)]
pub struct Account {
    /// Its id; ids grow with time of creation.
    pub id: Uuid,
    /// The environment it belongs to.
    pub environment_id: Uuid,
    /// The customer's customer.
    pub tenant_id: String,
    /// The connector's name.
    pub connector: String,
    /// `connecting`, `active`, `needs_reauth`, …; a new account is `active`.
    pub status: String,
    /// Which of the connector's authentication methods its credentials are for.
    pub authentication_method: String,
    /// Credentials and settings, decrypted.
    pub context: Value,
    /// Why the last call or refresh failed.
    pub last_error: Option<String>,
    /// When it was created.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("environment_id", &self.environment_id)
            .field("tenant_id", &self.tenant_id)
            .field("connector", &self.connector)
            .field("status", &self.status)
            .field("authentication_method", &self.authentication_method)
            .field("context", &Redacted)
            .field("last_error", &self.last_error)
            .field("created_at", &self.created_at)
            .field("updated_at", &self.updated_at)
            .finish()
    }
}

/// An account to create.
#[derive(Clone)]
pub struct NewAccount {
    /// The environment it belongs to.
    pub environment_id: Uuid,
    /// The customer's customer.
    pub tenant_id: String,
    /// The connector's name.
    pub connector: String,
    /// Which of the connector's authentication methods its credentials are for.
    pub authentication_method: String,
    /// Credentials and settings; sealed at rest.
    pub context: Value,
}

impl fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount")
            .field("environment_id", &self.environment_id)
            .field("tenant_id", &self.tenant_id)
            .field("connector", &self.connector)
            .field("authentication_method", &self.authentication_method)
            .field("context", &Redacted)
            .finish()
    }
}

/// Which accounts to list; `None` is any.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// Only this tenant's.
    pub tenant_id: Option<String>,
    /// Only this connector's.
    pub connector: Option<String>,
    /// Only those in this status.
    pub status: Option<String>,
}

/// What to change in an account; `None` leaves it as it is.
#[derive(Clone, Default)]
pub struct AccountChange {
    /// The whole new context.
    pub context: Option<Value>,
    /// The new tenant.
    pub tenant_id: Option<String>,
    /// The new status.
    pub status: Option<String>,
    /// The new last error; `Some(None)` clears it.
    pub last_error: Option<Option<String>>,
    /// Only an account that is in this status when it is changed; any, when left out.
    pub only_from: Option<String>,
}

impl fmt::Debug for AccountChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountChange")
            .field("context", &self.context.as_ref().map(|_| Redacted))
            .field("tenant_id", &self.tenant_id)
            .field("status", &self.status)
            .field("last_error", &self.last_error)
            .field("only_from", &self.only_from)
            .finish()
    }
}
