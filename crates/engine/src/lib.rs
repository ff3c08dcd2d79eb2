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
//! [`login`], [`grant`] and [`refresh`] get tokens, [`authorization`] asks people for them, and [`health`] tells accounts whose credentials work
//! no more. [`subject`] finds whom a call is about; [`removal`] holds what is special about writes: evidence and idempotency;
//! [`settle`] finds out what became of calls whose process died, and [`node`] says which processes live.

mod account;
mod accounts;
mod administration;
mod auth;
mod authorization;
mod base_urls;
mod call;
mod connect;
mod deliveries;
mod delivery_attempt;
mod delivery_log;
mod describe;
mod error;
pub mod events;
mod grant;
mod health;
mod heavy;
mod known;
mod locks;
mod login;
mod map;
mod meta;
mod moment;
mod node;
mod node_files;
mod oauth_apps;
mod options;
mod outgoing;
mod plan;
mod receivers;
mod refresh;
mod removal;
mod respond;
mod running;
mod said_no;
mod settle;
mod shown;
mod signature;
mod subject;
mod types;
mod uses;
mod webhooks;

use std::path::PathBuf;
use std::sync::Arc;

use koine_connector::catalogue::Catalogue;
use koine_model::{Error, Secret};
use koine_store::Store;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tracing::Instrument as _;

pub use administration::{PageQuery, TokenRequest, shown_entry, shown_token};
pub use authorization::{
    AuthorizationAnswer, AuthorizationFailed, AuthorizationFailure, AuthorizationRequest,
    AuthorizationStarted, Grant, Granted,
};
pub use base_urls::BaseUrls;
pub use connect::{
    Form, FormField, Offer, Rejected, Returned, Stands, Step, Trouble, Typed, Vendor, Visit, Way,
};
pub use describe::{describe, describe_fully};
pub use koine_store::{AuditFilter, Replay};
pub use meta::MetaCall;
pub use moment::moment;
pub use oauth_apps::OauthAppChange;
pub use options::asks_for_plan;
pub use outgoing::Outgoing;
pub use receivers::Receivers;
pub use types::{
    AccountPatch, AccountQuery, Caller, DeliveryLogQuery, DeliveryQuery, NewAccount, Operation, Reply,
    ReplyBody, Rights, UnifiedCall, WebhookPatch, WebhookQuery,
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
    /// Where browsers reach us.
    pub public_url: Option<url::Url>,
}

/// What only a server has besides.
pub struct ServerParts {
    /// How webhooks are reached.
    pub receivers: Receivers,
    /// Where this process is marked as alive by a locked file, so that its calls can be settled as soon as it is dead.
    /// Where nobody else sees the folder, others wait until its lease ends.
    pub node_files: PathBuf,
}

/// The gateway without its HTTP surface. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    parts: Arc<EngineParts>,
    /// What this process remembers.
    memory: Arc<Memory>,
}

struct Memory {
    locks: locks::Locks,
    known: known::Known,
    node: node::Node,
    uses: uses::Uses,
    /// Told when something may have to be delivered.
    wake: Notify,
    /// How webhooks are reached; without it, as vendors are.
    receivers: Option<Receivers>,
}

impl Engine {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: EngineParts) -> Self {
        Self::of(parts, None, None)
    }

    /// The same for a server.
    #[must_use]
    pub fn serving(parts: EngineParts, server: ServerParts) -> Self {
        Self::of(parts, Some(server.receivers), Some(server.node_files))
    }

    fn of(parts: EngineParts, receivers: Option<Receivers>, node_files: Option<PathBuf>) -> Self {
        let memory = Memory {
            locks: locks::Locks::default(),
            known: known::Known::default(),
            node: node::Node::new(parts.upstream.longest_exchange(), node_files),
            uses: uses::Uses::default(),
            wake: Notify::new(),
            receivers,
        };
        Self { parts: Arc::new(parts), memory: Arc::new(memory) }
    }

    /// Joins the processes that share the database, for a server that wants to fail now rather than with the first write.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn join(&self) -> Result<(), Error> {
        self.memory.node.id(&self.parts.store).await.map(drop)
    }

    /// Leaves them, for the end of a process whose calls are over.
    pub async fn leave(&self) {
        self.memory.node.leave(&self.parts.store).await;
    }

    /// Durable state, for the administrative commands.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.parts.store
    }

    /// Executes one unified call. A write goes to its end, and into the journal, even if whoever asked does not wait for
    /// it.
    ///
    /// # Errors
    /// Everything that keeps a call from succeeding, with its stable code; a removal's outcome is in it.
    pub fn unified<'a>(
        &'a self,
        caller: &'a Caller,
        call: UnifiedCall,
    ) -> impl Future<Output = Result<Reply, Error>> + Send + 'a {
        let call = Box::new(call);
        async move {
            match call.operation.is_write() {
                true => Box::pin(self.to_its_end(caller, call)).await,
                false => self.execute(caller, call).await,
            }
        }
    }

    async fn to_its_end(&self, caller: &Caller, call: Box<UnifiedCall>) -> Result<Reply, Error> {
        let (engine, caller) = (self.clone(), caller.clone());
        let task = async move { engine.execute(&caller, call).await };
        match tokio::spawn(task.in_current_span()).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(cancelled) => Err(Error::internal(cancelled)),
            },
        }
    }

    // Futures that only some calls need are boxed, and so is what all of them hand down: every call moves what its own
    // has room for.
    async fn execute(&self, caller: &Caller, call: Box<UnifiedCall>) -> Result<Reply, Error> {
        let options = options::read(&call.query)?;
        let connection = account::connect(self, caller, &options).await?;
        let mut prepared = plan::prepare(self, connection, call, options)?;
        if prepared.options.skip_api_call {
            return call::skip(&prepared);
        }
        if prepared.call.operation.is_write() {
            return Box::pin(removal::write(self, caller, prepared)).await;
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
