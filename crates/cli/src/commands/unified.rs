//! `koine unified`: one call, in process, as the operator.

use koine_engine::{Operation, ReplyBody, UnifiedCall};
use koine_model::Outcome;
use serde_json::Map;
use uuid::Uuid;

use crate::failure::Failure;
use crate::open;

/// Make one unified call.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  koine unified user-directory users -m list -a ACCOUNT -q limit=5\n  koine unified user-directory users ID -m delete -a ACCOUNT --plan"
)]
pub(crate) struct Call {
    /// The model, such as user-directory.
    model: String,
    /// The resource, such as users.
    resource: String,
    /// The record's id.
    id: Option<String>,
    /// list, get, delete, deactivate, remove-user, …
    #[arg(short, long)]
    method: String,
    /// The integrated account.
    #[arg(short, long)]
    account: Uuid,
    /// A query parameter, name=value.
    #[arg(short, long)]
    query: Vec<String>,
    /// The body as JSON.
    #[arg(short, long)]
    body: Option<String>,
    /// Only say what would be done.
    #[arg(long)]
    plan: bool,
    /// The environment; `default` when left out.
    #[arg(long, short)]
    environment: Option<String>,
}

pub(crate) async fn run(call: Call) -> Result<(), Failure> {
    let (engine, caller) = open::operator(call.environment.as_deref()).await?;
    let mut raw = call.query.join("&");
    raw = format!(
        "{raw}&integrated_account_id={}&koine_plan={}",
        call.account,
        if call.plan { "true" } else { "" }
    );
    let query = koine_model::query::parse(&raw).map_err(|error| Failure::usage(error.to_string()))?;
    let body = match &call.body {
        None => Map::new(),
        Some(text) => serde_json::from_str(text)
            .map_err(|error| Failure::usage(format!("--body is not a JSON object: {error}")))?,
    };
    let operation = Operation::named(&call.method);
    let path = format!("/unified/{}/{}", call.model, call.resource);
    let unified = UnifiedCall {
        model: call.model,
        resource: call.resource,
        operation,
        id: call.id,
        query,
        body,
        path,
        idempotency_key: None,
        passthrough: None,
    };
    let reply = engine.unified(&caller, unified).await;
    engine.leave().await;
    let reply = reply?;
    match reply.body {
        ReplyBody::Json(value) => println!("{value:#}"),
        ReplyBody::Vendor { bytes, .. } => println!("{}", String::from_utf8_lossy(&bytes)),
    }
    if let Some(outcome) = reply.outcome {
        eprintln!("outcome: {}", outcome.as_str());
    }
    if reply.outcome == Some(Outcome::Uncertain) {
        return Err(Failure { message: "it is not certain what became of this".to_owned(), code: 5 });
    }
    Ok(())
}
