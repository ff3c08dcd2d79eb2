//! `koine`: the gateway and its administration.

/// In place of the standard one, in all modules below: output that nobody reads any more (`koine … | head`) is no
/// reason to panic, nor to leave work half done.
macro_rules! println {
    ($($text:tt)*) => { ::anstream::println!($($text)*) };
}
/// Likewise.
macro_rules! print {
    ($($text:tt)*) => { ::anstream::print!($($text)*) };
}
/// Likewise.
macro_rules! eprintln {
    ($($text:tt)*) => { ::anstream::eprintln!($($text)*) };
}

mod config;
mod failure;
mod output;
mod telemetry;
mod commands {
    //! One file per command.
    pub(crate) mod account;
    pub(crate) mod archive;
    pub(crate) mod audit;
    pub(crate) mod config;
    pub(crate) mod connector;
    pub(crate) mod demo;
    pub(crate) mod doctor;
    pub(crate) mod environment;
    pub(crate) mod jsonata;
    pub(crate) mod key;
    pub(crate) mod link_token;
    pub(crate) mod matrix;
    pub(crate) mod migrate;
    pub(crate) mod oauth_app;
    pub(crate) mod sandbox;
    pub(crate) mod serve;
    pub(crate) mod token;
    pub(crate) mod unified;
    pub(crate) mod webhook;
}
mod harden;
mod master_key;
mod open;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;
use koine_settings::LogFormat;
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
    /// The configuration file; without it KOINE_CONFIG, or else /etc/koine/koine.toml if it is there.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway.
    #[command(after_help = "docs/reference/settings.md has all settings; secret ones have no flag.")]
    Serve(commands::serve::Flags),
    /// Print every setting, and where its value came from.
    Config,
    /// Say what is not as it should be with this installation, and what to do. It changes nothing.
    Doctor(commands::doctor::Doctor),
    /// Run gateway and sandbox with accounts and made-up people, to try everything.
    Demo(commands::demo::Demo),
    /// Run the stand-in for all vendors.
    Sandbox(commands::sandbox::Sandbox),
    /// Make and change the master key.
    #[command(subcommand)]
    Key(commands::key::Command),
    /// Isolated workspaces.
    #[command(subcommand)]
    Environment(commands::environment::Command),
    /// API tokens.
    #[command(subcommand)]
    Token(commands::token::Command),
    /// Who changed what.
    #[command(subcommand)]
    Audit(commands::audit::Command),
    /// Connections of customers to vendors.
    #[command(subcommand)]
    Account(commands::account::Command),
    /// Apps that people are asked for their consent with (OAuth 2).
    #[command(subcommand)]
    OauthApp(commands::oauth_app::Command),
    /// Who is told of events, and what became of it.
    #[command(subcommand)]
    Webhook(commands::webhook::Command),
    /// Links on which customers connect their accounts themselves.
    #[command(subcommand)]
    LinkToken(commands::link_token::Command),
    /// What the gateway can talk to.
    #[command(subcommand)]
    Connector(commands::connector::Command),
    /// Make one unified call as the operator.
    Unified(commands::unified::Call),
    Jsonata(commands::jsonata::Jsonata),
    /// Call every method of every connector against the sandbox, and tell what each vendor delivers.
    Matrix(commands::matrix::Matrix),
    Migrate(commands::migrate::Migrate),
    /// Write the whole installation into an encrypted file, for a backup or another database.
    #[command(after_help = "Example:\n  koine export koine.export --passphrase-file passphrase")]
    Export(commands::archive::Archive),
    /// Read what `koine export` wrote into an empty database.
    #[command(
        after_help = "Example:\n  KOINE_DATABASE_URL=postgres://koine@db/koine koine import koine.export --passphrase-file passphrase"
    )]
    Import(commands::archive::Archive),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder.
    #[command(hide = true)]
    Man {
        /// The folder.
        folder: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    harden::against_dumps();
    let mut cli = Cli::parse();
    if let Some(file) = cli.config.take() {
        config::name_file(file);
    }
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("koine: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

/// What a server does, and of other commands only what went wrong. `serve` has settings for it.
fn log(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Serve(_) => Ok(()),
        Command::Demo(_) | Command::Sandbox(_) => telemetry::start("info", LogFormat::Text),
        _ => telemetry::start("warn", LogFormat::Text),
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    log(&cli.command)?;
    let format = cli.output;
    match cli.command {
        Command::Serve(flags) => commands::serve::run(flags).await,
        Command::Config => commands::config::run(format),
        Command::Doctor(options) => commands::doctor::run(&options, format).await,
        Command::Demo(options) => commands::demo::run(&options).await,
        Command::Sandbox(options) => commands::sandbox::run(&options, format).await,
        Command::Key(command) => commands::key::run(command, format).await,
        Command::Environment(command) => commands::environment::run(command, format).await,
        Command::Token(command) => commands::token::run(command, format).await,
        Command::Audit(command) => commands::audit::run(command, format).await,
        Command::Account(command) => commands::account::run(command, format).await,
        Command::OauthApp(command) => commands::oauth_app::run(command, format).await,
        Command::Webhook(command) => commands::webhook::run(command, format).await,
        Command::LinkToken(command) => commands::link_token::run(command, format).await,
        Command::Connector(command) => commands::connector::run(command, format).await,
        Command::Unified(call) => commands::unified::run(call).await,
        Command::Jsonata(options) => commands::jsonata::run(&options),
        Command::Matrix(options) => commands::matrix::run(&options, format).await,
        Command::Migrate(options) => commands::migrate::run(&options, format).await,
        Command::Export(options) => commands::archive::export(&options).await,
        Command::Import(options) => commands::archive::import(&options).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(
                shell,
                &mut <Cli as clap::CommandFactory>::command(),
                "koine",
                &mut script,
            );
            print!("{}", String::from_utf8_lossy(&script));
            Ok(())
        }
        Command::Man { folder } => {
            let fail = |error| Failure::other(format!("{}: {error}", folder.display()));
            clap_mangen::generate_to(<Cli as clap::CommandFactory>::command(), &folder).map_err(fail)
        }
    }
}
