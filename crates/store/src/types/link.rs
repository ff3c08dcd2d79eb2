//! Link tokens. `Debug` never prints a context: it holds credentials.

use std::fmt;

use serde_json::Value;
use uuid::Uuid;

use super::Redacted;
use super::account::Account;

/// A link token to create.
#[derive(Clone)]
pub struct NewLinkToken {
    /// The environment that the account belongs to.
    pub environment_id: Uuid,
    /// Whose account is to be made.
    pub tenant_id: Option<String>,
    /// The account to connect again, in place of a new one.
    pub account_id: Option<Uuid>,
    /// Whatever else was asked for. Stored readable: never put a secret here.
    pub options: Value,
    /// Credential fields that the customer is not asked for; sealed at rest.
    pub context: Value,
}

impl fmt::Debug for NewLinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewLinkToken")
            .field("environment_id", &self.environment_id)
            .field("tenant_id", &self.tenant_id)
            .field("account_id", &self.account_id)
            .field("options", &self.options)
            .field("context", &Redacted)
            .finish()
    }
}

/// A browser that opened a link, with what the link is for.
#[derive(Clone, PartialEq)]
pub struct LinkSession {
    /// Its id.
    pub id: Uuid,
    /// The link's id.
    pub link_id: Uuid,
    /// As [`NewLinkToken::environment_id`].
    pub environment_id: Uuid,
    /// As [`NewLinkToken::tenant_id`].
    pub tenant_id: Option<String>,
    /// As [`NewLinkToken::account_id`].
    pub account_id: Option<Uuid>,
    /// As [`NewLinkToken::options`].
    pub link_options: Value,
    /// As [`NewLinkToken::context`].
    pub context: Value,
    /// What the address of the page asked for.
    pub options: Value,
    /// Whether another browser used the link up.
    pub is_used_elsewhere: bool,
    /// The account that this session saved.
    pub saved_account_id: Option<Uuid>,
}

impl fmt::Debug for LinkSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkSession")
            .field("id", &self.id)
            .field("link_id", &self.link_id)
            .field("environment_id", &self.environment_id)
            .field("tenant_id", &self.tenant_id)
            .field("account_id", &self.account_id)
            .field("link_options", &self.link_options)
            .field("context", &Redacted)
            .field("options", &self.options)
            .field("is_used_elsewhere", &self.is_used_elsewhere)
            .field("saved_account_id", &self.saved_account_id)
            .finish()
    }
}

/// Credentials that a customer gave.
#[derive(Clone)]
pub struct LinkedAccount {
    /// The connector's name; that of the account to connect again, if there is one.
    pub connector: String,
    /// Which of the connector's authentication methods the credentials are for.
    pub authentication_method: String,
    /// The whole context; sealed at rest.
    pub context: Value,
    /// What becomes of the account's grant.
    pub grant: GrantChange,
}

/// What becomes of a grant when its account is connected again. `Debug` never prints it.
#[derive(Clone)]
pub enum GrantChange {
    /// It stays.
    Keep,
    /// It goes: it was for other credentials.
    Drop,
    /// This takes its place; sealed at rest.
    Set(Value),
}

impl fmt::Debug for GrantChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "Keep",
            Self::Drop => "Drop",
            Self::Set(_) => "Set([redacted])",
        })
    }
}

impl fmt::Debug for LinkedAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkedAccount")
            .field("connector", &self.connector)
            .field("authentication_method", &self.authentication_method)
            .field("context", &Redacted)
            .field("grant", &self.grant)
            .finish()
    }
}

/// What became of [`LinkedAccount`].
#[derive(Clone, Debug, PartialEq)]
pub enum Linked {
    /// A new account, in status `connecting`.
    Created(Account),
    /// An account that was there before, in status `connecting` again.
    Updated(Account),
    /// The link or the session is over, was used up by another browser, or too many tries were made.
    Spent,
    /// The account is gone, of another connector, or was connected by this session already.
    Settled,
}
