//! Whether an account's credentials work, as calls find out: `needs_reauth` when they do not, `active` when they do again.

use koine_model::{Error, Secret};
use koine_store::{Account, AccountChange};
use koine_upstream::TokenError;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::account::{Connection, connect_to};
use crate::login::AccountLogin;
use crate::{Caller, Engine, error, events, grant};

/// The account works, as far as anybody knows.
const ACTIVE: &str = "active";
/// Its credentials do not; its owner has to connect it again.
pub(crate) const NEEDS_REAUTH: &str = "needs_reauth";

impl Engine {
    /// Renews an account's token now, whether or not it is time.
    ///
    /// # Errors
    /// Credentials that have nothing to renew, or that the vendor does not accept any more.
    pub async fn refresh_credentials(&self, caller: &Caller, id: Uuid) -> Result<Value, Error> {
        let connection = connect_to(self, caller, id).await?;
        let base = self.parts.base_urls.base(&connection.connector.name);
        let access = connection.access(base)?;
        let Some(mut login) = AccountLogin::new(self, &connection, access, base.is_some())? else {
            return Err(Error::invalid(format!("account {id} has credentials that do not expire")));
        };
        login.insists = true;
        let label = &connection.connector.label;
        match self.renewed(&login).await {
            Ok(()) => {
                self.recovered(&connection).await;
                Ok(json!({"success": true}))
            }
            Err(error) => {
                self.login_refused(&connection, &error).await;
                Err(error::login_failed(label, &error))
            }
        }
    }

    /// One token more, whatever is known.
    async fn renewed(&self, login: &AccountLogin) -> Result<(), TokenError> {
        let (upstream, key) = (&self.parts.upstream, login.key());
        let is_grant = login.rule().grant().is_some();
        let old = match is_grant {
            true => grant::known(login).await?.access_token(),
            false => Some(upstream.token(&key, login, login.hosts()).await?.value),
        };
        if let Some(old) = old {
            login.refuse(&old);
            upstream.forget_token(&key, &old);
        }
        let new = upstream.token(&key, login, login.hosts()).await?.value;
        // What this node kept may be older than what another one has stored.
        if is_grant && grant::known(login).await?.access_token().is_some_and(|stored| stored != new) {
            upstream.forget_token(&key, &new);
            upstream.token(&key, login, login.hosts()).await?;
        }
        Ok(())
    }

    /// The access token in force of an account that has one of a grant.
    pub(crate) async fn access_token(&self, connection: &Connection) -> Result<Option<Secret>, Error> {
        if connection.credentials()?.grant().is_none() {
            return Ok(None);
        }
        let base = self.parts.base_urls.base(&connection.connector.name);
        let access = connection.access(base)?;
        let Some(login) = AccountLogin::new(self, connection, access, base.is_some())? else {
            return Ok(None);
        };
        match self.parts.upstream.token(&login.key(), &login, login.hosts()).await {
            Ok(token) => Ok(Some(token.value)),
            Err(error) => {
                self.login_refused(connection, &error).await;
                Err(error::login_failed(&connection.connector.label, &error))
            }
        }
    }

    /// The vendor does not accept the account's credentials.
    pub(crate) async fn refused(&self, connection: &Connection, why: String) {
        // What is known of it may be old, but then in the store it is not `active`.
        if connection.account.status == NEEDS_REAUTH {
            return;
        }
        let change = AccountChange {
            status: Some(NEEDS_REAUTH.to_owned()),
            last_error: Some(Some(connection.secrets().redacted_text(&why))),
            only_from: Some(ACTIVE.to_owned()),
            ..AccountChange::default()
        };
        self.change(connection, change, events::ACCOUNT_AUTHENTICATION_ERROR).await;
    }

    /// The token endpoint gave no token; only where it meant it, something is wrong with the account.
    pub(crate) async fn login_refused(&self, connection: &Connection, error: &TokenError) {
        if let TokenError::Refused { body, .. } = error
            && error.is_final()
        {
            let label = &connection.connector.label;
            let is_grant = connection.credentials().is_ok_and(|kind| kind.grant().is_some());
            let why = match is_grant {
                true => {
                    format!("{label} does not take the grant any more; connect the account again ({body})")
                }
                false => format!("{label} did not accept the login: {body}"),
            };
            self.refused(connection, why).await;
        }
    }

    /// The vendor accepted the account's credentials.
    pub(crate) async fn recovered(&self, connection: &Connection) {
        if connection.account.status != NEEDS_REAUTH {
            return;
        }
        let change = AccountChange {
            status: Some(ACTIVE.to_owned()),
            last_error: Some(None),
            only_from: Some(NEEDS_REAUTH.to_owned()),
            ..AccountChange::default()
        };
        self.change(connection, change, events::ACCOUNT_REACTIVATED).await;
    }

    /// Of several who see the same, one changes the account. A failure to do so fails no call: the next one tries again.
    async fn change(&self, connection: &Connection, change: AccountChange, event: &'static str) {
        let Account { environment_id, id, .. } = connection.account;
        match self.change_account(environment_id, id, change, &[event]).await {
            Ok(Some(_)) => tracing::info!(account.id = %id, event, "account"),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(account.id = %id, error = ?error.cause, "the account's status could not be changed");
            }
        }
    }
}
