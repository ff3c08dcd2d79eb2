//! How an account's token is obtained: the connector builds and reads, the store keeps what replaces the old.

use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_lc_rs::digest;
use koine_connector::authorize::host_of;
use koine_connector::compiled::{Login as Rule, Proof};
use koine_connector::login::LoginError;
use koine_model::{Credentials, Error, Request, Response, Secret};
use koine_store::AccountChange;
use koine_upstream::{Hosts, Login, Token, TokenError};
use serde_json::Value;
use url::Url;

use crate::account::{Access, Connection};
use crate::{Engine, base_urls};

/// One account's way to a token.
pub(crate) struct AccountLogin<'a> {
    engine: &'a Engine,
    connection: &'a Connection,
    rule: &'a Rule,
    endpoint: Url,
    /// The account's and the token endpoint's: nothing but logins goes there.
    hosts: Hosts,
}

impl<'a> AccountLogin<'a> {
    /// `overridden` says whether it was the operator who said where the account's requests go.
    pub(crate) fn new(
        engine: &'a Engine,
        connection: &'a Connection,
        rule: &'a Rule,
        access: &Access,
        overridden: bool,
    ) -> Result<Self, Error> {
        let (context, base) = (connection.fields().all(), &access.base);
        let endpoint = rule.endpoint(context, base).map_err(|error| unusable(connection, &error))?;
        let endpoint = moved(engine, connection, endpoint, context, base, overridden);
        let hosts = access.hosts.with(host_of(&endpoint));
        Ok(Self { engine, connection, rule, endpoint, hosts })
    }

    fn context(&self) -> &Value {
        self.connection.fields().all()
    }

    /// Where the login may go.
    pub(crate) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Whether requests see something of the answer.
    pub(crate) fn keeps(&self) -> bool {
        !self.rule.keep.is_empty()
    }

    /// What the token is kept under: other credentials are another login, a replaced refresh token is not.
    pub(crate) fn key(&self) -> String {
        let mut context = self.context().clone();
        if let (Proof::RefreshToken { field, .. }, Some(map)) = (&self.rule.proof, context.as_object_mut()) {
            map.shift_remove(field);
        }
        let hash = digest::digest(&digest::SHA256, context.to_string().as_bytes());
        format!("{}/{:?}", self.connection.account.id, hash.as_ref())
    }

    pub(crate) fn header(&self, token: &Secret) -> Result<(String, Secret), TokenError> {
        self.rule.header(token, self.context()).map_err(|error| failed(&error))
    }

    /// The stored account, because another call may have replaced the refresh token since this one began.
    async fn stored_context(&self) -> Result<Value, TokenError> {
        let account = &self.connection.account;
        let stored = self.engine.parts.store.get_account(account.environment_id, account.id).await;
        let stored = stored.map_err(|error| TokenError::Lost(error.to_string()))?;
        let stored = stored.ok_or_else(|| TokenError::Unusable("the account is gone".to_owned()))?;
        let mut context = self.context().clone();
        if let (Some(context), Some(stored)) = (context.as_object_mut(), stored.context.as_object()) {
            context.extend(stored.clone());
        }
        Ok(context)
    }

    async fn keep_refresh_token(&self, field: &str, token: &Secret) -> Result<(), TokenError> {
        let mut context = self.stored_context().await?;
        context[field] = Value::String(token.expose().to_owned());
        let account = &self.connection.account;
        let change = AccountChange { context: Some(context), ..AccountChange::default() };
        let store = &self.engine.parts.store;
        match store.update_account(account.environment_id, account.id, change).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(TokenError::Unusable("the account is gone".to_owned())),
            Err(error) => {
                Err(TokenError::Lost(format!("the new refresh token could not be stored: {error}")))
            }
        }
    }
}

#[async_trait]
impl Login for AccountLogin<'_> {
    async fn request(&self) -> Result<(Request, Credentials), TokenError> {
        let replaceable = matches!(self.rule.proof, Proof::RefreshToken { .. });
        let context = if replaceable { self.stored_context().await? } else { self.context().clone() };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.rule.request(&context, &self.endpoint, now).map_err(|error| failed(&error))
    }

    async fn read(&self, response: &Response) -> Result<Token, TokenError> {
        let obtained = self.rule.read(response, self.context(), self.connection.fields().secret());
        let obtained = obtained.map_err(|error| match error {
            LoginError::Refused(body) => TokenError::Refused { status: response.status, body },
            LoginError::Unreadable => TokenError::Lost(error.to_string()),
            other => failed(&other),
        })?;
        if let (Proof::RefreshToken { field, .. }, Some(token)) = (&self.rule.proof, &obtained.refresh_token)
        {
            self.keep_refresh_token(field, token).await?;
        }
        Ok(Token { value: obtained.token, lifetime: obtained.lifetime, kept: obtained.kept })
    }
}

fn failed(error: &LoginError) -> TokenError {
    TokenError::Unusable(error.to_string())
}

fn unusable(connection: &Connection, error: &LoginError) -> Error {
    Error::invalid(format!("account {} is not complete: {error}", connection.account.id))
}

/// An endpoint that the operator named moves as they said; one under the vendor's base URL moves with it.
fn moved(
    engine: &Engine,
    connection: &Connection,
    endpoint: Url,
    context: &Value,
    base: &Url,
    overridden: bool,
) -> Url {
    if let Some(named) = engine.parts.base_urls.moved(&connection.connector.name, &endpoint) {
        return named;
    }
    let vendor = connection.connector.base_url.render(context, &|value| Ok(value.to_owned()));
    let vendor = vendor.ok().and_then(|text| Url::parse(&text).ok()).filter(|_| overridden);
    vendor.and_then(|vendor| base_urls::relocated(&endpoint, &vendor, base)).unwrap_or(endpoint)
}
