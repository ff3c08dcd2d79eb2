//! `koine oauth-app`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use koine_engine::OauthAppChange;
use koine_model::Secret;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::open;
use crate::output::{self, Format};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make an app known that people are asked for their consent with, in place of an earlier one.
    #[command(after_help = "Examples:
  koine oauth-app set acme --client-id 1201234567890 --secret-file acme.secret
  pass show acme | koine oauth-app set acme --client-id 1201234567890 --secret-file -

The vendor has to know the redirect URI that is printed; it begins with KOINE_PUBLIC_URL.")]
    Set {
        /// The connector.
        connector: String,
        /// The app's id at the vendor.
        #[arg(long)]
        client_id: String,
        /// A file that holds the app's secret; - for stdin. Left out for an app that has none.
        #[arg(long)]
        secret_file: Option<PathBuf>,
        /// A file that holds further credential fields of the app, as a JSON object; - for stdin.
        #[arg(long)]
        fields_file: Option<PathBuf>,
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
    /// Forget one. What people granted to it cannot be renewed any more.
    Remove {
        /// The connector.
        connector: String,
        /// The environment; `default` when left out.
        #[arg(long, short)]
        environment: Option<String>,
    },
}

const COLUMNS: &[&str] = &["connector", "client_id", "has_secret", "redirect_uri", "updated_at"];

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::Set { connector, client_id, secret_file, fields_file, environment } => {
            let client_secret = secret_file.map(|file| read(&file)).transpose()?;
            let client_secret = client_secret.map(|text| Secret::new(text.trim_end_matches(['\r', '\n'])));
            let fields = fields_file.map(|file| object(&file)).transpose()?.unwrap_or_default();
            let (engine, caller) = open::operator(environment.as_deref()).await?;
            let change = OauthAppChange { connector, client_id, client_secret, fields };
            output::one(format, &engine.set_oauth_app(&caller, change).await?, COLUMNS);
        }
        Command::List { environment } => {
            let (engine, caller) = open::operator(environment.as_deref()).await?;
            output::rows(format, &engine.list_oauth_apps(&caller).await?, COLUMNS);
        }
        Command::Remove { connector, environment } => {
            let (engine, caller) = open::operator(environment.as_deref()).await?;
            output::one(format, &engine.remove_oauth_app(&caller, &connector).await?, &["connector"]);
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    read.map_err(|error| Failure::usage(format!("{}: {error}", file.display())))
}

fn object(file: &Path) -> Result<Map<String, Value>, Failure> {
    // The parser's own words could hold a part of what it read.
    serde_json::from_str(&read(file)?)
        .map_err(|_| Failure::usage(format!("{}: not a JSON object", file.display())))
}
