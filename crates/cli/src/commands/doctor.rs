//! `koine doctor`: what is not as it should be, and what to do about it. It changes nothing.

mod data;
mod finding;
mod folder;
mod keys;
mod network;
mod quick;

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use koine_settings::{Origin, Read};
use koine_store::{Account, Store};

use crate::config::{self, Config};
use crate::failure::Failure;
use crate::open;
use crate::output::Format;
use finding::Findings;

/// What to look at.
#[derive(Args)]
#[command(
    after_help = "It fails when there is an error; warnings alone do not make it fail.\n\nExamples:\n  koine doctor\n  koine doctor --network\n  koine doctor --network api.example.com -o json"
)]
pub(crate) struct Doctor {
    /// Also call these hosts by TLS, through the egress proxy if there is one; without a host, those of the connected accounts.
    #[arg(long, value_name = "HOST", num_args = 0..)]
    network: Option<Vec<String>>,
    /// Only ask the running gateway whether it is ready, as a health check does.
    #[arg(long, conflicts_with = "network")]
    quick: bool,
}

pub(crate) async fn run(options: &Doctor, format: Format) -> Result<(), Failure> {
    let mut findings = Findings::default();
    // Every problem of the settings is one of the findings, not the end of them.
    match config::read(BTreeMap::new()) {
        Err(failure) => {
            for problem in failure.message.lines() {
                findings.error(
                    "settings",
                    problem,
                    "mend it; docs/reference/settings.md explains each setting",
                );
            }
        }
        Ok(read) if options.quick => quick::check(&mut findings, &read.settings).await,
        Ok(read) => all(&mut findings, read, options.network.as_deref()).await?,
    }
    findings.print(format);
    findings.verdict()
}

async fn all(findings: &mut Findings, read: Read, network: Option<&[String]>) -> Result<(), Failure> {
    settings(findings, &read);
    keys::places(findings, &read);
    let settings = read.settings.clone();
    let config = match Config::as_read(read) {
        Ok(config) => config,
        Err(failure) => {
            findings.error("settings", &failure.message, "mend it");
            return Ok(());
        }
    };
    let vault = keys::vault(findings, &config).await;
    let current = data::database(findings, &config).await;
    folder::check(findings, &config);
    data::disk(findings, &config);
    let mut accounts = Vec::new();
    if let (Some(vault), true) = (vault, current)
        && let Some(store) = data::open(findings, &config, vault).await
    {
        accounts = state(findings, &*store).await?;
    }
    let hosts = catalogue(findings, &config, &accounts);
    network::public_url(findings, &settings);
    if let Some(asked) = network {
        let hosts = if asked.is_empty() { &hosts } else { asked };
        network::check(findings, &settings, hosts).await?;
    }
    Ok(())
}

fn settings(findings: &mut Findings, read: &Read) {
    let set = read.in_force.iter().filter(|one| one.origin != Origin::Default).count();
    findings.ok("settings", format!("{set} are set, the others have their defaults"));
    for warning in &read.warnings {
        findings.warning("settings", warning, "correct its name, or take it away");
    }
}

/// What waits in the database for somebody; gives all accounts.
async fn state(findings: &mut Findings, store: &dyn Store) -> Result<Vec<Account>, Failure> {
    let open = store.open_intents().await.map_err(Failure::store)?;
    match open.len() {
        0 => findings.ok("calls", "none was left open"),
        some => findings.warning(
            "calls",
            format!("{some} have no end yet: they run right now, or a crash cut them off"),
            "nothing, if they are running; otherwise start the gateway, which settles them by reading",
        ),
    }
    let mut all = Vec::new();
    for environment in store.list_environments().await.map_err(Failure::store)? {
        let accounts = data::accounts(store, environment.id).await?;
        let waiting = accounts.iter().filter(|account| account.status == "needs_reauth");
        let waiting: Vec<_> =
            waiting.map(|account| format!("{} ({})", account.id, account.connector)).collect();
        if waiting.is_empty() {
            findings.ok(
                "accounts",
                format!("{} in `{}`, none waits for a new log-in", accounts.len(), environment.name),
            );
        } else {
            findings.warning(
                "accounts",
                format!("in `{}` these need a new log-in: {}", environment.name, waiting.join(", ")),
                "have the customer connect the account again",
            );
        }
        all.extend(accounts);
    }
    Ok(all)
}

/// Compiles the connectors; gives the hosts that the accounts' calls go to.
fn catalogue(findings: &mut Findings, config: &Config, accounts: &[Account]) -> Vec<String> {
    let folder = config.settings.connectors_dir.as_deref();
    let catalogue = match open::catalogue(folder) {
        Ok(catalogue) => catalogue,
        Err(failure) => {
            findings.error(
                "connectors",
                failure.message,
                "`koine connector check DIR` tells the same while you mend it",
            );
            return Vec::new();
        }
    };
    let count = catalogue.connectors().count();
    let own = folder.map_or_else(String::new, |folder| format!(", with those of {}", folder.display()));
    findings.ok("connectors", format!("{count} compile{own}"));
    let (mut hosts, mut unknown) = (BTreeSet::new(), BTreeSet::new());
    for account in accounts {
        match catalogue.connector(&account.connector) {
            None => {
                unknown.insert(account.connector.as_str());
            }
            Some(connector) => hosts.extend(network::host(connector, account)),
        }
    }
    for name in unknown {
        findings.error(
            "connectors",
            format!("there are accounts of `{name}`, and no such connector"),
            "put its folder back into KOINE_CONNECTORS_DIR",
        );
    }
    hosts.into_iter().collect()
}
