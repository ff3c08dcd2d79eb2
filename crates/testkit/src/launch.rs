//! Child processes whose output goes to temporary files, and where the installed servers are.

use std::io::{Read, Result};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tempfile::NamedTempFile;
use tokio::process::{Child, Command};

/// How often a waiting harness looks again.
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// A running child. Its output goes to files, so it never blocks on a full pipe, and it is killed on drop.
#[derive(Debug)]
pub(crate) struct Launched {
    child: Child,
    pid: u32,
    stdout: NamedTempFile,
    stderr: NamedTempFile,
}

impl Launched {
    /// Starts the command, with no stdin.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let (stdout, stderr) = (NamedTempFile::new()?, NamedTempFile::new()?);
        let child = command
            .stdin(Stdio::null())
            .stdout(stdout.reopen()?)
            .stderr(stderr.reopen()?)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().expect("a child that was not waited for has an id");
        Ok(Self { child, pid, stdout, stderr })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, or `None` while it runs.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    pub(crate) async fn wait(&mut self) -> Result<ExitStatus> {
        self.child.wait().await
    }

    /// SIGKILL, and waits until the process is gone.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        self.child.kill().await
    }

    pub(crate) fn stdout(&self) -> String {
        text_of(&self.stdout)
    }

    pub(crate) fn stderr(&self) -> String {
        text_of(&self.stderr)
    }

    /// Both outputs, for the message of a failure.
    pub(crate) fn report(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}", self.stdout(), self.stderr())
    }
}

impl Drop for Launched {
    /// Kills and reaps here: what a test started is gone when the test is over.
    fn drop(&mut self) {
        if self.child.start_kill().is_err() {
            return; // it ended before
        }
        for _ in 0..1000 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn text_of(file: &NamedTempFile) -> String {
    let mut bytes = Vec::new();
    match file.reopen().and_then(|mut file| file.read_to_end(&mut bytes)) {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("(unreadable: {error})"),
    }
}

/// A loopback port nobody listens on right now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// A file below the directory of installed servers (`.tools`, or `$KOINE_TOOLS_DIR`).
///
/// # Panics
/// When it is missing: the servers are not installed.
pub fn installed(relative: &str) -> PathBuf {
    let path = match std::env::var_os("KOINE_TOOLS_DIR") {
        Some(tools) => PathBuf::from(tools).join(relative),
        None => repository().join(".tools").join(relative),
    };
    assert!(path.exists(), "{} is missing: run ./test once, it installs the servers", path.display());
    path
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
