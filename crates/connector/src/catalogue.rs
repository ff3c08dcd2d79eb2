//! All connectors and models: embedded in the binary, or with an operator's folder laid over.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use koine_model::Model;

use crate::compile::{Sources, compile};
use crate::compiled::Connector;
use crate::models;
use crate::problem::{Place, Problems};
use crate::yaml::{Data, Node};

static CONNECTORS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../connectors");
static MODELS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../models");

/// Files of a connector folder that are not model mappings.
const OTHER_FILES: &[&str] = &["connector.yaml", "sandbox.yaml", "facts.yaml"];
/// How an administrator connects the vendor.
const SETUP: &str = "setup.md";

/// Everything compiled.
#[derive(Debug)]
pub struct Catalogue {
    connectors: BTreeMap<String, Arc<Connector>>,
    models: BTreeMap<String, Model>,
}

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

impl Catalogue {
    /// The connectors in the binary.
    ///
    /// # Errors
    /// All their problems.
    pub fn embedded() -> Result<Self, Problems> {
        Self::compile(&files(None)?)
    }

    /// The connectors in the binary, with the folder's laid over: a folder of the same name replaces.
    ///
    /// # Errors
    /// All problems, unreadable files included.
    pub fn with_folder(path: &Path) -> Result<Self, Problems> {
        Self::compile(&files(Some(path))?)
    }

    /// The connectors among the files.
    ///
    /// # Errors
    /// All their problems.
    pub fn compile(files: &Files) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let models = read_models(&mut problems);
        let names: Vec<&str> = files.keys().filter_map(|file| file.strip_suffix("/connector.yaml")).collect();
        let mut connectors = BTreeMap::new();
        for (read, its_problems) in on_every_core(&names, |name| {
            let mut problems = Problems::default();
            (read_connector(name, files, &models, &mut problems), problems)
        }) {
            problems.0.extend(its_problems.0);
            connectors.extend(read.map(|connector| (connector.name.clone(), Arc::new(connector))));
        }
        if problems.0.is_empty() {
            return Ok(Self { connectors, models });
        }
        problems.0.sort();
        Err(problems)
    }

    /// One connector.
    #[must_use]
    pub fn connector(&self, name: &str) -> Option<&Arc<Connector>> {
        self.connectors.get(name)
    }

    /// All connectors, by name.
    pub fn connectors(&self) -> impl Iterator<Item = &Arc<Connector>> {
        self.connectors.values()
    }

    /// One model; underscores stand for hyphens.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.get(&name.replace('_', "-"))
    }
}

/// What `work` makes of each item, in no order: a start waits for the whole catalogue.
fn on_every_core<I: Copy + Sync, T: Send>(items: &[I], work: impl Fn(I) -> T + Sync) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = |first: usize| -> Vec<T> {
        items.iter().skip(first).step_by(cores).map(|item| work(*item)).collect()
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..cores).map(|first| scope.spawn(move || share(first))).collect();
        let mut all = share(0);
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

fn read_connector(
    name: &str,
    files: &Files,
    models: &BTreeMap<String, Model>,
    problems: &mut Problems,
) -> Option<Connector> {
    let before = problems.0.len();
    let own = Node::of_file(&format!("{name}/connector.yaml"), files, problems)?;
    let profiles = profiles(&own, files, problems);
    let vendor = layered(std::iter::once(own).chain(profiles.iter().map(|(_, base)| base.clone())))?;
    let mut mappings = Vec::new();
    for model in models.keys() {
        let own = optional(&format!("{name}/{model}.yaml"), files, problems);
        let bases = profiles
            .iter()
            .filter_map(|(profile, _)| optional(&format!("_shared/{profile}.{model}.yaml"), files, problems));
        let layers: Vec<Node> = own.into_iter().chain(bases).collect();
        mappings.extend(layered(layers).map(|meaning| (model.clone(), meaning)));
    }
    refuse_strangers(name, files, models, problems);
    let facts = optional(&format!("{name}/facts.yaml"), files, problems);
    let sources = Sources { folder: name.to_owned(), vendor, models: mappings, facts };
    let mut connector = compile(&sources, problems)?;
    connector.setup = files.get(&format!("{name}/{SETUP}")).cloned().unwrap_or_default();
    check_models(&connector, models, &sources.vendor.place, problems);
    order_fields(&mut connector, models);
    (problems.0.len() == before).then_some(connector)
}

