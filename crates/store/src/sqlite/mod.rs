//! The SQLite backend: one writing connection, several reading ones, WAL with `synchronous = FULL`.

mod accounts;
mod audit;
mod changes;
mod connect;
mod environments;
mod finish;
mod journal;
mod journal_read;
mod leases;
mod row;
mod tokens;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use serde_json::Value;
use sqlx::SqlitePool;
use uuid::Uuid;

use crate::vault::DataKey;
use crate::{
    Account, AccountChange, AccountFilter, ApiToken, AuditEntry, AuditRecord, Begun, CallRow, Environment,
    ExchangeRow, Finish, NewAccount, NewCall, NewToken, OpenIntent, Store, StoreError, Vault,
};

/// [`Store`] over one SQLite file.
///
/// Where both pools are one connection (in memory), waiting for a second one would wait for ever: methods take the
/// data key before they begin a transaction.
pub(crate) struct SqliteStore {
    write: SqlitePool,
    read: SqlitePool,
    vault: Vault,
    /// Unwrapped data keys. A data key never changes, so nothing here goes stale.
    data_keys: RwLock<HashMap<Uuid, Arc<DataKey>>>,
    /// What callers may keep of what they read.
    changes: changes::Changes,
}

impl SqliteStore {
    pub(crate) async fn open(url: &str, vault: Vault) -> Result<Self, StoreError> {
        let connect::Pools { write, read, watch } = connect::connect(url).await?;
        connect::check_master_key(&write, &vault).await?;
        let changes = changes::Changes::new(watch).await?;
        Ok(Self { write, read, vault, data_keys: RwLock::default(), changes })
    }

    /// The environment's data key, unwrapped once per process.
    async fn data_key(&self, environment: Uuid) -> Result<Arc<DataKey>, StoreError> {
        let known = self.data_keys.read().unwrap_or_else(PoisonError::into_inner).get(&environment).cloned();
        if let Some(key) = known {
            return Ok(key);
        }
        let wrapped: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT data_key_sealed FROM environments WHERE id = ?1")
                .bind(environment.to_string())
                .fetch_optional(&self.read)
                .await?;
        let wrapped = wrapped.ok_or_else(|| StoreError::not_found(format!("environment {environment}")))?;
        let key = Arc::new(self.vault.data_key(environment, &wrapped)?);
        let mut keys = self.data_keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(environment, Arc::clone(&key));
        Ok(key)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn create_environment(&self, name: &str) -> Result<Environment, StoreError> {
        environments::create(self, name).await
    }

    async fn list_environments(&self) -> Result<Vec<Environment>, StoreError> {
        environments::list(self).await
    }

    async fn get_environment(&self, id: Uuid) -> Result<Option<Environment>, StoreError> {
        environments::get(self, id).await
    }

    async fn find_environment(&self, name: &str) -> Result<Option<Environment>, StoreError> {
        environments::find(self, name).await
    }

    async fn create_token(&self, token: NewToken) -> Result<(ApiToken, String), StoreError> {
        tokens::create(self, token).await
    }

    async fn find_token(&self, secret: &str) -> Result<Option<ApiToken>, StoreError> {
        tokens::find(self, secret).await
    }

    async fn list_tokens(&self, environment_id: Option<Uuid>) -> Result<Vec<ApiToken>, StoreError> {
        tokens::list(self, environment_id).await
    }

    async fn revoke_token(&self, id: Uuid) -> Result<bool, StoreError> {
        let _changed = self.changes.change();
        tokens::revoke(self, id).await
    }

    async fn create_account(&self, account: NewAccount) -> Result<Account, StoreError> {
        accounts::create(self, account).await
    }

    async fn get_account(&self, environment_id: Uuid, id: Uuid) -> Result<Option<Account>, StoreError> {
        accounts::get(self, environment_id, id).await
    }

    async fn list_accounts(
        &self,
        environment_id: Uuid,
        filter: AccountFilter,
        limit: u32,
        after: Option<Uuid>,
    ) -> Result<Vec<Account>, StoreError> {
        accounts::list(self, environment_id, filter, limit, after).await
    }

    async fn update_account(
        &self,
        environment_id: Uuid,
        id: Uuid,
        change: AccountChange,
    ) -> Result<Option<Account>, StoreError> {
        let _changed = self.changes.change();
        accounts::update(self, environment_id, id, change).await
    }

    async fn delete_account(&self, environment_id: Uuid, id: Uuid) -> Result<bool, StoreError> {
        let _changed = self.changes.change();
        accounts::delete(self, environment_id, id).await
    }

    async fn begin_call(&self, call: NewCall) -> Result<Begun, StoreError> {
        journal::begin(self, &call).await
    }

    async fn name_target(&self, call_id: Uuid, target_id: &str) -> Result<(), StoreError> {
        journal::name_target(self, call_id, target_id).await
    }

    async fn record_intent(
        &self,
        call_id: Uuid,
        step: &str,
        request_digest: &str,
        target: Option<&Value>,
    ) -> Result<(), StoreError> {
        journal::record_intent(self, call_id, step, request_digest, target).await
    }

    async fn record_exchange(&self, call_id: Uuid, exchange: ExchangeRow) -> Result<(), StoreError> {
        journal::record_exchange(self, call_id, exchange).await
    }

    async fn finish_call(&self, call_id: Uuid, finish: Finish) -> Result<(), StoreError> {
        finish::finish(self, call_id, finish).await
    }

    async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        journal_read::open_intents(self).await
    }

    async fn release_unstarted_calls(&self) -> Result<u64, StoreError> {
        finish::release_unstarted(self).await
    }

    async fn was_attempted(
        &self,
        environment_id: Uuid,
        account_id: Uuid,
        model: &str,
        resource: &str,
        target_id: &str,
    ) -> Result<bool, StoreError> {
        journal_read::was_attempted(self, environment_id, account_id, model, resource, target_id).await
    }

    async fn call(&self, environment_id: Uuid, call_id: Uuid) -> Result<Option<CallRow>, StoreError> {
        journal_read::call(self, environment_id, call_id).await
    }

    async fn list_calls(&self, environment_id: Uuid, limit: u32) -> Result<Vec<CallRow>, StoreError> {
        journal_read::list(self, environment_id, limit).await
    }

    async fn audit(&self, entry: AuditEntry) -> Result<(), StoreError> {
        audit::record(self, entry).await
    }

    async fn list_audit(&self, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        audit::list(self, limit).await
    }

    async fn version(&self) -> Option<u64> {
        self.changes.version().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.read).await?;
        Ok(())
    }

    async fn close(&self) {
        self.changes.close().await;
        self.read.close().await;
        self.write.close().await;
    }
}
