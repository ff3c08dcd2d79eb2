//! `koine matrix`.

use std::path::PathBuf;

use clap::Args;
use futures::StreamExt as _;
use koine_connector::catalogue::Catalogue;
use koine_matrix::{Comparison, Matrix as Found, Observed, Published, observe};
use serde_json::json;

use crate::config;
use crate::failure::Failure;
use crate::output::Format;
use crate::world::World;

/// How many vendors are called at once.
const AT_ONCE: usize = 8;

/// What to call, and how to tell.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  koine matrix\n  koine matrix --only NAME --only OTHER\n  koine matrix --markdown > docs/matrix.md\n  koine matrix --compare published.json\n\nIt fails when a call did not do what its case says."
)]
pub(crate) struct Matrix {
    /// Only this connector; may be given several times.
    #[arg(long, value_name = "CONNECTOR")]
    only: Vec<String>,
    /// Connectors of one's own, laid over the built-in ones; without it, KOINE_CONNECTORS_DIR.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Print the cells and every observation as JSON.
    #[arg(long, conflicts_with_all = ["markdown", "html", "compare"])]
    json: bool,
    /// Print tables in Markdown.
    #[arg(long, conflicts_with_all = ["html", "compare"])]
    markdown: bool,
    /// Print a page of HTML.
    #[arg(long, conflicts_with = "compare")]
    html: bool,
    /// Hold the cells against a published list: {operation: [{section, name, providers: {vendor: need}}]}.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
}

pub(crate) async fn run(options: &Matrix, format: Format) -> Result<(), Failure> {
    let published = options.compare.as_deref().map(published).transpose()?;
    let found = found(options).await?;
    match published {
        Some(published) => tell_comparison(&koine_matrix::compare(&found, &published), format),
        None if options.json || format == Format::Json => {
            let cells = cells(&found);
            println!("{}", json!({"cells": cells, "vendors": found.vendors, "observed": found.observed}));
        }
        None if options.markdown => print!("{}", found.markdown()),
        None if options.html => print!("{}", found.html()),
        None => tell(&found),
    }
    verdict(&found, options.only.is_empty())
}

fn published(file: &std::path::Path) -> Result<Published, Failure> {
    let fail = |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| fail(&error))?;
    serde_json::from_str(&text).map_err(|error| fail(&error))
}

/// Calls everything.
async fn found(options: &Matrix) -> Result<Found, Failure> {
    let temporary =
        tempfile::tempdir().map_err(|error| Failure::other(format!("temporary folder: {error}")))?;
    let folder = match &options.folder {
        Some(folder) => Some(folder.clone()),
        None => config::connectors_dir()?,
    };
    let catalogue = match &folder {
        Some(folder) => Catalogue::with_folder(folder),
        None => Catalogue::embedded(),
    };
    let catalogue =
        catalogue.map_err(|problems| Failure::other(format!("connectors have problems:\n{problems}")))?;
    if let Some(name) = options.only.iter().find(|name| catalogue.connector(name).is_none()) {
        return Err(Failure::not_found(format!(
            "there is no connector `{name}`; `koine connector list` names them"
        )));
    }
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let world = World::start(temporary.path(), None, 0, 1, folder).await?;
    let world_of_calls =
        koine_matrix::World { engine: &world.engine, caller: world.caller.clone(), serving: &world.serving };
    let accounts = world.accounts.iter().filter(|(name, _)| wanted(name));
    let accounts: Vec<_> =
        accounts.filter_map(|(name, id)| Some((name.clone(), id.as_str()?.parse().ok()?))).collect();
    let observed: Vec<Vec<Observed>> = futures::stream::iter(&accounts)
        .map(|(name, id)| observe(&world_of_calls, name, *id))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let connectors = catalogue.connectors().filter(|connector| wanted(&connector.name));
    Ok(Found::new(connectors.map(AsRef::as_ref), observed.into_iter().flatten().collect()))
}

/// The cells in the form of a published list.
fn cells(found: &Found) -> serde_json::Value {
    let operations = found.cells().into_iter().map(|(operation, fields)| {
        let rows = fields.into_iter().map(
            |((section, name), providers)| json!({"section": section, "name": name, "providers": providers}),
        );
        (operation, rows.collect::<Vec<_>>().into())
    });
    serde_json::Value::Object(operations.collect())
}

fn tell(found: &Found) {
    let rows: Vec<_> = found
        .observed
        .iter()
        .map(|one| {
            let told = if one.problems.is_empty() { "works" } else { "FAILS" };
            json!({"connector": one.connector, "case": one.case, "works": told, "outcome": one.outcome, "again": one.again})
        })
        .collect();
    crate::output::rows(Format::Table, &rows, &["connector", "case", "works", "outcome", "again"]);
}

fn tell_comparison(comparison: &Comparison, format: Format) {
    if format == Format::Json {
        println!("{}", json!(comparison));
        return;
    }
    println!("{} of {} published cells are covered", comparison.covered, comparison.published);
    println!("{} more cells of these operations are delivered here", comparison.extra);
    for missing in &comparison.missing {
        let why = missing.why.as_deref().unwrap_or("NO REASON IS STATED");
        println!("missing: {} {} {}: {why}", missing.vendor, missing.operation, missing.name);
    }
    for differing in &comparison.differing {
        println!("otherwise: {differing}");
    }
}

/// Whatever went wrong, on stderr, and a failure.
fn verdict(found: &Found, whole: bool) -> Result<(), Failure> {
    let mut count = 0;
    for (connector, case, what) in found.problems() {
        eprintln!("{connector}: {case}: {what}");
        count += 1;
    }
    for (connector, operation) in found.untried() {
        eprintln!("{connector}: {operation} has no case in sandbox.yaml");
        count += 1;
    }
    let of = if whole { "the catalogue" } else { "these connectors" };
    match count {
        0 => Ok(()),
        1 => Err(Failure::other(format!("{of}: one problem"))),
        count => Err(Failure::other(format!("{of}: {count} problems"))),
    }
}