/// A misspelt model file must not be passed over in silence.
fn refuse_strangers(name: &str, files: &Files, models: &BTreeMap<String, Model>, problems: &mut Problems) {
    for file in files.keys().filter_map(|file| file.strip_prefix(&format!("{name}/"))) {
        let Some(stem) = file.strip_suffix(".yaml").filter(|_| !file.contains('/')) else { continue };
        if OTHER_FILES.contains(&file) || models.contains_key(stem) {
            continue;
        }
        let known: Vec<_> = models.keys().map(|model| format!("{model}.yaml")).collect();
        let place = Place { file: format!("{name}/{file}").into(), line: 1, column: 1 };
        problems.add(
            &place,
            format!("no model is called `{stem}`"),
            Some(format!("known: {}", known.join(", "))),
        );
    }
}

/// Resources, methods and record fields must be the model's.
fn check_models(
    connector: &Connector,
    models: &BTreeMap<String, Model>,
    place: &Place,
    problems: &mut Problems,
) {
    for (model, resources) in &connector.models {
        let Some(spec) = models.get(model) else { continue };
        for (resource, meaning) in resources {
            let Some(spec) = spec.resources.get(resource) else {
                problems.add(place, format!("{model} has no resource `{resource}`"), None);
                continue;
            };
            for field in meaning.record.keys().filter(|field| !spec.fields.contains_key(*field)) {
                problems.add(place, format!("{model}.{resource} has no field `{field}`"), None);
            }
            for method in meaning.methods.keys().filter(|method| *method != "find") {
                match spec.methods.get(method) {
                    None => problems.add(place, format!("{model}.{resource} has no method `{method}`"), None),
                    Some(spec) if spec.destructive && meaning.methods[method].removal.is_none() => {
                        problems.add(
                            place,
                            format!("{model}.{resource}.{method} is destructive and needs `removal`"),
                            None,
                        );
                    }
                    Some(_) => {}
                }
            }
        }
    }
}

/// Record maps in the model's order of fields, so that records come out in it.
fn order_fields(connector: &mut Connector, models: &BTreeMap<String, Model>) {
    for (model, resources) in &mut connector.models {
        for (resource, meaning) in resources {
            let spec = models.get(model).and_then(|model| model.resources.get(resource));
            let Some(fields) = spec.map(|spec| &spec.fields) else { continue };
            meaning
                .record
                .sort_by(|one, _, other, _| fields.get_index_of(one).cmp(&fields.get_index_of(other)));
        }
    }
}

/// The profiles that a connector extends, the nearest first: a profile may extend another one.
fn profiles(vendor: &Node, files: &Files, problems: &mut Problems) -> Vec<(String, Node)> {
    let mut all: Vec<(String, Node)> = Vec::new();
    let mut next = extends(vendor);
    while let Some((name, place)) = next {
        if all.iter().any(|(known, _)| *known == name) {
            problems.add(&place, format!("`{name}` extends itself"), None);
            break;
        }
        let before = problems.0.len();
        let Some(node) = Node::of_file(&format!("_shared/{name}.yaml"), files, problems) else {
            if problems.0.len() == before {
                problems.add(&place, format!("`extends` names `{name}`, which _shared/ does not have"), None);
            }
            break;
        };
        next = extends(&node);
        all.push((name, node));
    }
    all
}

/// Layers laid over each other, the topmost first. The lowest is the ground, so that a `null` removes what any of the
/// layers below it says.
fn layered(layers: impl IntoIterator<Item = Node, IntoIter: DoubleEndedIterator>) -> Option<Node> {
    layers.into_iter().rev().reduce(Node::merged)
}

fn extends(node: &Node) -> Option<(String, Place)> {
    let Data::Map(map) = &node.data else { return None };
    let (_, node) = map.get("extends")?;
    match &node.data {
        Data::Text(name) => Some((name.clone(), node.place.clone())),
        _ => None,
    }
}

fn optional(file: &str, files: &Files, problems: &mut Problems) -> Option<Node> {
    files.contains_key(file).then(|| Node::of_file(file, files, problems)).flatten()
}

fn read_models(problems: &mut Problems) -> BTreeMap<String, Model> {
    let mut models: BTreeMap<String, Model> = BTreeMap::new();
    let files = embedded(&MODELS);
    for file in files.keys() {
        let Some((model, resource)) = file.strip_suffix(".yaml").and_then(|file| file.split_once('/')) else {
            continue;
        };
        let Some(node) = Node::of_file(file, &files, problems) else { continue };
        if let Some(spec) = models::resource(&node, problems) {
            let entry = models.entry(model.to_owned());
            let entry = entry.or_insert_with(|| Model {
                name: model.to_owned(),
                resources: koine_model::NameMap::default(),
            });
            entry.resources.insert(resource.to_owned(), spec);
        }
    }
    models
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
