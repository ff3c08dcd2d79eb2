//! `koine connector verify`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgGroup, Args};
use koine_conformance::{Deviation, Found, Material, Report, Specification, Unreadable};
use koine_connector::catalogue;
use koine_connector::compiled::Connector;
use koine_connector::facts::SpecificationFile;
use serde_json::{Value, json};

use super::compiled;
use crate::failure::Failure;
use crate::output::{self, Format};

/// Which connectors, and against what.
#[derive(Args)]
#[command(
    group = ArgGroup::new("which").args(["name", "all"]).required(true),
    group = ArgGroup::new("against").args(["openapi", "openapi_dir"]).required(true),
    after_help = HELP
)]
pub(crate) struct Verify {
    /// The connector.
    name: Option<String>,
    /// Every connector that has a specification in the folder.
    #[arg(long, conflicts_with = "openapi")]
    all: bool,
    /// The vendor's specification; several are one API.
    #[arg(long, value_name = "FILE")]
    openapi: Vec<PathBuf>,
    /// A folder of specifications, named as `facts.yaml` says or <connector>.json.
    #[arg(long, value_name = "DIR")]
    openapi_dir: Option<PathBuf>,
    /// Start of our paths, and what it is in the specification: `/api=/api/v2`.
    #[arg(long, value_name = "FROM=TO", value_parser = rewrite)]
    rewrite: Vec<(String, String)>,
    /// Print JSON, as -o json does.
    #[arg(long)]
    json: bool,
    /// A folder of connector folders, laid over the built-in ones.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

const HELP: &str =
    "OpenAPI 2, 3.0 and 3.1 (JSON or YAML), Google Discovery documents and JSON hyper-schemas are read.
What `facts.yaml` tolerates under `specification` is told, and is no failure.

Examples:
  koine connector verify okta --openapi management.yaml
  koine connector verify --all --openapi-dir vendor-specs";

const COLUMNS: &[&str] = &[
    "connector",
    "result",
    "specification",
    "fixtures",
    "sandbox",
    "operations",
    "unjudged",
    "deviations",
    "tolerated",
];

fn rewrite(text: &str) -> Result<(String, String), String> {
    let (from, to) = text.split_once('=').ok_or("write FROM=TO")?;
    let is_path = |path: &str| path.is_empty() || path.starts_with('/');
    if !is_path(from) || !is_path(to) {
        return Err("both begin with a slash".to_owned());
    }
    Ok((from.trim_end_matches('/').to_owned(), to.trim_end_matches('/').to_owned()))
}

pub(crate) async fn run(verify: &Verify, format: Format) -> Result<(), Failure> {
    let format = if verify.json { Format::Json } else { format };
    let folder = verify.folder.as_deref();
    let problems = |problems: koine_connector::Problems| Failure::other(problems.to_string());
    let material = Material {
        catalogue: Arc::new(compiled(folder)?),
        files: catalogue::files(folder).map_err(problems)?,
        fixtures: catalogue::fixtures(folder).map_err(problems)?,
    };
    let wanted =
        |connector: &&Arc<Connector>| verify.name.as_ref().is_none_or(|name| connector.name == *name);
    let connectors: Vec<_> = material.catalogue.connectors().filter(wanted).cloned().collect();
    if let Some(name) = verify.name.as_ref().filter(|_| connectors.is_empty()) {
        return Err(Failure::not_found(format!("there is no connector `{name}`")));
    }
    let (mut reports, mut without) = (Vec::new(), Vec::new());
    for connector in connectors {
        let specifications = specifications(verify, &connector)?;
        if specifications.is_empty() {
            if let (Some(name), Some(folder)) = (&verify.name, &verify.openapi_dir) {
                return Err(Failure::not_found(format!("{}: no specification of {name}", folder.display())));
            }
            without.push(connector.name.clone());
            continue;
        }
        let report = koine_conformance::verify(&material, &connector.name, specifications).await;
        reports.push(report.map_err(|failure| Failure::other(failure.to_string()))?);
    }
    if format == Format::Table && !without.is_empty() {
        println!("No specification of: {}\n", without.join(", "));
    }
    show(&reports, format)
}

/// The specifications of a connector that there are, each with what `facts.yaml` says of it.
fn specifications(
    verify: &Verify,
    connector: &Connector,
) -> Result<Vec<(Specification, SpecificationFile)>, Failure> {
    let mut all = match &verify.openapi_dir {
        Some(folder) => koine_conformance::specifications(connector, folder).map_err(unreadable)?,
        None => Vec::new(),
    };
    let known = &connector.facts.specification;
    for path in &verify.openapi {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // the whole one may have another name than the one that the connector was written with
        let facts = known.iter().find(|facts| facts.file == name).or(known.first());
        all.push((Specification::read(path).map_err(unreadable)?, facts.cloned().unwrap_or_default()));
    }
    if !verify.rewrite.is_empty() {
        all.iter_mut().for_each(|(_, facts)| facts.rewrite.clone_from(&verify.rewrite));
    }
    Ok(all)
}

fn unreadable(error: Unreadable) -> Failure {
    match error {
        Unreadable::Missing { .. } => Failure::not_found(error.to_string()),
        other => Failure::other(other.to_string()),
    }
}

fn show(reports: &[Report], format: Format) -> Result<(), Failure> {
    output::rows(format, &reports.iter().map(row).collect::<Vec<_>>(), COLUMNS);
    if format == Format::Table {
        reports.iter().for_each(tell);
    }
    let failed: Vec<_> = reports.iter().filter(|report| !report.passed()).collect();
    match failed.as_slice() {
        [] => Ok(()),
        _ => {
            let names: Vec<_> = failed.iter().map(|report| report.connector.as_str()).collect();
            Err(Failure::other(format!("not as the specification says: {}", names.join(", "))))
        }
    }
}

fn row(report: &Report) -> Value {
    let found = |found: &Found| {
        let deviation = &found.deviation;
        json!({"source": deviation.source, "operation": deviation.operation, "at": deviation.at, "says": deviation.says,
               "advice": deviation.advice, "specification": deviation.specification, "times": found.times})
    };
    let tolerated = report.tolerated.iter().map(|(deviation, why)| {
        let mut row = found(deviation);
        row["why"] = json!(why);
        row
    });
    let unused = report.unused.iter().map(|unused| json!({"operation": unused.operation, "at": unused.at}));
    let mut row = json!({
        "connector": report.connector, "result": if report.passed() { "ok" } else { "failed" },
        "specification": report.specifications.join(" "), "fixtures": report.fixtures, "sandbox": report.sandbox,
        "operations": report.operations.len(), "unjudged": report.unjudged.len(), "deviations": report.deviations.len(), "tolerated": report.tolerated.len(),
    });
    row["details"] = json!({
        "operations": report.operations, "unjudged": report.unjudged, "deviations": report.deviations.iter().map(found).collect::<Vec<_>>(),
        "tolerated": tolerated.collect::<Vec<_>>(), "unused": unused.collect::<Vec<_>>(),
    });
    row
}

fn tell(report: &Report) {
    for found in &report.deviations {
        let Deviation { source, operation, at, says, advice, specification } = &found.deviation;
        let more = if found.times > 1 { format!(" ({} times)", found.times) } else { String::new() };
        println!("\n{source}{more}\n    {operation}\n    {at}: {says}\n    {advice}; see {specification}");
    }
    for unused in &report.unused {
        let place = &unused.place;
        let (operation, at) = (&unused.operation, &unused.at);
        println!(
            "\n{}:{}:{}\n    nothing differs at `{at}` of `{operation}` any more; take it out of `tolerated`",
            place.file, place.line, place.column
        );
    }
    let mut reasons: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (found, why) in &report.tolerated {
        let deviation = &found.deviation;
        reasons.entry(why).or_default().insert(format!("{}: {}", deviation.operation, deviation.at));
    }
    for (why, places) in reasons {
        let first = places.first().map_or("", String::as_str);
        let more = if places.len() > 1 { format!(" and {} more", places.len() - 1) } else { String::new() };
        println!("\n{} tolerates {first}{more}\n    {why}", report.connector);
    }
}
