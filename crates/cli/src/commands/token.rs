//! `koine token`.

use std::sync::Arc;

use koine_engine::{moment, shown_token};
use koine_store::{Actor, ApiToken, NewToken, Store};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::config::Config;
use crate::failure::Failure;
use crate::open;
use crate::output::{self, Format};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make one; its secret is shown once.
    #[command(
        after_help = "Examples:\n  koine token create --name ci --read-only --expires 90d -o json\n  koine token create --name ops --administrator"
    )]
    Create(Create),
    /// Those that are not revoked.
    List {
        /// Only of this environment.
        #[arg(long, short)]
        environment: Option<String>,
        /// Revoked ones too.
        #[arg(long)]
        all: bool,
    },
    /// Give one another name.
    Rename {
        /// Its id.
        id: Uuid,
        /// The new name.
        name: String,
    },
    /// End one at once, and the integrated-account tokens that were issued with it.
    Revoke {
        /// Its id.
        id: Uuid,
    },
}

/// What a new token may do.
#[derive(clap::Args)]
pub(crate) struct Create {
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
    #[arg(long, conflicts_with_all = ["read_only", "accounts"])]
    administrator: bool,
    /// When it ends: so much time from now, such as 90d or 12h, or a time in ISO 8601. Never when left out.
    #[arg(long, visible_alias = "expires-at", value_name = "TIME")]
    expires: Option<String>,
}

const COLUMNS: &[&str] = &[
    "id",
    "name",
    "environment_id",
    "read_only",
    "administrator",
    "expires_at",
    "last_used_at",
    "revoked_at",
    "created_at",
];

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    let store = open::store(&Config::read()?).await?;
    let operator = Actor::operator();
    match command {
        Command::Create(wanted) => create(&store, wanted, format).await,
        Command::List { environment, all } => {
            let environment = match environment {
                Some(name) => Some(open::environment(&store, Some(&name)).await?.id),
                None => None,
            };
            let tokens = store.list_tokens(environment).await.map_err(Failure::store)?;
            let tokens = tokens.iter().filter(|token: &&ApiToken| all || token.revoked_at.is_none());
            output::rows(format, &tokens.map(shown_token).collect::<Vec<_>>(), COLUMNS);
            Ok(())
        }
        Command::Rename { id, name } => {
            let renamed = store.rename_token(None, id, &name, &operator).await.map_err(Failure::store)?;
            let renamed = renamed.ok_or_else(|| Failure::not_found(format!("there is no token {id}")))?;
            output::one(format, &shown_token(&renamed), COLUMNS);
            Ok(())
        }
        Command::Revoke { id } => {
            if !store.revoke_token_by(None, id, &operator).await.map_err(Failure::store)? {
                return Err(Failure::not_found(format!("there is no token {id} in force")));
            }
            output::one(format, &json!({"id": id}), &["id"]);
            Ok(())
        }
    }
}

async fn create(store: &Arc<dyn Store>, wanted: Create, format: Format) -> Result<(), Failure> {
    let environment = open::environment(store, wanted.environment.as_deref()).await?;
    let expires_at = wanted.expires.map(|text| moment(&text)).transpose()?;
    let token = NewToken {
        environment_id: environment.id,
        name: wanted.name,
        account_ids: (!wanted.accounts.is_empty()).then_some(wanted.accounts),
        read_only: wanted.read_only,
        administrator: wanted.administrator,
        expires_at,
    };
    let made = store.create_token_by(token, &Actor::operator()).await;
    let (token, secret) = made.map_err(Failure::store)?;
    let mut shown = shown_token(&token);
    shown["token"] = Value::String(secret);
    output::one(format, &shown, &[&["token"], COLUMNS].concat());
    Ok(())
}
