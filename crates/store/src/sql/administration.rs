//! [`Administration`] over a database.

use async_trait::async_trait;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{SqlStore, audit, environments, keys, managed_accounts, tokens};
use crate::{
    Account, AccountChange, Actor, Administration, Announce, ApiToken, AuditCheck, AuditEntry, AuditFilter,
    AuditRecord, Environment, NewAccount, NewAccountToken, NewEvent, NewToken, Rotated, StoreError,
};

#[async_trait]
impl Administration for SqlStore {
    async fn create_environment_by(&self, name: &str, by: &Actor) -> Result<Environment, StoreError> {
        environments::create(self, name, by).await
    }

    async fn rename_environment(
        &self,
        id: Uuid,
        name: &str,
        by: &Actor,
    ) -> Result<Option<Environment>, StoreError> {
        environments::rename(self, id, name, by).await
    }

    async fn create_token_by(&self, token: NewToken, by: &Actor) -> Result<(ApiToken, String), StoreError> {
        tokens::create(self, token, by).await
    }

    async fn get_token(
        &self,
        environment_id: Option<Uuid>,
        id: Uuid,
    ) -> Result<Option<ApiToken>, StoreError> {
        tokens::get(self, environment_id, id).await
    }

    async fn rename_token(
        &self,
        environment_id: Option<Uuid>,
        id: Uuid,
        name: &str,
        by: &Actor,
    ) -> Result<Option<ApiToken>, StoreError> {
        tokens::rename(self, environment_id, id, name, by).await
    }

    async fn revoke_token_by(
        &self,
        environment_id: Option<Uuid>,
        id: Uuid,
        by: &Actor,
    ) -> Result<bool, StoreError> {
        let _changed = self.changes.change();
        tokens::revoke(self, environment_id, id, by).await
    }

    async fn issue_account_token(&self, token: NewAccountToken) -> Result<(ApiToken, String), StoreError> {
        tokens::issue(self, token).await
    }

    async fn note_token_use(&self, id: Uuid) -> Result<(), StoreError> {
        tokens::note_use(self, id).await
    }

    async fn create_account_by(
        &self,
        account: NewAccount,
        by: &Actor,
        announce: Announce<'_>,
    ) -> Result<Account, StoreError> {
        managed_accounts::create(self, account, by, announce).await
    }

    async fn update_account_by(
        &self,
        environment_id: Uuid,
        id: Uuid,
        change: AccountChange,
        by: &Actor,
        announce: Announce<'_>,
    ) -> Result<Option<Account>, StoreError> {
        let _changed = self.changes.change();
        managed_accounts::update(self, environment_id, id, change, by, announce).await
    }

    async fn delete_account_by(
        &self,
        environment_id: Uuid,
        id: Uuid,
        by: &Actor,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let _changed = self.changes.change();
        managed_accounts::delete(self, environment_id, id, by, events).await
    }

    async fn audit(&self, entry: AuditEntry) -> Result<(), StoreError> {
        audit::record(self, entry).await
    }

    async fn list_audit(
        &self,
        filter: AuditFilter,
        limit: u32,
        before: Option<i64>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        audit::list(self, filter, limit, before).await
    }

    async fn verify_audit(&self, expected: Option<String>) -> Result<AuditCheck, StoreError> {
        audit::verify(self, expected).await
    }

    async fn installation_key(&self, name: &str) -> Result<Zeroizing<String>, StoreError> {
        keys::installation_key(self, name).await
    }

    async fn rotate_master_key(&self, by: &Actor) -> Result<Rotated, StoreError> {
        keys::rotate(self, by).await
    }

    async fn notice_master_key(&self) -> Result<bool, StoreError> {
        keys::notice(self).await
    }

    async fn is_under_first_key(&self) -> Result<bool, StoreError> {
        keys::is_under_first(self).await
    }
}
