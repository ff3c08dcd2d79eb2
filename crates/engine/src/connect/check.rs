//! Whether an account's credentials work: what is looked up with them once, one real read at the vendor, and what the
//! account's status becomes.

use koine_connector::Connector;
use koine_connector::compiled::{ListCall, PostInstall};
use koine_connector::plan::{Ask, Success};
use koine_model::{Error, ErrorCode};
use koine_store::{Account, AccountChange};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::account::{self, Connection};
use crate::{Caller, Engine, accounts, call, error, events};

/// Longest `last_error`.
const LONGEST: usize = 500;

impl Engine {
    /// Looks up what an account still lacks, tries its credentials with one read at the vendor, and gives the account as
    /// it is then: `active`, or `post_install_error` or `validation_error` with what the vendor said.
    ///
    /// # Errors
    /// What the vendor refused, or why it could not be asked.
    pub async fn check_account(&self, caller: &Caller, id: Uuid) -> Result<Value, Error> {
        self.get_account(caller, id).await?;
        let account = self.check(caller.environment_id(), id).await?;
        Ok(self.shown(&account))
    }

    pub(super) async fn check(&self, environment: Uuid, id: Uuid) -> Result<Account, Error> {
        let installed = self.post_install(environment, id).await;
        let (tried, failure) = match installed {
            Ok(()) => {
                (self.try_out(environment, id).await, ("validation_error", events::ACCOUNT_VALIDATION_ERROR))
            }
            Err(error) => (Err(error), ("post_install_error", events::ACCOUNT_POST_INSTALL_ERROR)),
        };
        let tried = match tried {
            // What broke on our side says nothing about the credentials.
            Err(error) if matches!(error.code, ErrorCode::Internal | ErrorCode::Unavailable) => {
                return Err(error);
            }
            tried => tried,
        };
        let (status, event, last_error) = match &tried {
            Ok(()) => ("active", events::ACCOUNT_ACTIVE, None),
            Err(error) => (failure.0, failure.1, Some(error.message.chars().take(LONGEST).collect())),
        };
        let change = AccountChange {
            status: Some(status.to_owned()),
            last_error: Some(last_error),
            ..AccountChange::default()
        };
        let changed = self.change_account(environment, id, change, &[event]).await?;
        let account = changed.ok_or_else(|| Self::no_account(id))?;
        tried.map(|()| account)
    }

    /// Fills the fields that hold nothing.
    async fn post_install(&self, environment: Uuid, id: Uuid) -> Result<(), Error> {
        let connection = account::connect_to(self, &Caller::operator(environment), id).await?;
        for step in &connection.connector.post_install {
            // What one step finds the next one may need.
            let connection = account::connect_to(self, &Caller::operator(environment), id).await?;
            let account =
                self.parts.store.get_account(environment, id).await.map_err(accounts::store_failed)?;
            let account = account.ok_or_else(|| Self::no_account(id))?;
            let mut context = account.context.as_object().cloned().unwrap_or_default();
            let kind = connection.credentials()?;
            let lacks = |name: &str| context.get(name).and_then(Value::as_str).is_none_or(str::is_empty);
            if !step.context.keys().any(|name| kind.fields.contains_key(name) && lacks(name)) {
                continue;
            }
            let found = looked_up(self, &connection, step).await?;
            for (name, value) in found {
                if context.get(&name).and_then(Value::as_str).is_none_or(str::is_empty) {
                    context.insert(name, value);
                }
            }
            let change = AccountChange { context: Some(Value::Object(context)), ..AccountChange::default() };
            self.change_account(environment, id, change, &[]).await?;
        }
        Ok(())
    }

    async fn try_out(&self, environment: Uuid, id: Uuid) -> Result<(), Error> {
        let connection = account::connect_to(self, &Caller::operator(environment), id).await?;
        let connector = &connection.connector;
        match connector.validation.clone().or_else(|| usual(connector)) {
            Some(call) => read(self, &connection, &call).await.map(drop),
            None => {
                tracing::warn!(account.id = %id, connector.name = connector.name, "there is no list to try credentials with");
                Ok(())
            }
        }
    }
}

/// What a step tells of fields that these credentials have, each of its form.
async fn looked_up(
    engine: &Engine,
    connection: &Connection,
    step: &PostInstall,
) -> Result<Vec<(String, Value)>, Error> {
    let told = json!({"records": read(engine, connection, &step.call).await?});
    let label = &connection.connector.label;
    let mut found = Vec::new();
    for (name, expr) in &step.context {
        let Some(field) = connection.credentials()?.fields.get(name) else { continue };
        let value = expr.eval(&told).map_err(Error::internal)?;
        let text = match value {
            Some(Value::String(text)) => Some(text),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let text = text.filter(|text| !text.is_empty() && accounts::fits(field, text));
        let text =
            text.ok_or_else(|| Error::invalid(format!("{label} tells no {} of its own", field.label)))?;
        found.push((name.clone(), Value::String(text)));
    }
    Ok(found)
}

/// The first page of a list, as the vendor tells it.
async fn read(engine: &Engine, connection: &Connection, list: &ListCall) -> Result<Vec<Value>, Error> {
    let mut ask = Ask { query: list.query.clone(), ..Ask::new(&list.model, &list.resource, &list.method) };
    ask.context = connection.fields().clone();
    ask.base_url = engine.parts.base_urls.base(&connection.connector.name).cloned();
    let finished = call::run_for(engine, connection, Box::new(ask), None).await?;
    match finished.result {
        Ok(Success::List { items, .. }) => Ok(items),
        Ok(_) => Ok(Vec::new()),
        Err(failure) => Err(error::from_failure(connection, failure, None)),
    }
}

/// The first list that needs no parameter; users before all else.
fn usual(connector: &Connector) -> Option<ListCall> {
    let all = connector.models.iter().flat_map(|(model, resources)| {
        resources.iter().map(move |(name, resource)| (model.as_str(), name.as_str(), resource))
    });
    let lists = all.filter(|(_, _, resource)| {
        resource.methods.get("list").is_some_and(|row| {
            row.query_schema.values().all(|one| !one.required && one.required_if.is_none())
        })
    });
    let (model, resource, _) = lists.min_by_key(|(_, name, _)| *name != "users")?;
    Some(ListCall {
        model: model.to_owned(),
        resource: resource.to_owned(),
        method: "list".to_owned(),
        query: serde_json::Map::new(),
    })
}
