//! All connectors and models: embedded in the binary, or with an operator's folder laid over.

mod files;
mod layers;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use koine_model::Model;

use crate::compile::{Sources, compile};
use crate::compiled::Connector;
use crate::models;
use crate::problem::{Place, Problems};
use crate::yaml::Node;
use files::SETUP;
pub use files::{Files, files, fixtures};
use layers::{layered, optional, profiles};

/// Files of a connector folder that are not model mappings.
const OTHER_FILES: &[&str] = &["connector.yaml", "sandbox.yaml", "facts.yaml"];

/// Everything compiled.
#[derive(Debug)]
pub struct Catalogue {
    connectors: BTreeMap<String, Arc<Connector>>,
    models: BTreeMap<String, Model>,
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

fn read_models(problems: &mut Problems) -> BTreeMap<String, Model> {
    let mut models: BTreeMap<String, Model> = BTreeMap::new();
    let files = files::models();
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
