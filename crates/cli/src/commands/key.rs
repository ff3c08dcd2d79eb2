//! `koine key`.

use koine_store::{Actor, MasterKey, Rotated};
use serde_json::json;

use crate::config::Config;
use crate::failure::Failure;
use crate::master_key;
use crate::open;
use crate::output::{self, Format};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print 32 random bytes in base64.
    Generate,
    /// Put the database under another master key while gateways run.
    #[command(
        after_help = "The new key is the first one of KOINE_MASTER_KEY, _FILE or _COMMAND; the old one stands behind it \
                      or in KOINE_MASTER_KEY_PREVIOUS. Every node must know both before.\n\n\
                      Example, with a key file:\n  koine key rotate --generate\n  koine key forget"
    )]
    Rotate {
        /// Make a new key first, and put it in front of the old one in KOINE_MASTER_KEY_FILE.
        #[arg(long)]
        generate: bool,
    },
    /// Leave only the key that is in use in KOINE_MASTER_KEY_FILE, when all nodes have taken it.
    Forget,
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::Generate => {
            println!("{}", *MasterKey::generate().to_base64());
            Ok(())
        }
        Command::Rotate { generate } => rotate(generate, format).await,
        Command::Forget => forget(format).await,
    }
}

async fn rotate(generate: bool, format: Format) -> Result<(), Failure> {
    let config = Config::read()?;
    if generate {
        // The key that the file gives now opens the database, or nothing is done.
        open::store(&config).await?.close().await;
        master_key::put_first(key_file(&config)?, &MasterKey::generate())?;
    }
    let store = open::store(&config).await?;
    let rotated = store.rotate_master_key(&Actor::operator()).await.map_err(Failure::store)?;
    let told = match rotated {
        Rotated::Done { environments } => json!({"result": "rotated", "environments": environments}),
        Rotated::Already => json!({"result": "already", "environments": null}),
    };
    output::one(format, &told, &["result", "environments"]);
    Ok(())
}

async fn forget(format: Format) -> Result<(), Failure> {
    let config = Config::read()?;
    let file = key_file(&config)?;
    let store = open::store(&config).await?;
    if store.is_under_first_key().await.map_err(Failure::store)? {
        master_key::keep_first(file)?;
        output::one(format, &json!({"result": "forgotten"}), &["result"]);
        return Ok(());
    }
    Err(Failure::other(
        "the database is not under the first key of the file yet; run `koine key rotate` before",
    ))
}

fn key_file(config: &Config) -> Result<&std::path::Path, Failure> {
    config.master_keys()?.file().ok_or_else(|| {
        Failure::usage("this changes KOINE_MASTER_KEY_FILE, and the key comes from somewhere else")
    })
}
