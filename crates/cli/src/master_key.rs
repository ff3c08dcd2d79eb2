//! Where the master key comes from: a variable, a file, or a command's output.
//!
//! Each may hold several keys, one on a line (or with blanks between). The first is the one to be used; the others still
//! open a database that is under them. That is how a key is replaced while nodes run: every node knows both before
//! `koine key rotate` changes the database from one to the other.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use koine_model::Secret;
use koine_store::{KeySource, MasterKey, StoreError};
use tokio::io::AsyncReadExt as _;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Longest time for the command to give the key.
const COMMAND_TIME: Duration = Duration::from_secs(20);
/// Most bytes of a file or output with keys.
const LARGEST: u64 = 64 * 1024;

/// One place of keys, and further keys that are not to be used any more.
#[derive(Clone)]
pub(crate) struct MasterKeys {
    place: Place,
    previous: Option<Secret>,
}

/// A place of keys.
#[derive(Clone)]
pub(crate) enum Place {
    /// The keys themselves.
    Text(Secret),
    /// A file with them.
    File(PathBuf),
    /// A program with its arguments that prints them.
    Command(Vec<String>),
}

impl Place {
    /// A program with its arguments, split at blanks.
    pub(crate) fn command(line: &str) -> Result<Self, Failure> {
        words(line).map(Self::Command)
    }
}

impl MasterKeys {
    /// From one place, and further keys that still open a database.
    pub(crate) fn new(place: Place, previous: Option<Secret>) -> Self {
        Self { place, previous }
    }

    /// One key that stays.
    pub(crate) fn text(key: Secret) -> Self {
        Self { place: Place::Text(key), previous: None }
    }

    /// The file that holds the keys, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::File(file) => Some(file),
            _ => None,
        }
    }

    /// All keys, the one to be used first.
    pub(crate) async fn all(&self) -> Result<Vec<MasterKey>, Failure> {
        let (name, text) = match &self.place {
            Place::Text(text) => ("KOINE_MASTER_KEY", Zeroizing::new(text.expose().to_owned())),
            Place::File(file) => ("KOINE_MASTER_KEY_FILE", read_file(file)?),
            Place::Command(words) => ("KOINE_MASTER_KEY_COMMAND", output(words).await?),
        };
        let mut keys = parse(name, &text)?;
        if let Some(previous) = &self.previous {
            keys.extend(parse("KOINE_MASTER_KEY_PREVIOUS", previous.expose())?);
        }
        Ok(keys)
    }
}

#[async_trait]
impl KeySource for MasterKeys {
    async fn keys(&self) -> Result<Vec<MasterKey>, StoreError> {
        self.all().await.map_err(|failure| StoreError::KeySource { why: failure.message })
    }
}

fn parse(name: &str, text: &str) -> Result<Vec<MasterKey>, Failure> {
    let keys = text.split_whitespace().map(MasterKey::from_base64).collect::<Result<Vec<_>, _>>();
    let keys = keys.map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    if keys.is_empty() {
        return Err(Failure::usage(format!("{name} holds no key; `koine key generate` makes one")));
    }
    Ok(keys)
}

/// The file's text, if nobody but its owner (and, to read, its group) has access to it.
fn read_file(file: &Path) -> Result<Zeroizing<String>, Failure> {
    use std::io::Read;
    let fail = |why: &dyn std::fmt::Display| {
        Failure::usage(format!("KOINE_MASTER_KEY_FILE {}: {why}", file.display()))
    };
    // The mode is that of the file that is read, whatever happens to its name meanwhile.
    let mut open = std::fs::File::open(file).map_err(|error| fail(&error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = open.metadata().map_err(|error| fail(&error))?.permissions().mode() & 0o777;
        if mode & 0o027 != 0 {
            return Err(fail(&format_args!(
                "others may read or change it (mode {mode:03o}); `chmod 600` it, and if they could for long, replace the key"
            )));
        }
    }
    let mut text = Zeroizing::new(String::with_capacity(4096));
    Read::by_ref(&mut open).take(LARGEST).read_to_string(&mut text).map_err(|error| fail(&error))?;
    Ok(text)
}

/// The words of a command, split at blanks; no shell sees them.
fn words(line: &str) -> Result<Vec<String>, Failure> {
    let words: Vec<String> = line.split_whitespace().map(ToOwned::to_owned).collect();
    if line.contains(['"', '\'', '`', '$', '|', ';', '<', '>', '\\']) {
        return Err(Failure::usage(
            "KOINE_MASTER_KEY_COMMAND is run without a shell: a program and its words, no quotes, pipes or variables; \
             put more into a script",
        ));
    }
    Ok(words)
}

/// What the command prints. What it says on stderr goes to ours: it is for the operator.
async fn output(words: &[String]) -> Result<Zeroizing<String>, Failure> {
    let fail = |why: &dyn std::fmt::Display| Failure::usage(format!("KOINE_MASTER_KEY_COMMAND: {why}"));
    let (program, arguments) = words.split_first().ok_or_else(|| fail(&"is empty"))?;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| fail(&format_args!("{program}: {error}")))?;
    let mut stdout = child.stdout.take().expect("stdout is a pipe").take(LARGEST);
    let run = async {
        let mut text = Zeroizing::new(String::with_capacity(4096));
        stdout.read_to_string(&mut text).await?;
        Ok::<_, std::io::Error>((text, child.wait().await?))
    };
    let ended = tokio::time::timeout(COMMAND_TIME, run).await;
    let (text, status) = ended
        .map_err(|_| fail(&format_args!("no key within {} seconds", COMMAND_TIME.as_secs())))?
        .map_err(|error| fail(&error))?;
    if !status.success() {
        return Err(fail(&format_args!("ended with {status}")));
    }
    Ok(text)
}

/// Puts a new key in front of those in the file, so that it holds both: at no moment does it hold neither.
pub(crate) fn put_first(file: &Path, new: &MasterKey) -> Result<(), Failure> {
    let old = read_file(file)?;
    let lines: Vec<&str> = old.split_whitespace().collect();
    let new = new.to_base64();
    replace(file, &Zeroizing::new(format!("{}\n{}\n", *new, lines.join("\n"))))
}

/// Leaves only the first key in the file.
pub(crate) fn keep_first(file: &Path) -> Result<(), Failure> {
    let old = read_file(file)?;
    let first = old.split_whitespace().next().unwrap_or_default();
    replace(file, &Zeroizing::new(format!("{first}\n")))
}

/// All at once, durably, with the same owner's access alone.
fn replace(file: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let fail = |error: std::io::Error| {
        Failure::other(format!("KOINE_MASTER_KEY_FILE {} was not changed: {error}", file.display()))
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    new.write_all(text.as_bytes()).and_then(|()| new.as_file().sync_all()).map_err(fail)?;
    let mode = std::fs::metadata(file).map_err(fail)?.permissions();
    new.as_file().set_permissions(mode).map_err(fail)?;
    new.persist(file).map_err(|error| fail(error.error))?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(fail)
}
