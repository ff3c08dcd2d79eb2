//! [`Store`] over a database. This source is compiled once for each of them: the module that includes it says what
//! differs ([`Db`], [`connect`], [`Changes`], [`begin`], [`begin_reading`], [`lock_call`], [`columns`], [`schema`]).
//!
//! So a statement here is one that both understand: parameters are `$1`, upserts are `ON CONFLICT`, times come from
//! Rust as text. It must also hold where several write at once: what is checked is locked, or checked by the very
//! statement that writes.

/// SQL, true of an unfinished call that no living node runs; its argument is the parameter that holds the present.
macro_rules! abandoned {
    ($now:literal) => {
        concat!(
            "calls.finished_at IS NULL AND calls.released_at IS NULL
             AND (calls.node_id IS NULL
                  OR NOT EXISTS (SELECT 1 FROM leases
                                 WHERE leases.name = 'node/' || calls.node_id AND leases.expires_at > ",
            $now,
            "))"
        )
    };
}

mod accounts;
mod administration;
mod archive;
mod audit;
mod deliveries;
mod delivery_log;
mod environments;
mod events;
mod finish;
mod journal;
mod journal_read;
mod keys;
mod leases;
mod link_tokens;
mod managed_accounts;
mod nodes;
mod oauth;
mod row;
mod tokens;
mod webhooks;
mod webhooks_store;

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use serde_json::Value;
use sqlx::{Pool, QueryBuilder};
use uuid::Uuid;

use super::{Changes, Db, DbConnection, DbRow, begin, begin_reading, columns, connect, lock_call, schema};
use crate::vault::DataKey;
use crate::{
    Account, AccountChange, AccountFilter, ApiToken, Begun, CallRow, Environment, ExchangeRow, Finish,
    NewAccount, NewCall, OpenIntent, Store, StoreError, Vault,
};

/// [`Store`] over one database.
///
/// Where both pools are one, with few connections (in memory: one), whoever has a connection and waits for a second one
/// may wait for ever: methods take the data key before they begin a transaction.
pub(crate) struct SqlStore {
    write: Pool<Db>,
    read: Pool<Db>,
    vault: Vault,
    /// Unwrapped data keys. A data key never changes, so nothing here goes stale.
    data_keys: RwLock<HashMap<Uuid, Arc<DataKey>>>,
    /// What callers may keep of what they read.
    changes: Changes,
}

impl SqlStore {
    pub(crate) async fn open(url: &str, vault: Vault) -> Result<Self, StoreError> {
        let connect::Opened { write, read, changes } = connect::connect(url).await?;
        let store = Self { write, read, vault, data_keys: RwLock::default(), changes };
        keys::open(&store).await?;
        Ok(store)
    }

    /// The environment's data key, unwrapped once per process.
    async fn data_key(&self, environment: Uuid) -> Result<Arc<DataKey>, StoreError> {
        keys::data_key(self, environment).await
    }

    /// What a query finds in one environment, opened with its data key. Nobody needs the key when it finds nothing: the
    /// environment may not even exist.
    async fn opened<T>(
        &self,
        environment: Uuid,
        mut query: QueryBuilder<Db>,
        read: fn(&DbRow, &DataKey) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = query.build().fetch_all(&self.read).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let key = self.data_key(environment).await?;
        rows.iter().map(|row| read(row, &key)).collect()
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn list_environments(&self) -> Result<Vec<Environment>, StoreError> {
        environments::list(self).await
    }

    async fn get_environment(&self, id: Uuid) -> Result<Option<Environment>, StoreError> {
        environments::get(self, id).await
    }

    async fn find_environment(&self, name: &str) -> Result<Option<Environment>, StoreError> {
        environments::find(self, name).await
    }

    async fn find_token(&self, secret: &str) -> Result<Option<ApiToken>, StoreError> {
        tokens::find(self, secret).await
    }

    async fn list_tokens(&self, environment_id: Option<Uuid>) -> Result<Vec<ApiToken>, StoreError> {
        tokens::list(self, environment_id).await
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
        accounts::update(self, environment_id, id, change, &|_| Vec::new()).await
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
