//! `koine token`.

use koine_store::{ApiToken, NewToken};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::config::Config;
use crate::failure::Failure;
use crate::open;
use crate::output::{self, Format};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make one; its secret is shown once.
    #[command(after_help = "Example:\n  koine token create --name ci -o json")]
    Create {
        /// What it is for.
        #[arg(long)]
        name: String,
        /// The environment; `default` when left out.
        #[arg(long, short)]
        environment: Option<String>,
        /// Only these accounts.
        #[arg(long = "account")]
        accounts: Vec<Uuid>,
        /// It may read only.
        #[arg(long)]
        read_only: bool,
        /// It may administer its environment: its tokens, its name, its audit log.
        #[arg(long, conflicts_with = "read_only")]
        administrator: bool,
        /// When it ends, ISO 8601.
        #[arg(long)]
        expires_at: Option<String>,
    },
    /// All of them.
    List,
    /// End one at once.
    Revoke {
        /// Its id.
        id: Uuid,
    },
}

const COLUMNS: &[&str] =
    &["id", "name", "environment_id", "read_only", "expires_at", "revoked_at", "created_at"];

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    let engine = open::engine(&Config::read()?).await?;
    let store = engine.store();
    match command {
        Command::Create { name, environment, accounts, read_only, administrator, expires_at } => {
            let environment = open::environment(store, environment.as_deref()).await?;
            let account_ids = (!accounts.is_empty()).then_some(accounts);
            let token = NewToken {
                environment_id: environment.id,
                name,
                account_ids,
                read_only,
                administrator,
                expires_at,
            };
            let (token, secret) = store.create_token(token).await.map_err(Failure::store)?;
            let mut shown = shown(&token);
            shown["token"] = Value::String(secret);
            output::one(format, &shown, &[&["token"], COLUMNS].concat());
        }
        Command::List => {
            let all = store.list_tokens(None).await.map_err(Failure::store)?;
            output::rows(format, &all.iter().map(shown).collect::<Vec<_>>(), COLUMNS);
        }
        Command::Revoke { id } => {
            if !store.revoke_token(id).await.map_err(Failure::store)? {
                return Err(Failure::not_found(format!("there is no token {id} in force")));
            }
            output::one(format, &json!({"id": id}), &["id"]);
        }
    }
    Ok(())
}

fn shown(token: &ApiToken) -> Value {
    json!({"id": token.id, "name": token.name, "environment_id": token.environment_id,
           "account_ids": token.account_ids, "read_only": token.read_only,
           "administrator": token.administrator, "expires_at": token.expires_at,
           "revoked_at": token.revoked_at, "created_at": token.created_at})
}
