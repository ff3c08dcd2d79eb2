//! Where the calls are made: an engine, a sandbox, and one account of every vendor.

use koine_engine::{Caller, Engine, Operation, Reply, ReplyBody, UnifiedCall};
use koine_model::Error;
use koine_sandbox::{Case, CaseCall, Serving};
use serde_json::{Map, Value};
use uuid::Uuid;

/// An engine whose accounts are those of a sandbox.
pub struct World<'a> {
    /// Makes the calls.
    pub engine: &'a Engine,
    /// On whose behalf.
    pub caller: Caller,
    /// The vendors.
    pub serving: &'a Serving,
}

/// What a call came to.
#[derive(Debug)]
pub(crate) struct Told {
    pub status: u16,
    pub outcome: Option<&'static str>,
    pub body: Value,
    pub message: String,
}

impl Told {
    fn new(result: Result<Reply, Error>) -> Self {
        match result {
            Ok(Reply { status, outcome, body, .. }) => {
                let body = match body {
                    ReplyBody::Json(value) => value,
                    ReplyBody::Vendor { .. } => Value::Null,
                };
                let outcome = outcome.map(koine_model::Outcome::as_str);
                Self { status, outcome, body, message: String::new() }
            }
            Err(error) => Self {
                status: error.status(),
                outcome: error.outcome.map(koine_model::Outcome::as_str),
                body: Value::Null,
                message: error.message,
            },
        }
    }

    /// Status, outcome and message, for a report.
    pub(crate) fn said(&self) -> String {
        let outcome = self.outcome.map(|outcome| format!(" ({outcome})")).unwrap_or_default();
        let message = if self.message.is_empty() { String::new() } else { format!(": {}", self.message) };
        format!("{}{outcome}{message}", self.status)
    }
}

impl World<'_> {
    /// One call of the case's method on the account.
    pub(crate) async fn call(
        &self,
        account: Uuid,
        case: &Case,
        call: &CaseCall,
        special: &[(&str, &str)],
    ) -> Told {
        self.send(account, case, &case.method, call, special).await
    }

    async fn send(
        &self,
        account: Uuid,
        case: &Case,
        method: &str,
        call: &CaseCall,
        special: &[(&str, &str)],
    ) -> Told {
        let mut query: Map<String, Value> =
            call.query.iter().map(|(name, value)| (name.clone(), as_text(value))).collect();
        query.insert("integrated_account_id".to_owned(), account.to_string().into());
        query.extend(special.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
        let unified = UnifiedCall {
            model: case.model.clone(),
            resource: case.resource.clone(),
            operation: Operation::named(method),
            id: call.id.clone(),
            query,
            body: call.body.clone(),
            path: format!("/unified/{}/{}", case.model, case.resource),
            idempotency_key: None,
            passthrough: None,
        };
        Told::new(self.engine.unified(&self.caller, unified).await)
    }

    /// Every record of the resource's list, page by page.
    pub(crate) async fn all(
        &self,
        account: Uuid,
        case: &Case,
        query: &Map<String, Value>,
    ) -> Result<Vec<Value>, Told> {
        let call = CaseCall { query: query.clone(), ..CaseCall::default() };
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.send(account, case, "list", &call, &[("next_cursor", &cursor)]).await;
            if page.status != 200 {
                return Err(page);
            }
            all.extend(page.body["result"].as_array().cloned().unwrap_or_default());
            match page.body["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return Ok(all),
            }
        }
    }
}

/// A parameter as a URL would carry it.
fn as_text(value: &Value) -> Value {
    match value {
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        other => other.clone(),
    }
}
