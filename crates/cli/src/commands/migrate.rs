//! `koine migrate`.

use koine_store::{Migration, StoreError};
use serde_json::{Value, json};

use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Format};

/// Brings the database to this koine's schema. `koine serve` does so by itself; this is for those who want to see it, or
/// do it, before.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  koine migrate --status\n  koine migrate --dry-run > changes.sql")]
pub(crate) struct Migrate {
    /// Only list the migrations and whether they were applied.
    #[arg(long, conflicts_with = "dry_run")]
    status: bool,
    /// Only print the SQL that would be run.
    #[arg(long)]
    dry_run: bool,
}

const COLUMNS: &[&str] = &["version", "name", "state"];

pub(crate) async fn run(options: &Migrate, format: Format) -> Result<(), Failure> {
    let url = Config::read()?.database_url;
    let before = koine_store::migrations(&url).await.map_err(Failure::store)?;
    if options.status {
        output::rows(format, &before.iter().map(shown).collect::<Vec<_>>(), COLUMNS);
        return Ok(());
    }
    if let Some(newer) = before.iter().find(|migration| migration.name.is_none()) {
        let known = before.iter().filter(|migration| migration.name.is_some());
        let known = known.map(|migration| migration.version).max().unwrap_or_default();
        return Err(Failure::store(StoreError::NewerSchema { found: newer.version, known }));
    }
    let pending: Vec<&Migration> = before.iter().filter(|migration| !migration.applied).collect();
    if options.dry_run {
        for migration in pending {
            let (name, sql) = (migration.name.as_deref(), migration.sql.as_deref());
            println!("-- {} {}\n{}", migration.version, name.unwrap_or_default(), sql.unwrap_or_default());
        }
        return Ok(());
    }
    koine_store::migrate(&url).await.map_err(Failure::store)?;
    let applied = |migration: &&Migration| shown(&Migration { applied: true, ..(*migration).clone() });
    output::rows(format, &pending.iter().map(applied).collect::<Vec<_>>(), COLUMNS);
    Ok(())
}

fn shown(migration: &Migration) -> Value {
    let state = match (&migration.name, migration.applied) {
        (None, _) => "of a newer koine",
        (Some(_), true) => "applied",
        (Some(_), false) => "pending",
    };
    json!({"version": migration.version, "name": migration.name, "state": state})
}
