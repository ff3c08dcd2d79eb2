//! Stage 2: which connection the call is about.

use std::sync::Arc;

use koine_connector::Connector;
use koine_connector::compiled::CredentialKind;
use koine_model::{Error, ErrorCode};
use koine_store::Account;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::options::Options;
use crate::{Caller, Engine};

/// An account with its connector.
pub(crate) struct Connection {
    pub account: Account,
    pub connector: Arc<Connector>,
}

impl Connection {
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

    /// Credential fields, defaults filled in.
    pub(crate) fn context(&self) -> Result<Map<String, Value>, Error> {
        let mut context = Map::new();
        for (name, field) in &self.credentials()?.fields {
            if let Some(value) = &field.default {
                context.insert(name.clone(), value.clone());
            }
        }
        context.extend(self.account.context.as_object().cloned().unwrap_or_default());
        Ok(context)
    }

    pub(crate) fn secret_fields(&self) -> Result<Vec<String>, Error> {
        let fields = &self.credentials()?.fields;
        let shown = |name: &String| fields.get(name).is_some_and(|field| !field.secret);
        let context = self.account.context.as_object();
        Ok(context.into_iter().flat_map(Map::keys).filter(|name| !shown(name)).cloned().collect())
    }
}

pub(crate) async fn connect(
    engine: &Engine,
    caller: &Caller,
    options: &Options,
) -> Result<Connection, Error> {
    let id = options.account.ok_or_else(|| Error::invalid("`integrated_account_id` is required"))?;
    connect_to(engine, caller, id).await
}

/// The account of this id, if the caller may use it.
pub(crate) async fn connect_to(engine: &Engine, caller: &Caller, id: Uuid) -> Result<Connection, Error> {
    let missing = || Error::not_found(format!("there is no integrated account {id}"));
    if !caller.may_use(id) {
        return Err(missing());
    }
    let account = engine.parts.store.get_account(caller.environment_id, id).await.map_err(Error::internal)?;
    let account = account.ok_or_else(missing)?;
    let connector = engine.parts.catalogue.connector(&account.connector).cloned();
    let connector = connector.ok_or_else(|| {
        Error::not_found(format!(
            "account {id} needs the connector `{}`, which is not installed",
            account.connector
        ))
    })?;
    Ok(Connection { account, connector })
}
