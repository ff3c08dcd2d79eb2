//! `koine`: the gateway and its administration.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its terminal")]

mod config;
mod failure;
mod output;
mod commands {
    //! One file per command.
    pub(crate) mod account;
    pub(crate) mod connector;
    pub(crate) mod demo;
    pub(crate) mod environment;
    pub(crate) mod jsonata;
    pub(crate) mod matrix;
    pub(crate) mod sandbox;
    pub(crate) mod serve;
    pub(crate) mod token;
    pub(crate) mod unified;
}
mod open;
mod world;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;
use output::Format;

/// Calls begin on one worker and end on another. The system's allocator makes them wait for each other then, once in
/// nearly every call; this one does not, and a call costs an eighth less.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Find, deactivate and remove people in every SaaS product, through one API.
#[derive(Parser)]
#[command(
    name = "koine",
    version,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused, 5 uncertain.\n\nExample:\n  export KOINE_MASTER_KEY=$(koine key generate)\n  koine serve"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How to print results.
    #[arg(short, long, value_enum, default_value_t = Format::Table, global = true)]
    output: Format,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway.
    Serve,
    /// Run gateway and sandbox with accounts and made-up people, to try everything.
    Demo(commands::demo::Demo),
    /// Run the stand-in for all vendors.
    Sandbox(commands::sandbox::Sandbox),
    /// Make a master key.
    #[command(subcommand)]
    Key(Key),
    /// Isolated workspaces.
    #[command(subcommand)]
    Environment(commands::environment::Command),
    /// API tokens.
    #[command(subcommand)]
    Token(commands::token::Command),
    /// Connections of customers to vendors.
    #[command(subcommand)]
    Account(commands::account::Command),
    /// What the gateway can talk to.
    #[command(subcommand)]
    Connector(commands::connector::Command),
    /// Make one unified call as the operator.
    Unified(commands::unified::Call),
    Jsonata(commands::jsonata::Jsonata),
    /// Call every method of every connector against the sandbox, and tell what each vendor delivers.
    Matrix(commands::matrix::Matrix),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Subcommand)]
enum Key {
    /// Print 32 random bytes in base64.
    Generate,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    log(&cli.command);
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("koine: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

/// To stderr: what a server does, and of other commands only what went wrong; `RUST_LOG` overrides.
fn log(command: &Command) {
    let level = if matches!(command, Command::Serve | Command::Demo(_) | Command::Sandbox(_)) {
        "info"
    } else {
        "warn"
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| level.into());
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(ansi).with_env_filter(filter).init();
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let format = cli.output;
    match cli.command {
        Command::Serve => commands::serve::run().await,
        Command::Demo(options) => commands::demo::run(&options).await,
        Command::Sandbox(options) => commands::sandbox::run(&options, format).await,
        Command::Key(Key::Generate) => {
            println!("{}", koine_store::MasterKey::generate().to_base64());
            Ok(())
        }
        Command::Environment(command) => commands::environment::run(command, format).await,
        Command::Token(command) => commands::token::run(command, format).await,
        Command::Account(command) => commands::account::run(command, format).await,
        Command::Connector(command) => commands::connector::run(command, format).await,
        Command::Unified(call) => commands::unified::run(call).await,
        Command::Jsonata(options) => commands::jsonata::run(&options),
        Command::Matrix(options) => commands::matrix::run(&options, format).await,
        Command::Completions { shell } => {
            let mut command = <Cli as clap::CommandFactory>::command();
            clap_complete::generate(shell, &mut command, "koine", &mut std::io::stdout());
            Ok(())
        }
    }
}
