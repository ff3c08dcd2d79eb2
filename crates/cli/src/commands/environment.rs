//! `koine environment`.

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
}

const COLUMNS: &[&str] = &["id", "name", "created_at"];

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    let engine = open::engine(&Config::read()?).await?;
    let shown = |environment: &koine_store::Environment| -> Value {
        json!({"id": environment.id, "name": environment.name, "created_at": environment.created_at})
    };
    match command {
        Command::Create { name } => {
            let environment = engine.store().create_environment(&name).await.map_err(Failure::store)?;
            output::one(format, &shown(&environment), COLUMNS);
        }
        Command::List => {
            let all = engine.store().list_environments().await.map_err(Failure::store)?;
            output::rows(format, &all.iter().map(shown).collect::<Vec<_>>(), COLUMNS);
        }
    }
    Ok(())
}
