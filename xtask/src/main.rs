//! `cargo xtask generate` writes what follows from the code: the reference of functions, the schemas for editors.
//! `cargo xtask bench` measures.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its terminal")]

mod bench;
mod functions;
mod schema;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "What keeps the repository in step with itself")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write docs/functions.md, docs/reference/ and packaging/koine.toml.
    Generate {
        /// Only say which files are out of date, and fail.
        #[arg(long)]
        check: bool,
    },
    /// Measure what the gateway costs, beside nginx.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Generate { check } => generate(check),
        Command::Bench(options) => bench::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// What the Debian package sets: commands at a terminal find the same data and key as the service.
const PACKAGED: &[(&str, &str)] =
    &[("data_dir", "/var/lib/koine"), ("master_key_file", "/etc/koine/master.key")];

/// Path below the repository and content of every generated file.
fn files() -> Result<Vec<(&'static str, String)>, String> {
    let json = |value: &serde_json::Value| format!("{value:#}\n");
    Ok(vec![
        ("docs/functions.md", functions::page()?),
        ("docs/reference/connector.schema.json", json(&schema::connector())),
        ("docs/reference/settings.md", koine_settings::page()),
        ("packaging/koine.toml", koine_settings::example(PACKAGED)),
        ("docs/reference/facts.schema.json", json(&schema::facts())),
        ("docs/reference/mapping.schema.json", json(&schema::mapping())),
        ("docs/reference/sandbox.schema.json", json(&schema::sandbox())),
    ])
}

fn generate(check: bool) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut stale = Vec::new();
    for (file, content) in files()? {
        let path = root.join(file);
        // A missing file is as stale as a different one.
        if std::fs::read_to_string(&path).is_ok_and(|old| old == content) {
            continue;
        }
        stale.push(file);
        if !check {
            std::fs::write(&path, content).map_err(|error| format!("{file}: {error}"))?;
            println!("wrote {file}");
        }
    }
    if check && !stale.is_empty() {
        return Err(format!("out of date: {}; run `cargo xtask generate`", stale.join(", ")));
    }
    Ok(())
}
