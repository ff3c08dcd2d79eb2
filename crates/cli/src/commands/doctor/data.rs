//! The database, and the disk that it is on.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use koine_store::{Account, AccountFilter, Inspection, Store, StoreError, Vault};
use uuid::Uuid;

use super::finding::Findings;
use crate::config::Config;
use crate::failure::Failure;

/// Below this an installation comes to a standstill soon.
const LITTLE_SPACE: u64 = 1 << 30;
/// Below this it may at any moment.
const NO_SPACE: u64 = 100 << 20;
/// Signed assertions live for minutes, and refreshes count on seconds.
const SKEW_SECONDS: i64 = 5;
/// Accounts read at once.
const PAGE: u32 = 100;

/// Looks at it without opening it for work; says whether it has the schema of this build.
pub(super) async fn database(findings: &mut Findings, config: &Config) -> bool {
    let found = match koine_store::inspect(&config.database_url).await {
        Ok(found) => found,
        Err(error) => {
            let message = Failure::store(error).message;
            findings.error(
                "database",
                message,
                "check KOINE_DATABASE_URL or KOINE_DATA_DIR, and that it runs",
            );
            return false;
        }
    };
    if let Some(why) = &found.unwritable {
        findings.error(
            "database",
            format!("it cannot be written to: {why}"),
            "run this as the gateway's user; check owner and mode of the folder and the file, or the role's rights",
        );
    }
    for hazard in &found.hazards {
        findings.warning("database", hazard, "see docs/running.md, Database");
    }
    clock(findings, &found);
    schema(findings, &found)
}

fn schema(findings: &mut Findings, found: &Inspection) -> bool {
    let (server, newest) = (&found.server, found.newest);
    match found.schema {
        None => {
            let place =
                found.file.as_deref().map_or_else(String::new, |file| format!(" at {}", file.display()));
            findings.warning(
                "database",
                format!("{server}: there is none yet{place}"),
                "`koine serve` makes it",
            );
            false
        }
        Some(schema) if schema == newest => {
            findings.ok("database", format!("{server}, schema {schema}"));
            true
        }
        Some(schema) if schema < newest => {
            findings.warning(
                "database",
                format!("{server}: schema {schema}, and this build has {newest}"),
                "back it up; the next start of the gateway brings it up to date",
            );
            false
        }
        Some(schema) => {
            findings.error(
                "database",
                format!("{server}: schema {schema} is newer than this build's {newest}"),
                "run the newer koine again, or restore the backup from before the upgrade",
            );
            false
        }
    }
}

fn clock(findings: &mut Findings, found: &Inspection) {
    let (Some(theirs), Ok(ours)) = (found.clock, SystemTime::now().duration_since(UNIX_EPOCH)) else {
        return;
    };
    let skew = (theirs - i64::try_from(ours.as_millis()).unwrap_or(i64::MAX)) / 1000;
    if skew.abs() > SKEW_SECONDS {
        findings.warning(
            "clock",
            format!("the database's clock is {skew} seconds off ours"),
            "run NTP on both machines: leases and expiries count on their clocks",
        );
    } else {
        findings.ok("clock", "the database's agrees with ours");
    }
}

/// The store, if the key opens it. Only for a database whose schema is current: opening would change another.
pub(super) async fn open(findings: &mut Findings, config: &Config, vault: Vault) -> Option<Arc<dyn Store>> {
    match koine_store::open(&config.database_url, vault).await {
        Ok(store) => {
            findings.ok("keys", "the master key is this database's");
            Some(store)
        }
        Err(error @ StoreError::WrongKey) => {
            findings.error(
                "keys",
                error.to_string(),
                "find the key that belongs to it, beside its backups; no other opens the credentials",
            );
            None
        }
        Err(error) => {
            findings.error("database", Failure::store(error).message, "see the log of the gateway");
            None
        }
    }
}

/// All accounts of an environment.
pub(super) async fn accounts(store: &dyn Store, environment: Uuid) -> Result<Vec<Account>, Failure> {
    let mut all: Vec<Account> = Vec::new();
    loop {
        let after = all.last().map(|account| account.id);
        let page = store.list_accounts(environment, AccountFilter::default(), PAGE, after).await;
        let page = page.map_err(Failure::store)?;
        let last = page.len() < PAGE as usize;
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}

/// Space for the database's file.
pub(super) fn disk(findings: &mut Findings, config: &Config) {
    let Some(path) = config.database_url.strip_prefix("sqlite:") else { return };
    let path = Path::new(path.trim_start_matches("//").split('?').next().unwrap_or_default());
    let existing = path.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let place = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
    let free = match rustix::fs::statvfs(place) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => {
            findings.warning(
                "disk",
                format!("{}: {error}", place.display()),
                "check that the folder is there",
            );
            return;
        }
    };
    let told = format!("{} MiB are free at {}", free >> 20, place.display());
    match free {
        0..NO_SPACE => findings.error(
            "disk",
            told,
            "make room: without space no removal can be noted, and so none is made",
        ),
        NO_SPACE..LITTLE_SPACE => findings.warning("disk", told, "make room soon"),
        _ => findings.ok("disk", told),
    }
}
