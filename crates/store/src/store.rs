//! The one interface to durable state.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Account, AccountChange, AccountFilter, Actor, Administration, ApiToken, Archive, Begun, CallRow,
    Environment, ExchangeRow, Finish, Leases, LinkTokens, NewAccount, NewCall, NewToken, Nodes, Oauth,
    OpenIntent, StoreError, Webhooks,
};

/// How soon a change by another process on the same database is noticed. One by this process is noticed at once.
pub const NOTICED_WITHIN: Duration = Duration::from_millis(50);

/// Durable state. Every write is on disk when its method returns. Every method may fail with
/// [`StoreError::Database`]; those that read sealed columns, with [`StoreError::Corrupt`].
#[async_trait]
pub trait Store: Administration + Archive + Leases + LinkTokens + Nodes + Oauth + Webhooks + 'static {
    /// As [`Administration::create_environment_by`], by the operator.
    async fn create_environment(&self, name: &str) -> Result<Environment, StoreError> {
        self.create_environment_by(name, &Actor::operator()).await
    }
    /// All environments, oldest first.
    async fn list_environments(&self) -> Result<Vec<Environment>, StoreError>;
    /// The environment with this id.
    async fn get_environment(&self, id: Uuid) -> Result<Option<Environment>, StoreError>;
    /// The environment with this name.
    async fn find_environment(&self, name: &str) -> Result<Option<Environment>, StoreError>;

    /// As [`Administration::create_token_by`], by the operator.
    async fn create_token(&self, token: NewToken) -> Result<(ApiToken, String), StoreError> {
        self.create_token_by(token, &Actor::operator()).await
    }
    /// The token with this secret; `None` when unknown, revoked or expired.
    async fn find_token(&self, secret: &str) -> Result<Option<ApiToken>, StoreError>;
    /// The tokens of one environment, or of all, oldest first, with revoked and expired ones, without those of accounts.
    async fn list_tokens(&self, environment_id: Option<Uuid>) -> Result<Vec<ApiToken>, StoreError>;
    /// As [`Administration::revoke_token_by`], by the operator.
    async fn revoke_token(&self, id: Uuid) -> Result<bool, StoreError> {
        self.revoke_token_by(None, id, &Actor::operator()).await
    }

    /// Creates an account in status `active`. [`StoreError::NotFound`] without the environment.
    async fn create_account(&self, account: NewAccount) -> Result<Account, StoreError>;
    /// The account, if it exists in this environment.
    async fn get_account(&self, environment_id: Uuid, id: Uuid) -> Result<Option<Account>, StoreError>;
    /// At most `limit` accounts of the environment, oldest first, from behind the account `after`.
    async fn list_accounts(
        &self,
        environment_id: Uuid,
        filter: AccountFilter,
        limit: u32,
        after: Option<Uuid>,
    ) -> Result<Vec<Account>, StoreError>;
    /// Changes an account in one step and returns it; `None` when this environment has none with that id, or when
    /// [`AccountChange::only_from`] does not hold.
    async fn update_account(
        &self,
        environment_id: Uuid,
        id: Uuid,
        change: AccountChange,
    ) -> Result<Option<Account>, StoreError>;
    /// Deletes an account and its credentials; its journal stays. `false` when there was none.
    async fn delete_account(&self, environment_id: Uuid, id: Uuid) -> Result<bool, StoreError>;

    /// Enters a write call into the journal, or says why its idempotency key forbids it; atomic.
    /// Keys count for 24 hours. [`StoreError::Conflict`] when the call's id is taken.
    async fn begin_call(&self, call: NewCall) -> Result<Begun, StoreError>;
    /// Notes whom an open call is about, where its caller named them otherwise than by id.
    /// [`StoreError::Conflict`] when the call is finished or was released.
    async fn name_target(&self, call_id: Uuid, target_id: &str) -> Result<(), StoreError>;
    /// Notes that a destructive request is about to leave; do not send before this returned `Ok`.
    /// Again for the same step, it renews the digest and keeps the first snapshot.
    /// [`StoreError::Conflict`] when the call is finished or was released, or its node's lease is over: nothing may be
    /// sent for it then, for another node settles it.
    async fn record_intent(
        &self,
        call_id: Uuid,
        step: &str,
        request_digest: &str,
        target: Option<&Value>,
    ) -> Result<(), StoreError>;
    /// Notes one exchange with the vendor. [`StoreError::Conflict`] when its `seq` is taken.
    async fn record_exchange(&self, call_id: Uuid, exchange: ExchangeRow) -> Result<(), StoreError>;
    /// Closes a call and stores, or releases, its idempotency key; atomic.
    /// [`StoreError::Conflict`] when it is finished already: the first to settle wins.
    async fn finish_call(&self, call_id: Uuid, finish: Finish) -> Result<(), StoreError>;
    /// Abandoned calls with an intent, oldest first; see [`Nodes`].
    async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError>;
    /// Gives up abandoned calls that have no intent, with their keys, and returns how many.
    async fn release_unstarted_calls(&self) -> Result<u64, StoreError>;
    /// Whether the journal shows that this id once existed: an outcome other than `refused`, or an intent of a
    /// call that was refused or has no end. A call that ended without an outcome found nothing and proves
    /// nothing. Ask before recording the present call's intent.
    async fn was_attempted(
        &self,
        environment_id: Uuid,
        account_id: Uuid,
        model: &str,
        resource: &str,
        target_id: &str,
    ) -> Result<bool, StoreError>;
    /// The call with its exchanges, if it belongs to this environment.
    async fn call(&self, environment_id: Uuid, call_id: Uuid) -> Result<Option<CallRow>, StoreError>;
    /// The latest `limit` calls of the environment with their exchanges, newest first.
    async fn list_calls(&self, environment_id: Uuid, limit: u32) -> Result<Vec<CallRow>, StoreError>;

    /// While it stays the same, the tokens and accounts that were read still are as they were; ask before reading
    /// them. `None` when that cannot be told: then nothing may be kept. Other processes' changes count within
    /// [`NOTICED_WITHIN`]; anything that they write may change it.
    async fn version(&self) -> Option<u64>;

    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;
    /// Waits for running statements and closes the database; later calls fail.
    async fn close(&self);
}
