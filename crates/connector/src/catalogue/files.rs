//! The files that a catalogue is made of: those in the binary, and an operator's.

use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};

use crate::problem::{Place, Problems};

static CONNECTORS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../connectors");
static MODELS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../models");

/// How an administrator connects the vendor.
pub(super) const SETUP: &str = "setup.md";

/// Relative path (`okta/connector.yaml`) -> text.
pub type Files = BTreeMap<String, String>;

/// The YAML files and the instructions in the binary, with the connectors of an operator's folder in place of those of the same name,
/// and its files of `_shared/` one by one.
///
/// # Errors
/// What cannot be read.
pub fn files(folder_path: Option<&Path>) -> Result<Files, Problems> {
    let mut files = embedded(&CONNECTORS);
    files.retain(|file, _| file.split('/').count() == 2);
    let Some(path) = folder_path else { return Ok(files) };
    let own = folder(path)?;
    let folder_of = |file: &str| file.split('/').next().map(ToOwned::to_owned);
    let replaced = |file: &str| own.keys().any(|new| folder_of(new) == folder_of(file));
    files.retain(|file, _| file.starts_with("_shared/") || !replaced(file));
    files.extend(own);
    Ok(files)
}

/// The fixtures in the binary, or those of a folder of connectors: `okta/fixtures/…` -> text, and
/// `okta/facts.yaml`, whose claims they prove.
///
/// # Errors
/// What cannot be read.
pub fn fixtures(folder_path: Option<&Path>) -> Result<Files, Problems> {
    let mut files = Files::new();
    match folder_path {
        None => collect(&CONNECTORS, &|_| true, &mut files),
        Some(path) => walk(path, path, &mut files)?,
    }
    files.retain(|file, _| matches!(file.split('/').nth(1), Some("fixtures" | "facts.yaml")));
    Ok(files)
}

/// Every text file below a folder.
fn walk(root: &Path, path: &Path, files: &mut Files) -> Result<(), Problems> {
    for entry in std::fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
        let path = entry.map_err(|error| unreadable(path, &error))?.path();
        if path.is_dir() {
            walk(root, &path, files)?;
        } else {
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.insert(name, text);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problems {
    let place = Place { file: path.display().to_string().into(), line: 1, column: 1 };
    let mut problems = Problems::default();
    problems.add(&place, format!("cannot be read: {error}"), None);
    problems
}

/// The files of the models.
pub(super) fn models() -> Files {
    embedded(&MODELS)
}

fn embedded(dir: &Dir<'_>) -> Files {
    let mut files = Files::new();
    collect(dir, &belongs, &mut files);
    files
}

/// Whether a file is read: YAML, and the instructions.
fn belongs(path: &Path) -> bool {
    path.extension().is_some_and(|kind| kind == "yaml") || path.file_name().is_some_and(|name| name == SETUP)
}

fn collect(dir: &Dir<'_>, wanted: &dyn Fn(&Path) -> bool, files: &mut Files) {
    for file in dir.files().filter(|file| wanted(file.path())) {
        if let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
            files.insert(path.to_owned(), text.to_owned());
        }
    }
    for inner in dir.dirs() {
        collect(inner, wanted, files);
    }
}

/// The YAML files and instructions of an operator's folder: `<connector>/<file>`.
fn folder(path: &Path) -> Result<Files, Problems> {
    let mut files = Files::new();
    let entries = std::fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
    for entry in entries.filter_map(Result::ok).filter(|entry| entry.path().is_dir()) {
        let inner = std::fs::read_dir(entry.path()).map_err(|error| unreadable(&entry.path(), &error))?;
        for file in inner.filter_map(Result::ok).map(|file| file.path()) {
            if !belongs(&file) {
                continue;
            }
            let text = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
            let name = format!(
                "{}/{}",
                entry.file_name().to_string_lossy(),
                file.file_name().unwrap_or_default().to_string_lossy()
            );
            files.insert(name, text);
        }
    }
    Ok(files)
}
