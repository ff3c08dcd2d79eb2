//! OAuth apps, consents under way, and the tokens that became of them.

use async_trait::async_trait;
use serde_json::Value;
use uuid::Uuid;

use crate::{Authorization, NewAuthorization, NewOauthApp, OauthApp, StoreError, StoredGrant};

/// The part of [`Store`](crate::Store) for OAuth 2.
#[async_trait]
pub trait Oauth: Send + Sync {
    /// Sets the environment's app for a connector, in place of an earlier one. [`StoreError::NotFound`] without the
    /// environment.
    async fn set_oauth_app(&self, app: NewOauthApp) -> Result<OauthApp, StoreError>;
    /// The environment's app for this connector.
    async fn find_oauth_app(
        &self,
        environment_id: Uuid,
        connector: &str,
    ) -> Result<Option<OauthApp>, StoreError>;
    /// The environment's apps, by connector.
    async fn list_oauth_apps(&self, environment_id: Uuid) -> Result<Vec<OauthApp>, StoreError>;
    /// Forgets the environment's app for this connector; `false` when there is none.
    async fn remove_oauth_app(&self, environment_id: Uuid, connector: &str) -> Result<bool, StoreError>;

    /// Keeps what a consent is about while the browser is away, and forgets those that took too long.
    async fn begin_authorization(&self, authorization: NewAuthorization) -> Result<(), StoreError>;
    /// What the consent with this state is about, once: to the browser that was sent out, and to the connector it was
    /// sent out for. `None` for any other, for one that was taken before, and when its time is over.
    async fn take_authorization(
        &self,
        connector: &str,
        state: &str,
        browser: &str,
    ) -> Result<Option<Authorization>, StoreError>;

    /// The tokens of an account of this environment.
    async fn find_grant(
        &self,
        environment_id: Uuid,
        account_id: Uuid,
    ) -> Result<Option<StoredGrant>, StoreError>;
    /// Sets the tokens of an account, whatever they were; `false` when this environment has no such account.
    async fn set_grant(
        &self,
        environment_id: Uuid,
        account_id: Uuid,
        content: &Value,
    ) -> Result<bool, StoreError>;
    /// Replaces the tokens of an account if they still have this version (`None`: if there are none); `false` when
    /// somebody else was faster, or the account is gone.
    async fn replace_grant(
        &self,
        environment_id: Uuid,
        account_id: Uuid,
        version: Option<Uuid>,
        content: &Value,
    ) -> Result<bool, StoreError>;
}
