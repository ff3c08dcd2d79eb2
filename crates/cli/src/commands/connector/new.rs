//! `koine connector new`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use koine_conformance::Specification;
use koine_connector::catalogue;
use koine_scaffold::{Draft, files, is_name};

use super::compiled;
use crate::failure::Failure;

/// What to draft.
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct New {
    /// The folder's name: lower case, words joined by hyphens.
    name: String,
    /// The folder of connector folders that it goes into.
    #[arg(long, value_name = "DIR", default_value = "connectors")]
    folder: PathBuf,
    /// The name people know; by default made of the name.
    #[arg(long)]
    label: Option<String>,
    /// The vendor's specification, to begin with what it says of people.
    #[arg(long, value_name = "FILE")]
    openapi: Option<PathBuf>,
}

const HELP: &str =
    "The draft compiles and its fixtures pass. What it says of removals is for you to find out.

Examples:
  koine connector new acme
  koine connector new acme --openapi acme.yaml --folder my-connectors";

pub(crate) async fn run(new: &New) -> Result<(), Failure> {
    if !is_name(&new.name) {
        let message =
            format!("`{}` cannot be a name; use lower case and hyphens, such as `acme-hr`", new.name);
        return Err(Failure::usage(message));
    }
    let folder = new.folder.join(&new.name);
    if folder.exists() {
        return Err(Failure::usage(format!("{} exists; choose another name", folder.display())));
    }
    let mut draft = drafted(new)?;
    if let Some(label) = &new.label {
        draft.label.clone_from(label);
    }
    for (file, text) in files(&draft) {
        write(&folder.join(file), &text)?;
    }
    let answers = bless(new).await?;
    println!("{}: {} fixtures pass. Now\n", folder.display(), answers);
    println!(
        "  1. correct connector.yaml and user-directory.yaml by the vendor's reference, and say in facts.yaml where you read it"
    );
    println!("  2. say what a removal really does, whether it can be undone, and how it is read back");
    println!("  3. write sandbox.yaml and the fixtures from the reference, not from connector.yaml\n");
    let dir = new.folder.display();
    println!("  koine connector check {dir}\n  koine connector test {} --folder {dir}", new.name);
    if let Some(file) = &new.openapi {
        println!("  koine connector verify {} --folder {dir} --openapi {}", new.name, file.display());
    }
    Ok(())
}

fn drafted(new: &New) -> Result<Draft, Failure> {
    let Some(file) = &new.openapi else { return Ok(Draft::unknown(&new.name)) };
    let specification = Specification::read(file).map_err(|error| Failure::usage(error.to_string()))?;
    let none = || Failure::usage(format!("{} lists no people; try without --openapi", file.display()));
    specification.draft(&new.name).ok_or_else(none)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let fail = |error: std::io::Error| Failure::other(format!("{}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    std::fs::write(path, text).map_err(fail)
}

/// Replays the new fixtures, and writes down what is answered. Gives how many there are.
async fn bless(new: &New) -> Result<usize, Failure> {
    let problems = |problems: koine_connector::Problems| Failure::other(problems.to_string());
    let catalogue = Arc::new(compiled(Some(&new.folder))?);
    let files = catalogue::fixtures(Some(&new.folder)).map_err(problems)?;
    let own = format!("{}/", new.name);
    let files: BTreeMap<_, _> = files.into_iter().filter(|(file, _)| file.starts_with(&own)).collect();
    let reports = koine_fixtures::replay(&catalogue, &files, Some(&new.name)).await.map_err(problems)?;
    for (file, text) in koine_fixtures::blessed(&reports) {
        write(&new.folder.join(file), &text)?;
    }
    Ok(reports.len())
}
