//! What administrators do: each change is written together with its entry in the audit log, in one transaction.

use async_trait::async_trait;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    Account, AccountChange, Actor, Announce, ApiToken, AuditCheck, AuditEntry, AuditFilter, AuditRecord,
    Environment, NewAccount, NewAccountToken, NewEvent, NewToken, Rotated, StoreError,
};

/// Environments, tokens and accounts as people change them, the audit log, and the keys of the installation.
#[async_trait]
pub trait Administration: Send + Sync + 'static {
    /// Creates an environment with its own data key. [`StoreError::Conflict`] when the name is taken.
    async fn create_environment_by(&self, name: &str, by: &Actor) -> Result<Environment, StoreError>;
    /// Renames an environment; `None` when there is none. [`StoreError::Conflict`] when the name is taken.
    async fn rename_environment(
        &self,
        id: Uuid,
        name: &str,
        by: &Actor,
    ) -> Result<Option<Environment>, StoreError>;

    /// Creates a token and returns its secret, which is shown once and cannot be had again.
    /// [`StoreError::NotFound`] without the environment, [`StoreError::Invalid`] for a bad `expires_at`.
    async fn create_token_by(&self, token: NewToken, by: &Actor) -> Result<(ApiToken, String), StoreError>;
    /// A token with this id, in force or not, of this environment or of any.
    async fn get_token(&self, environment_id: Option<Uuid>, id: Uuid)
    -> Result<Option<ApiToken>, StoreError>;
    /// Gives a token another name; `None` when there is none.
    async fn rename_token(
        &self,
        environment_id: Option<Uuid>,
        id: Uuid,
        name: &str,
        by: &Actor,
    ) -> Result<Option<ApiToken>, StoreError>;
    /// Revokes a token at once, with those issued with it; `false` when there is none or it was revoked before.
    async fn revoke_token_by(
        &self,
        environment_id: Option<Uuid>,
        id: Uuid,
        by: &Actor,
    ) -> Result<bool, StoreError>;
    /// Issues a token for one account only, and forgets those that have expired. Not in lists, and not in the audit
    /// log: it is used as its issuer is. [`StoreError::NotFound`] without the account.
    async fn issue_account_token(&self, token: NewAccountToken) -> Result<(ApiToken, String), StoreError>;
    /// Notes that a token is used now, unless that was noted less than a minute ago.
    async fn note_token_use(&self, id: Uuid) -> Result<(), StoreError>;

    /// As [`crate::Store::create_account`], with its events in the same transaction.
    async fn create_account_by(
        &self,
        account: NewAccount,
        by: &Actor,
        announce: Announce<'_>,
    ) -> Result<Account, StoreError>;
    /// As [`crate::Store::update_account`], with its events in the same transaction.
    async fn update_account_by(
        &self,
        environment_id: Uuid,
        id: Uuid,
        change: AccountChange,
        by: &Actor,
        announce: Announce<'_>,
    ) -> Result<Option<Account>, StoreError>;
    /// As [`crate::Store::delete_account`], with these events in the same transaction; none when there was no account.
    async fn delete_account_by(
        &self,
        environment_id: Uuid,
        id: Uuid,
        by: &Actor,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;

    /// Adds an entry to the audit log by itself: for a change that is not in this database.
    async fn audit(&self, entry: AuditEntry) -> Result<(), StoreError>;
    /// At most `limit` entries, newest first, from below the entry `before`.
    async fn list_audit(
        &self,
        filter: AuditFilter,
        limit: u32,
        before: Option<i64>,
    ) -> Result<Vec<AuditRecord>, StoreError>;
    /// Reads the whole log and says whether it is as it was written. `expected` is a head that an earlier check gave:
    /// without it, the end of the log can be cut off unnoticed by whoever may write the database.
    async fn verify_audit(&self, expected: Option<String>) -> Result<AuditCheck, StoreError>;

    /// A random key of the installation by its name, in base64, made when it is first asked for. It outlives changes of
    /// the master key, and is the same on all nodes.
    async fn installation_key(&self, name: &str) -> Result<Zeroizing<String>, StoreError>;
    /// Puts all data keys under the first of the vault's keys, in one transaction: before its end the database opens
    /// with the old key only, after it with the new one only. [`StoreError::WrongKey`] when none of the vault's keys
    /// opens the database now.
    async fn rotate_master_key(&self, by: &Actor) -> Result<Rotated, StoreError>;
    /// Looks whether the master key was changed by another process, and takes the new one from the vault's source.
    /// Gives whether it did. [`StoreError::WrongKey`] when the source has it not; what is open stays usable then.
    async fn notice_master_key(&self) -> Result<bool, StoreError>;
    /// Whether the database is under the first of the vault's keys.
    async fn is_under_first_key(&self) -> Result<bool, StoreError>;
}
