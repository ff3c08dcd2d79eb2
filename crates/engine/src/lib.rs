//! One call through its stages: authenticate -> account -> plan -> call -> map -> respond.
//!
//! | stage | module | gives the next one |
//! |---|---|---|
//! | authenticate | [`auth`] | a [`Caller`], which nothing else can make |
//! | account | [`account`] | the connection, its connector and credentials |
//! | plan | [`plan`] | a sans-IO plan for the typed, checked call |
//! | call | [`call`] | how the plan ended, every destructive step journalled first |
//! | map | [`map`] | unified records |
//! | respond | [`respond`] | the [`Reply`] in the format asked for |
//!
//! [`subject`] finds whom a call is about; [`removal`] holds what is special about writes: evidence, idempotency,
//! settling after a crash.

mod account;
mod accounts;
mod auth;
mod base_urls;
mod call;
mod describe;
mod error;
mod heavy;
mod known;
mod locks;
mod login;
mod map;
mod meta;
mod options;
mod outgoing;
mod plan;
mod removal;
mod respond;
mod shown;
mod subject;
mod types;

use std::sync::Arc;

use koine_connector::catalogue::Catalogue;
use koine_model::{Error, Secret};
use koine_store::Store;
use serde_json::{Value, json};

pub use base_urls::BaseUrls;
pub use describe::{describe, describe_fully};
pub use meta::MetaCall;
pub use options::asks_for_plan;
pub use outgoing::Outgoing;
pub use types::{
    AccountPatch, AccountQuery, Caller, NewAccount, Operation, Reply, ReplyBody, Rights, UnifiedCall,
};

/// What an engine is made of.
pub struct EngineParts {
    /// Durable state.
    pub store: Arc<dyn Store>,
    /// Connectors and models.
    pub catalogue: Arc<Catalogue>,
    /// Outgoing HTTP.
    pub upstream: Arc<dyn Outgoing>,
    /// Addresses that the operator puts in place of the vendors' own.
    pub base_urls: BaseUrls,
    /// Signs cursors.
    pub cursor_key: Secret,
}

/// The gateway without its HTTP surface. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    parts: Arc<EngineParts>,
    locks: locks::Locks,
    known: Arc<known::Known>,
}

impl Engine {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: EngineParts) -> Self {
        Self { parts: Arc::new(parts), locks: locks::Locks::default(), known: Arc::default() }
    }

    /// Durable state, for the administrative commands.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.parts.store
    }

    /// Executes one unified call.
    ///
    /// # Errors
    /// Everything that keeps a call from succeeding, with its stable code; a removal's outcome is in it.
    pub async fn unified(&self, caller: &Caller, call: UnifiedCall) -> Result<Reply, Error> {
        let options = options::read(&call.query)?;
        let connection = account::connect(self, caller, &options).await?;
        let mut prepared = plan::prepare(self, connection, call, options)?;
        if prepared.options.skip_api_call {
            return call::skip(&prepared);
        }
        if prepared.call.operation.is_write() {
            return removal::write(self, caller, prepared).await;
        }
        subject::find(self, &mut prepared).await?;
        let mut finished = call::run(self, &prepared, plan::ask(&prepared), None).await?;
        let records = map::read(&prepared, &mut finished)?;
        respond::read(self, &prepared, finished, records)
    }

    /// All connectors, for people: name, label, category and what they can do.
    #[must_use]
    pub fn connectors(&self) -> Value {
        self.parts.catalogue.connectors().map(|connector| describe(connector)).collect()
    }

    /// One connector with what is known of each of its methods.
    #[must_use]
    pub fn connector(&self, name: &str) -> Option<Value> {
        self.parts.catalogue.connector(name).map(|connector| describe_fully(connector))
    }

    /// Settles every call that a crash cut short, by reading, and gives up those that had not begun to send. Gives
    /// how many were settled. For the start of a server, while no calls run.
    ///
    /// # Errors
    /// When the journal cannot be read; a call that cannot be settled is logged and stays `uncertain`.
    pub async fn settle(&self) -> Result<usize, Error> {
        let released = self.parts.store.release_unstarted_calls().await.map_err(Error::internal)?;
        if released > 0 {
            tracing::info!(calls.released = released, "released calls that an earlier run had not started");
        }
        let open = self.parts.store.open_intents().await.map_err(Error::internal)?;
        let count = open.len();
        for intent in open {
            removal::settle(self, intent).await;
        }
        Ok(count)
    }

    /// The meaning of a name that nobody knows, as one error.
    fn unknown(what: &str, name: &str) -> Error {
        Error::not_found(format!("there is no {what} `{name}`"))
    }
}

/// `{"result": …, "next_cursor": …}` and friends are built in one place.
fn envelope(result: &Value, next: Option<&str>, count: usize, partial: bool) -> Value {
    let mut list = json!({"result": result, "next_cursor": next, "prev_cursor": null, "result_count": count});
    if partial {
        list["is_partial_response"] = Value::Bool(true);
    }
    list
}
