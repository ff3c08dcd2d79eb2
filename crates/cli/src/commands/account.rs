//! `koine account`.

use koine_engine::{AccountQuery, NewAccount};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::failure::Failure;
use crate::open;
use crate::output::{self, Format};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Connect a customer to a vendor.
    #[command(
        after_help = "Example:\n  koine account add miro-scim --tenant acme --context '{\"scim_token\":\"…\"}'"
    )]
    Add {
        /// The connector.
        connector: String,
        /// The customer.
        #[arg(long)]
        tenant: String,
        /// Credential fields as JSON; `koine connector show` lists them.
        #[arg(long)]
        context: String,
        /// The kind of credential, when the connector has several.
        #[arg(long)]
        method: Option<String>,
        /// The environment; `default` when left out.
        #[arg(long, short)]
        environment: Option<String>,
    },
    /// All of them.
    List {
        /// The environment; `default` when left out.
        #[arg(long, short)]
        environment: Option<String>,
    },
    /// One of them.
    Show {
        /// Its id.
        id: Uuid,
        /// The environment; `default` when left out.
        #[arg(long, short)]
        environment: Option<String>,
    },
    /// Try its credentials with one read at the vendor.
    Check {
        /// Its id.
        id: Uuid,
        /// The environment; `default` when left out.
        #[arg(long, short)]
        environment: Option<String>,
    },
    /// Forget one and its credentials.
    Remove {
        /// Its id.
        id: Uuid,
        /// The environment; `default` when left out.
        #[arg(long, short)]
        environment: Option<String>,
    },
}

const COLUMNS: &[&str] = &["id", "tenant_id", "integration.name", "status", "created_at"];

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::Add { connector, tenant, context, method, environment } => {
            let (engine, caller) = open::operator(environment.as_deref()).await?;
            let context: Map<String, Value> = serde_json::from_str(&context)
                .map_err(|error| Failure::usage(format!("--context is not a JSON object: {error}")))?;
            let new = NewAccount { tenant_id: tenant, connector, authentication_method: method, context };
            output::one(format, &engine.create_account(&caller, new).await?, COLUMNS);
        }
        Command::List { environment } => {
            let (engine, caller) = open::operator(environment.as_deref()).await?;
            let mut query = AccountQuery { limit: Some(100), ..AccountQuery::default() };
            let mut all = Vec::new();
            loop {
                let page = engine.list_accounts(&caller, query.clone()).await?;
                all.extend(page["result"].as_array().into_iter().flatten().cloned());
                query.next_cursor = page["next_cursor"].as_str().map(ToOwned::to_owned);
                if query.next_cursor.is_none() {
                    break;
                }
            }
            output::rows(format, &all, COLUMNS);
        }
        Command::Show { id, environment } => {
            let (engine, caller) = open::operator(environment.as_deref()).await?;
            output::one(format, &engine.get_account(&caller, id).await?, COLUMNS);
        }
        Command::Check { id, environment } => {
            let (engine, caller) = open::operator(environment.as_deref()).await?;
            output::one(format, &engine.check_account(&caller, id).await?, COLUMNS);
        }
        Command::Remove { id, environment } => {
            let (engine, caller) = open::operator(environment.as_deref()).await?;
            output::one(format, &engine.delete_account(&caller, id).await?, &["id"]);
        }
    }
    Ok(())
}
