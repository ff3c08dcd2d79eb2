//! `koine connector`.

use std::path::PathBuf;

use koine_connector::catalogue::Catalogue;

use crate::failure::Failure;
use crate::open;
use crate::output::{self, Format};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// All of them.
    List,
    /// One of them, with its credential fields.
    Show {
        /// Its name.
        name: String,
    },
    /// Compile the built-in connectors, or a folder's over them, and report every problem.
    Check {
        /// A folder of connector folders.
        folder: Option<PathBuf>,
    },
}

const COLUMNS: &[&str] = &["name", "label", "category", "api"];

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::Check { folder } => {
            let checked = match &folder {
                Some(folder) => Catalogue::with_folder(folder),
                None => Catalogue::embedded(),
            };
            let catalogue = checked.map_err(|problems| Failure::other(problems.to_string()))?;
            println!("{} connectors, no problems", catalogue.connectors().count());
        }
        Command::List => {
            let catalogue = open::catalogue(&crate::config::Config::read()?)?;
            let all: Vec<_> =
                catalogue.connectors().map(|connector| koine_engine::describe(connector)).collect();
            output::rows(format, &all, COLUMNS);
        }
        Command::Show { name } => {
            let catalogue = open::catalogue(&crate::config::Config::read()?)?;
            let connector = catalogue.connector(&name);
            let connector =
                connector.ok_or_else(|| Failure::not_found(format!("there is no connector `{name}`")))?;
            output::one(
                format,
                &koine_engine::describe(connector),
                &[COLUMNS, &["credentials", "models"]].concat(),
            );
        }
    }
    Ok(())
}
