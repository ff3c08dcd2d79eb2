//! Runs Python scripts against the installed SDK.

use std::io::Result;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Command;

use crate::launch::{Launched, installed};

const TIMEOUT: Duration = Duration::from_secs(60);

/// What a script left behind.
#[derive(Debug, Clone)]
pub struct ScriptOutput {
    /// How it ended.
    pub status: ExitStatus,
    /// All it printed.
    pub stdout: String,
    /// All it complained about.
    pub stderr: String,
}

/// Runs a script file with the Python that has `truto_python_sdk` installed, for at most 60 seconds.
///
/// The SDK: `TrutoApi(token, base_url="http://…")`, all of it async. It asks for Python 3.12 in its package
/// data; it was measured to work on 3.11 too.
///
/// # Errors
/// When the interpreter cannot be started.
///
/// # Panics
/// When the servers are not installed, or the script takes longer than 60 seconds.
pub async fn python(script: &Path, args: &[&str], env: &[(&str, &str)]) -> Result<ScriptOutput> {
    let mut command = Command::new(installed("venv/bin/python"));
    command.arg(script).args(args).envs(env.iter().copied()).env("PYTHONDONTWRITEBYTECODE", "1");
    let mut running = Launched::start(&mut command)?;
    let Ok(status) = tokio::time::timeout(TIMEOUT, running.wait()).await else {
        panic!("{} ran longer than {TIMEOUT:?}\n{}", script.display(), running.report());
    };
    Ok(ScriptOutput { status: status?, stdout: running.stdout(), stderr: running.stderr() })
}
