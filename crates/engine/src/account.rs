//! Stage 2: which connection the call is about.

use std::sync::{Arc, OnceLock};

use koine_connector::Connector;
use koine_connector::authorize::{self, Authorized};
use koine_connector::compiled::CredentialKind;
use koine_model::{CredentialFields, Credentials, Error, ErrorCode};
use koine_store::Account;
use koine_upstream::Hosts;
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use crate::options::Options;
use crate::shown::Secrets;
use crate::{Caller, Engine, error};

/// An account with its connector, and what follows from the two.
pub(crate) struct Connection {
    /// Without its context, which is in `fields`.
    pub account: Account,
    pub connector: Arc<Connector>,
    fields: CredentialFields,
    secrets: Secrets,
    access: OnceLock<Access>,
}

/// Where an account's requests go, and what makes them authentic.
pub(crate) struct Access {
    pub base: Url,
    pub hosts: Hosts,
    /// `None` where a token has to be fetched.
    pub ready: Option<Credentials>,
}

impl Connection {
    pub(crate) fn new(mut account: Account, connector: Arc<Connector>) -> Self {
        let kind = connector.credentials.get(&account.authentication_method);
        let fields = match (kind, account.context.take()) {
            (Some(kind), Value::Object(given)) => fields(kind, given),
            (Some(kind), _) => fields(kind, Map::new()),
            (None, _) => CredentialFields::default(),
        };
        let secret = fields.secret().iter().filter_map(|name| fields.all().get(name)?.as_str());
        let secrets = Secrets::of(secret);
        Self { account, connector, fields, secrets, access: OnceLock::new() }
    }

    /// What must not be seen of the fields.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub(crate) fn credentials(&self) -> Result<&CredentialKind, Error> {
        self.connector.credentials.get(&self.account.authentication_method).ok_or_else(|| {
            Error::new(
                ErrorCode::Conflict,
                format!(
                    "account {} was connected with `{}`, which {} no longer offers; connect it again",
                    self.account.id, self.account.authentication_method, self.connector.label
                ),
            )
        })
    }

    /// Credential fields, defaults filled in; none where the connector does not offer this kind any more.
    pub(crate) fn fields(&self) -> &CredentialFields {
        &self.fields
    }

    /// Worked out when it is first needed. `operator` is the address that takes the place of the vendor's own; it is
    /// the same for all calls.
    pub(crate) fn access(&self, operator: Option<&Url>) -> Result<&Access, Error> {
        if let Some(access) = self.access.get() {
            return Ok(access);
        }
        let context = self.fields.all();
        let base = koine_connector::plan::base_url(&self.connector, context, operator);
        let base = base.map_err(|failure| error::from_failure(self, failure, None))?;
        let kind = self.credentials()?;
        let hosts = authorize::hosts(&self.connector, context, &base);
        let hosts = Hosts::new(hosts.map_err(|problem| self.incomplete(&problem))?);
        let ready = match authorize::authorize(kind, context).map_err(|problem| self.incomplete(&problem))? {
            Authorized::Ready(credentials) => Some(credentials),
            Authorized::Login(_) => None,
        };
        Ok(self.access.get_or_init(|| Access { base, hosts, ready }))
    }

    fn incomplete(&self, problem: &dyn std::fmt::Display) -> Error {
        Error::invalid(format!("account {} is not complete: {problem}", self.account.id))
    }
}

/// What the customer gave over the defaults. What the connector does not know is taken for a secret.
pub(crate) fn fields(kind: &CredentialKind, given: Map<String, Value>) -> CredentialFields {
    let is_secret = |name: &&String| kind.fields.get(*name).is_none_or(|field| field.secret);
    let secret = given.keys().filter(is_secret).cloned().collect();
    let defaults =
        kind.fields.iter().filter_map(|(name, field)| Some((name.clone(), field.default.clone()?)));
    let mut all: Map<String, Value> = defaults.collect();
    all.extend(given);
    CredentialFields::new(all, secret)
}

pub(crate) async fn connect(
    engine: &Engine,
    caller: &Caller,
    options: &Options,
) -> Result<Arc<Connection>, Error> {
    let id = options
        .account
        .or(caller.own_account)
        .ok_or_else(|| Error::invalid("`integrated_account_id` is required"))?;
    connect_to(engine, caller, id).await
}

/// The account of this id, if the caller may use it.
pub(crate) async fn connect_to(engine: &Engine, caller: &Caller, id: Uuid) -> Result<Arc<Connection>, Error> {
    let missing = || Engine::no_account(id);
    if !caller.may_use(id) {
        return Err(missing());
    }
    let (store, key) = (&engine.parts.store, (caller.environment_id, id));
    let version = store.version().await;
    if let Some(connection) = engine.memory.known.connection(version, key) {
        return Ok(connection);
    }
    let account = store.get_account(caller.environment_id, id).await.map_err(Error::internal)?;
    let account = account.ok_or_else(missing)?;
    let connector = engine.parts.catalogue.connector(&account.connector).cloned();
    let connector = connector.ok_or_else(|| {
        Error::not_found(format!(
            "account {id} needs the connector `{}`, which is not installed",
            account.connector
        ))
    })?;
    let connection = Arc::new(Connection::new(account, connector));
    engine.memory.known.keep_connection(version, key, &connection);
    Ok(connection)
}
