//! A binary that is run to its end.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a command left behind.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// All it printed.
    pub stdout: String,
    /// All it complained about.
    pub stderr: String,
}

/// A binary with the variables it sees, and no others: neither the caller's nor a configuration file of the machine's.
#[derive(Clone, Debug)]
pub struct Runner {
    binary: PathBuf,
    env: Vec<(String, String)>,
    stdin: String,
}

impl Runner {
    /// For `binary` (in tests of the cli: `env!("CARGO_BIN_EXE_koine")`).
    pub fn new(binary: impl AsRef<Path>) -> Self {
        let env = vec![("KOINE_CONFIG".to_owned(), "/dev/null".to_owned())];
        Self { binary: binary.as_ref().to_owned(), env, stdin: String::new() }
    }

    /// With a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this on its standard input; without, there is nothing.
    #[must_use]
    pub fn stdin(mut self, text: &str) -> Self {
        text.clone_into(&mut self.stdin);
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it cannot be started, was killed, or printed something that is no text.
    pub fn run(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
        let mut child = Command::new(&self.binary)
            .args(args)
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary can be started");
        // A command that does not read its input may be gone already.
        let _unread = child.stdin.take().expect("a piped input").write_all(self.stdin.as_bytes());
        let output = child.wait_with_output().expect("the operating system knows about our own child");
        Ran {
            code: output.status.code().expect("it ends by itself"),
            stdout: String::from_utf8(output.stdout).expect("it prints text"),
            stderr: String::from_utf8(output.stderr).expect("it complains in text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_leaves_code_and_texts_behind_and_sees_its_own_variables_only() {
        let runner = Runner::new("/bin/sh").env("WHO", "me").stdin("asked\n");
        let ran = runner.run(["-c", "read said; echo $said $WHO $HOME $CARGO; echo oops >&2; exit 3"]);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (3, "asked me\n", "oops\n"));
    }
}
