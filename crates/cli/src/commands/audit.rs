//! `koine audit`.

use koine_engine::shown_entry;
use koine_store::AuditFilter;
use serde_json::{Value, json};

use crate::config::Config;
use crate::failure::Failure;
use crate::open;
use crate::output::{self, Format};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Who changed what, newest first.
    #[command(
        after_help = "Example:\n  koine audit list --action token --since 2026-01-01T00:00:00Z -o json"
    )]
    List(List),
    /// Read the whole log and say whether anything was changed, left out or cut off.
    Verify {
        /// The head that an earlier run printed: also says whether that entry is still there.
        #[arg(long, value_name = "HEAD")]
        expect: Option<String>,
    },
}

/// Which entries.
#[derive(clap::Args)]
pub(crate) struct List {
    /// Only those that concern this environment.
    #[arg(long, short)]
    environment: Option<String>,
    /// Only by this actor: `operator`, `token:ID`.
    #[arg(long)]
    actor: Option<String>,
    /// Only this action (`token.create`), or all of a noun (`token`).
    #[arg(long)]
    action: Option<String>,
    /// Only what was done to this id.
    #[arg(long)]
    subject: Option<String>,
    /// Only from this time on, ISO 8601 with an offset.
    #[arg(long)]
    since: Option<String>,
    /// Only before this time, ISO 8601 with an offset.
    #[arg(long)]
    until: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

const COLUMNS: &[&str] = &["seq", "created_at", "actor", "source", "action", "subject", "before", "after"];

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    let store = open::store(&Config::read()?).await?;
    match command {
        Command::List(wanted) => {
            let environment_id = match &wanted.environment {
                Some(name) => Some(open::environment(&store, Some(name)).await?.id),
                None => None,
            };
            let List { actor, action, subject, since, until, limit, .. } = wanted;
            let filter = AuditFilter { environment_id, actor, action, subject, since, until };
            let entries = store.list_audit(filter, limit, None).await.map_err(Failure::store)?;
            output::rows(format, &entries.iter().map(shown_entry).collect::<Vec<Value>>(), COLUMNS);
            Ok(())
        }
        Command::Verify { expect } => {
            let check = store.verify_audit(expect).await.map_err(Failure::store)?;
            let told = json!({"entries": check.entries, "head": check.head, "broken": check.broken});
            output::one(format, &told, &["entries", "head", "broken"]);
            check
                .broken
                .map_or(Ok(()), |broken| Err(Failure::other(format!("the audit log is not whole: {broken}"))))
        }
    }
}
