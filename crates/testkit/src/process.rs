//! The built gateway as a process of its own: what a crash leaves behind is tested with a real crash.

use std::ffi::OsStr;
use std::io::{Error, Result};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::process::Command;

use crate::launch::{Launched, POLL};

/// How long a gateway may take to say that it is ready, or to end.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A running `koine`. It is killed when dropped.
#[derive(Debug)]
pub struct KoineProcess {
    running: Launched,
}

impl KoineProcess {
    /// Starts `binary` (in tests of the cli: `env!("CARGO_BIN_EXE_koine")`). The `KOINE_…` variables of the
    /// caller and a configuration file of the machine are not passed on; the variables in `env` are added.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        binary: impl AsRef<Path>,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        env: &[(&str, &str)],
    ) -> Result<Self> {
        let mut command = Command::new(binary.as_ref());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KOINE_") {
                command.env_remove(name);
            }
        }
        command.args(args).env("KOINE_CONFIG", "/dev/null").envs(env.iter().copied());
        Ok(Self { running: Launched::start(&mut command)? })
    }

    /// Waits for a line on stdout that contains `text`, and returns the whole line.
    ///
    /// # Panics
    /// When the process ends first or 60 seconds pass; the message holds its output.
    pub async fn line(&mut self, text: &str) -> String {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let ended = self.ended();
            let stdout = self.running.stdout();
            let whole = stdout.rfind('\n').map_or("", |end| &stdout[..end]);
            if let Some(line) = whole.lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            self.give_up_at(deadline, ended, &format!("no line with {text:?}"));
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until something answers at this address.
    ///
    /// # Panics
    /// When the process ends first or 60 seconds pass; the message holds its output.
    pub async fn port(&mut self, address: SocketAddr) {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let ended = self.ended();
            if ended.is_none() && TcpStream::connect(address).await.is_ok() {
                return;
            }
            self.give_up_at(deadline, ended, &format!("nothing answers at {address}"));
            tokio::time::sleep(POLL).await;
        }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// SIGKILL: no handler runs, nothing is flushed. Returns when the process is gone.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub async fn kill(&mut self) -> Result<()> {
        self.running.kill().await
    }

    /// SIGTERM, then waits for the end.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    ///
    /// # Panics
    /// When the process still runs after 60 seconds; the message holds its output.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        let signal = format!("kill -TERM {}", self.running.pid());
        let sent = Command::new("sh").args(["-c", &signal]).status().await?;
        if !sent.success() {
            return Err(Error::other(format!("{signal}: {sent}")));
        }
        self.end().await
    }

    /// Waits for the process to end by itself.
    ///
    /// # Errors
    /// When the operating system cannot tell.
    ///
    /// # Panics
    /// When it still runs after 60 seconds; the message holds its output.
    pub async fn end(&mut self) -> Result<ExitStatus> {
        match tokio::time::timeout(TIMEOUT, self.running.wait()).await {
            Ok(status) => status,
            Err(_) => panic!("still running after {TIMEOUT:?}\n{}", self.running.report()),
        }
    }

    /// All it wrote to stdout so far.
    pub fn stdout(&self) -> String {
        self.running.stdout()
    }

    /// All it wrote to stderr so far: the log.
    pub fn stderr(&self) -> String {
        self.running.stderr()
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.running.ended().expect("the operating system knows about our own child")
    }

    fn give_up_at(&self, deadline: Instant, ended: Option<ExitStatus>, what: &str) {
        if let Some(status) = ended {
            panic!("{what}: it ended with {status}\n{}", self.running.report());
        }
        assert!(Instant::now() < deadline, "{what} in {TIMEOUT:?}\n{}", self.running.report());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, env: &[(&str, &str)]) -> KoineProcess {
        KoineProcess::start("/bin/sh", ["-c", script], env).unwrap()
    }

    #[tokio::test]
    async fn waits_for_a_whole_line_and_keeps_stderr() {
        let mut process = shell(
            "echo oops >&2; printf 'listening on '; sleep 0.1; echo $WHERE; sleep 60",
            &[("WHERE", "a:1")],
        );
        assert_eq!(process.line("listening").await, "listening on a:1");
        assert_eq!(process.stderr(), "oops\n");
    }

    #[tokio::test]
    async fn terminate_lets_a_handler_run_and_kill_does_not() {
        let script = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done";
        let mut process = shell(script, &[]);
        process.line("up").await;
        assert_eq!(process.terminate().await.unwrap().code(), Some(3));
        assert_eq!(process.stdout(), "up\nbye\n");

        let mut process = shell(script, &[]);
        process.line("up").await;
        process.kill().await.unwrap();
        assert_eq!(process.end().await.unwrap().code(), None);
        assert_eq!(process.stdout(), "up\n");
    }

    #[tokio::test]
    #[should_panic(expected = "boom")]
    async fn an_early_end_shows_the_output() {
        shell("echo boom >&2; exit 1", &[]).line("listening").await;
    }
}
