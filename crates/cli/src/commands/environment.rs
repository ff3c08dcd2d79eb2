//! `koine environment`.

use koine_store::{Actor, Environment};
use serde_json::{Value, json};

use crate::config::Config;
use crate::failure::Failure;
use crate::open;
use crate::output::{self, Format};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make one.
    Create {
        /// Its name.
        name: String,
    },
    /// All of them.
    List,
    /// Give one another name.
    Rename {
        /// Its present name.
        from: String,
        /// Its new name.
        to: String,
    },
}

const COLUMNS: &[&str] = &["id", "name", "created_at", "updated_at"];

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    let store = open::store(&Config::read()?).await?;
    let operator = Actor::operator();
    match command {
        Command::Create { name } => {
            let environment = store.create_environment_by(&name, &operator).await.map_err(Failure::store)?;
            output::one(format, &shown(&environment), COLUMNS);
        }
        Command::List => {
            let all = store.list_environments().await.map_err(Failure::store)?;
            output::rows(format, &all.iter().map(shown).collect::<Vec<_>>(), COLUMNS);
        }
        Command::Rename { from, to } => {
            let found = open::environment(&store, Some(&from)).await?;
            let renamed = store.rename_environment(found.id, &to, &operator).await.map_err(Failure::store)?;
            let renamed =
                renamed.ok_or_else(|| Failure::not_found(format!("there is no environment `{from}`")))?;
            output::one(format, &shown(&renamed), COLUMNS);
        }
    }
    Ok(())
}

fn shown(environment: &Environment) -> Value {
    json!({"id": environment.id, "name": environment.name, "created_at": environment.created_at,
           "updated_at": environment.updated_at})
}
