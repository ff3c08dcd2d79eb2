//! `koine connector`.

mod new;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use koine_connector::Problems;
use koine_connector::catalogue::{self, Catalogue};
use serde_json::{Value, json};

use crate::config;
use crate::failure::Failure;
use crate::open;
use crate::output::{self, Format};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// All of them.
    List,
    /// One of them: credential fields, methods and how sure they are, what the vendor cannot do.
    #[command(after_help = SHOW_HELP)]
    Show {
        /// Its name.
        name: String,
    },
    /// Compile the built-in connectors and their sandboxes, or a folder's over them, and report every problem.
    Check {
        /// A folder of connector folders.
        folder: Option<PathBuf>,
    },
    /// Replay fixtures: the built-in ones, or those of a folder of connectors.
    #[command(
        after_help = "Examples:\n  koine connector test okta\n  koine connector test acme --folder connectors --bless"
    )]
    Test {
        /// Only this connector's.
        name: Option<String>,
        /// A folder of connector folders, laid over the built-in ones.
        #[arg(long)]
        folder: Option<PathBuf>,
        /// Write what is answered now as what is expected; read the difference before you commit it.
        #[arg(long, requires = "folder")]
        bless: bool,
    },
    /// Draft a connector, from nothing or from the vendor's specification.
    New(new::New),
    /// Hold what connectors send, and what fixtures and sandbox answer, against the vendors' own specifications.
    Verify(verify::Verify),
}

const SHOW_HELP: &str =
    "A method is `unverified` when its requests are known from memory or from other people's code only.

Examples:
  koine connector show okta
  koine connector show okta -o json";

const COLUMNS: &[&str] = &["name", "label", "category", "api"];

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::Check { folder } => {
            println!("{} connectors, no problems", checked(folder.as_deref())?);
        }
        Command::Test { name, folder, bless } => {
            return test(name.as_deref(), folder.as_deref(), bless, format).await;
        }
        Command::New(new) => return new::run(&new).await,
        Command::Verify(verify) => return verify::run(&verify, format).await,
        Command::List => {
            let catalogue = open::catalogue(config::connectors_dir()?.as_deref())?;
            let all: Vec<_> =
                catalogue.connectors().map(|connector| koine_engine::describe(connector)).collect();
            output::rows(format, &all, COLUMNS);
        }
        Command::Show { name } => {
            let catalogue = open::catalogue(config::connectors_dir()?.as_deref())?;
            let connector = catalogue.connector(&name);
            let connector =
                connector.ok_or_else(|| Failure::not_found(format!("there is no connector `{name}`")))?;
            show(format, &koine_engine::describe_fully(connector));
        }
    }
    Ok(())
}

fn show(format: Format, connector: &Value) {
    output::one(format, connector, COLUMNS);
    if format == Format::Json {
        return;
    }
    let section = |title: &str, items: &[Value], columns: &[&str]| {
        if !items.is_empty() {
            println!("\n{title}");
            output::rows(format, items, columns);
        }
    };
    let list = |name: &str| connector[name].as_array().cloned().unwrap_or_default();
    for (kind, credentials) in connector["credentials"].as_object().into_iter().flatten() {
        let fields = credentials["fields"].as_array().cloned().unwrap_or_default();
        let columns = ["name", "label", "secret", "required", "example", "help"];
        section(&format!("Credentials of kind {kind}"), &fields, &columns);
    }
    let mut methods = list("methods");
    for method in &mut methods {
        let names = method["parameters"].as_array().into_iter().flatten().map(parameter).collect::<Vec<_>>();
        method["parameters"] = Value::String(names.join(" "));
    }
    section("Methods (* is required)", &methods, &["method", "confidence", "parameters"]);
    methods.retain(|method| !method["removal"].is_null());
    let columns = ["method", "removal.effect", "removal.reversible", "removal.seat_freed", "removal.content"];
    section("Removals", &methods, &columns);
    section("What the vendor cannot do", &list("unsupported"), &["what", "why"]);
    for note in list("notes") {
        println!("\n{}", note.as_str().unwrap_or_default());
    }
}

/// `query.emails*`: where a parameter goes, and whether the vendor cannot do without.
fn parameter(parameter: &Value) -> String {
    let text = |key: &str| parameter[key].as_str().unwrap_or_default();
    let mark = if parameter["required"] == true { "*" } else { "" };
    format!("{}.{}{mark}", text("in"), text("name"))
}

/// How many connectors there are, when neither they nor their sandboxes have a problem.
fn checked(folder: Option<&Path>) -> Result<usize, Failure> {
    let all = |problems: Problems| Failure::other(problems.to_string());
    let files = catalogue::files(folder).map_err(all)?;
    let catalogue = Catalogue::compile(&files);
    let sandbox = koine_sandbox::Sandbox::new(&files, 0);
    match (catalogue, sandbox) {
        (Ok(catalogue), Ok(_)) => Ok(catalogue.connectors().count()),
        (catalogue, sandbox) => {
            let both = [catalogue.err(), sandbox.err()].into_iter().flatten().flat_map(|problems| problems.0);
            let mut problems = Problems(both.collect());
            problems.0.sort();
            Err(all(problems))
        }
    }
}

fn compiled(folder: Option<&Path>) -> Result<Catalogue, Failure> {
    let checked = match folder {
        Some(folder) => Catalogue::with_folder(folder),
        None => Catalogue::embedded(),
    };
    checked.map_err(|problems| Failure::other(problems.to_string()))
}

async fn test(name: Option<&str>, folder: Option<&Path>, bless: bool, format: Format) -> Result<(), Failure> {
    let catalogue = Arc::new(compiled(folder)?);
    if let Some(name) = name.filter(|name| catalogue.connector(name).is_none()) {
        return Err(Failure::not_found(format!("there is no connector `{name}`")));
    }
    let problems = |problems: Problems| Failure::other(problems.to_string());
    let files = catalogue::fixtures(folder).map_err(problems)?;
    let only = |file: &String| name.is_none_or(|name| file.starts_with(&format!("{name}/")));
    let reports = koine_fixtures::replay(&catalogue, &files, name).await.map_err(problems)?;
    let folder = folder.filter(|_| bless);
    if let Some(folder) = folder {
        for (file, text) in koine_fixtures::blessed(&reports).into_iter().filter(|(file, _)| only(file)) {
            let path = folder.join(file);
            std::fs::write(&path, text)
                .map_err(|error| Failure::other(format!("{}: {error}", path.display())))?;
        }
    }
    let written =
        |report: &koine_fixtures::Report| folder.is_some() && report.differs && report.may_be_blessed();
    let wrong = |report: &&koine_fixtures::Report| !report.problems.is_empty() && !written(report);
    let failed = reports.iter().filter(wrong).count();
    let row = |report: &koine_fixtures::Report| {
        let result = match report {
            report if written(report) => "written",
            report if report.problems.is_empty() => "ok",
            _ => "failed",
        };
        json!({"fixture": report.file, "result": result, "problems": report.problems})
    };
    output::rows(format, &reports.iter().map(row).collect::<Vec<_>>(), &["fixture", "result"]);
    for report in reports.iter().filter(wrong) {
        eprintln!("{}\n    {}", report.file, report.problems.join("\n    "));
    }
    match failed {
        0 => Ok(()),
        failed => Err(Failure::other(format!("{failed} of {} fixtures failed", reports.len()))),
    }
}
