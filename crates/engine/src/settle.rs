//! Calls that nobody runs any more: their process died, or gave them up. What became of them is found out by reading.

use std::sync::Arc;
use std::time::Duration;

use koine_connector::plan::Mode;
use koine_model::{Error, Outcome};
use koine_store::{Finish, OpenIntent};
use serde_json::{Map, Value};

use crate::account::Connection;
use crate::map::Mapped;
use crate::options::Options;
use crate::plan::ask;
use crate::{Engine, Operation, Reply, UnifiedCall, call, map, plan, removal, respond};

/// How often a server looks for such calls.
const EVERY: Duration = Duration::from_secs(5);
/// How often it drops what no longer counts, in looks.
const TIDIED_EVERY: u32 = 120;
/// How long one call's settlement is left to the node that began it.
const SETTLED_WITHIN: Duration = Duration::from_secs(300);

impl Engine {
    /// Settles every abandoned call by reading, and gives up those that had not begun to send. Gives how many were
    /// settled. Calls of living nodes are left alone.
    ///
    /// # Errors
    /// When the journal cannot be read; a call that cannot be settled is logged and stays `uncertain`.
    pub async fn settle(&self) -> Result<usize, Error> {
        let store = &self.parts.store;
        self.bury().await?;
        let released = store.release_unstarted_calls().await.map_err(Error::internal)?;
        if released > 0 {
            tracing::info!(calls.released = released, "released calls that a dead node had not started");
        }
        let mut count = 0;
        for intent in store.open_intents().await.map_err(Error::internal)? {
            // Two may read at once, but one is enough.
            let name = format!("settle/{}", intent.call_id);
            let lease = store.acquire_lease(&name, "settlement", SETTLED_WITHIN).await;
            let Some(lease) = lease.map_err(Error::internal)? else { continue };
            settle(self, intent).await;
            count += 1;
            store.release_lease(&lease).await.map_err(Error::internal)?;
        }
        Ok(count)
    }

    /// Goes on settling what other nodes leave behind, for ever.
    pub async fn keep_settling<T>(&self) -> T {
        let mut looks: u32 = 0;
        loop {
            tokio::time::sleep(EVERY).await;
            looks = looks.wrapping_add(1);
            if let Err(error) = self.settle().await {
                tracing::warn!(error = %error, "abandoned calls could not be looked for");
            }
            if looks.is_multiple_of(TIDIED_EVERY)
                && let Err(error) = self.parts.store.tidy().await
            {
                tracing::warn!(error = %error, "the database could not be tidied");
            }
        }
    }

    /// Ends the leases of nodes whose process this machine knows to be dead.
    async fn bury(&self) -> Result<(), Error> {
        let Some(files) = &self.memory.node.files else { return Ok(()) };
        for node in files.dead() {
            self.parts.store.forget_node(node).await.map_err(Error::internal)?;
            files.forget(node);
        }
        Ok(())
    }
}

/// Settles one call that a crash cut short, by reading only.
async fn settle(engine: &Engine, intent: OpenIntent) {
    let id = intent.call_id;
    let (outcome, detail, answer) = match settled(engine, intent).await {
        Ok((outcome, detail, reply)) => (outcome, detail, reply.as_ref().map(removal::stored)),
        Err(error) => {
            tracing::error!(call.id = %id, error = %error, "an interrupted call could not be settled");
            (Some(Outcome::Uncertain), Some(removal::detail(&error)), None)
        }
    };
    let word = outcome.map(|outcome| outcome.as_str().to_owned());
    tracing::warn!(call.id = %id, outcome = word, "settled a call that was cut short");
    let finish = Finish { outcome: word, detail, answer };
    if let Err(error) = engine.parts.store.finish_call(id, finish).await {
        tracing::error!(call.id = %id, error = %error, "a settled call could not be closed");
    }
}

type Settled = (Option<Outcome>, Option<String>, Option<Reply>);

async fn settled(engine: &Engine, intent: OpenIntent) -> Result<Settled, Error> {
    let store = &engine.parts.store;
    let account =
        store.get_account(intent.environment_id, intent.account_id).await.map_err(Error::internal)?;
    let account = account.ok_or_else(|| Error::not_found("the account of the interrupted call is gone"))?;
    let connector = engine.parts.catalogue.connector(&account.connector).cloned();
    let connector = connector.ok_or_else(|| Error::not_found("its connector is not installed"))?;
    let part = |name: &str| intent.request.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    let operation = Operation::named(&intent.method);
    let call = Box::new(UnifiedCall {
        model: intent.model,
        resource: intent.resource,
        operation,
        id: intent.request.get("id").and_then(Value::as_str).map(ToOwned::to_owned),
        query: Map::new(),
        body: part("body"),
        path: String::new(),
        idempotency_key: None,
        passthrough: None,
    });
    let options = Options { query: part("query"), verify: true, ..Options::default() };
    let mut prepared = plan::prepare(engine, Arc::new(Connection::new(account, connector)), call, options)?;
    let snapshot = intent.target.unwrap_or(Value::Null);
    if let Some(id) = snapshot.get("id").and_then(Value::as_str) {
        prepared.call.id = Some(id.to_owned());
    }
    if let Some(body) = snapshot.get("body").and_then(Value::as_object) {
        prepared.body = body.clone();
    }
    let mut question = ask(&prepared);
    question.mode = Mode::Settle;
    question.known_target = snapshot.get("target").filter(|target| !target.is_null()).cloned();
    question.known_before = snapshot.get("before").and_then(Value::as_object).cloned().unwrap_or_default();
    let finished = call::run(engine, &prepared, question, None).await?;
    let (outcome, detail) = (finished.outcome, finished.detail.clone());
    let reply = match &finished.result {
        Ok(_) => {
            let mapped: Mapped = map::written(&prepared, &finished, outcome)?;
            Some(respond::write(&prepared, None, mapped, outcome))
        }
        Err(_) => None,
    };
    Ok((outcome, detail, reply))
}
