//! `koine export` and `koine import`.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use koine_store::ExportKey;

use crate::config::Config;
use crate::failure::Failure;
use crate::open;

/// The file, and what seals it.
#[derive(clap::Args)]
pub(crate) struct Archive {
    /// The file.
    file: PathBuf,
    /// A file with a passphrase of at least 12 characters; without it the master key is the key, and only an
    /// installation with the same master key can import the file.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Archive {
    fn key(&self) -> Result<ExportKey, Failure> {
        let Some(file) = &self.passphrase_file else { return Ok(ExportKey::Master) };
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("--passphrase-file {}: {error}", file.display())))?;
        ExportKey::passphrase(&text).map_err(Failure::store)
    }
}

/// Everything into a new file.
pub(crate) async fn export(options: &Archive) -> Result<(), Failure> {
    let key = options.key()?;
    let store = open::store(&Config::read()?).await?;
    // Under another name until it is whole: what has the name can be relied on.
    let draft = draft_of(&options.file)?;
    let written = match create_private(&draft) {
        Ok(file) => {
            let mut file = BufWriter::new(file);
            let exported = store.export(&key, &mut file).await.map_err(Failure::store);
            exported.and_then(|()| finish(file, &draft, &options.file))
        }
        Err(error) => return Err(failed(&draft, &error)),
    };
    if written.is_err() {
        // The failure that led here is the one to tell.
        let _ = fs::remove_file(&draft);
    }
    written
}

/// A file of `koine export` into an empty database.
pub(crate) async fn import(options: &Archive) -> Result<(), Failure> {
    let key = options.key()?;
    let file = File::open(&options.file).map_err(|error| failed(&options.file, &error))?;
    let store = open::store(&Config::read()?).await?;
    store.import(&key, &mut BufReader::new(file)).await.map_err(Failure::store)
}

fn draft_of(file: &Path) -> Result<PathBuf, Failure> {
    if file.try_exists().map_err(|error| failed(file, &error))? {
        return Err(Failure::usage(format!("{} exists; export into a new file", file.display())));
    }
    let name = file.file_name().ok_or_else(|| Failure::usage("the file has no name"))?;
    let mut draft = name.to_owned();
    draft.push(".part");
    Ok(file.with_file_name(draft))
}

fn create_private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn finish(file: BufWriter<File>, draft: &Path, path: &Path) -> Result<(), Failure> {
    let file = file.into_inner().map_err(|error| failed(draft, error.error()))?;
    file.sync_all().map_err(|error| failed(draft, &error))?;
    fs::rename(draft, path).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{}: {error}", path.display()))
}
