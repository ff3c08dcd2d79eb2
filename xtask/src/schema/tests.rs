//! The schemas and the compilers do not disagree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use koine_connector::Problems;
use koine_connector::catalogue::Files;
use koine_connector::compile::{Sources, compile};
use koine_connector::yaml::Node;
use koine_sandbox::Sandbox;
use serde_json::{Map, Value, json};

/// A key that no object has, and that resembles none.
const STRANGER: &str = "§";

/// Keys by the compiler's word for the object that has them.
type Keys = BTreeMap<String, BTreeSet<String>>;

/// Values that cover every key and every alternative of a schema. With `stranger`, every closed object also has
/// a key that it should not have.
fn instances(schema: &Value, stranger: bool) -> Vec<Value> {
    let inner = |schema: &Value| instances(schema, stranger);
    if let Some(kinds) = schema["anyOf"].as_array() {
        return kinds.iter().filter(|kind| kind["type"] != "null").flat_map(inner).collect();
    }
    if let Some(values) = schema["enum"].as_array() {
        return vec![values[0].clone()];
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match kind {
        Some("object") if schema["title"].is_string() && schema["additionalProperties"] == false => {
            let keys: Vec<_> = object(&schema["properties"]);
            let values: Vec<_> = keys.iter().map(|(name, kind)| (name, inner(kind))).collect();
            let most = values.iter().map(|(_, values)| values.len()).max().unwrap_or(1);
            (0..most).map(|index| filled(&values, index, stranger)).collect()
        }
        Some("object") => {
            let named = object(&schema["properties"])
                .into_iter()
                .flat_map(|(name, kind)| inner(&kind).into_iter().map(move |value| (name.clone(), value)));
            let others = inner(&schema["additionalProperties"]);
            let others = others.into_iter().enumerate();
            vec![named.chain(others.map(|(index, value)| (format!("GET /k{index}"), value))).collect()]
        }
        Some("array") => vec![Value::Array(inner(&schema["items"]))],
        Some("string") => vec![json!("1")],
        Some("boolean") => vec![json!(true)],
        Some("integer" | "number") => vec![json!(1)],
        _ => vec![json!({})],
    }
}

fn filled(values: &[(&String, Vec<Value>)], index: usize, stranger: bool) -> Value {
    let mut object: Map<String, Value> =
        values.iter().map(|(name, values)| ((*name).clone(), values[index % values.len()].clone())).collect();
    object.entry("path").and_modify(|path| *path = json!("/"));
    if stranger {
        object.insert(STRANGER.to_owned(), json!(1));
    }
    Value::Object(object)
}

fn object(value: &Value) -> Vec<(String, Value)> {
    value.as_object().cloned().unwrap_or_default().into_iter().collect()
}

/// The keys of every closed object of a schema.
fn known(schema: &Value, keys: &mut Keys) {
    if let (Some(what), Some(properties)) = (schema["title"].as_str(), schema["properties"].as_object())
        && schema["additionalProperties"] == false
    {
        keys.entry(what.to_owned()).or_default().extend(properties.keys().cloned());
    }
    match schema {
        Value::Object(map) => map.values().for_each(|inner| known(inner, keys)),
        Value::Array(items) => items.iter().for_each(|inner| known(inner, keys)),
        _ => {}
    }
}

fn node(file: &str, value: &Value) -> Node {
    Node::parse(&Arc::from(file), &value.to_string()).unwrap()
}

fn problems_of_connector(value: &Value) -> Problems {
    let mut problems = Problems::default();
    let vendor = node("acme/connector.yaml", value);
    compile(&Sources { folder: "acme".to_owned(), vendor, models: Vec::new(), facts: None }, &mut problems);
    problems
}

/// A connector that is in order.
fn acme() -> Node {
    let vendor = json!({
        "name": "acme", "label": "Acme", "category": "test", "api": "v1", "base_url": "https://acme.example.com",
        "credentials": {"key": {"authorization": {"format": "bearer", "config": {"token": "t"}}}}
    });
    node("acme/connector.yaml", &vendor)
}

fn problems_of_mapping(value: &Value) -> Problems {
    let mut problems = Problems::default();
    let models = vec![("user-directory".to_owned(), node("acme/user-directory.yaml", value))];
    compile(&Sources { folder: "acme".to_owned(), vendor: acme(), models, facts: None }, &mut problems);
    problems
}

fn problems_of_facts(value: &Value) -> Problems {
    let mut problems = Problems::default();
    let facts = Some(node("acme/facts.yaml", value));
    let sources = Sources { folder: "acme".to_owned(), vendor: acme(), models: Vec::new(), facts };
    compile(&sources, &mut problems);
    problems
}

fn problems_of_sandbox(value: &Value) -> Problems {
    let mut value = value.clone();
    value.as_object_mut().unwrap().shift_remove("extends"); // it would be looked up
    let files: Files = [("acme/sandbox.yaml".to_owned(), value.to_string())].into();
    Sandbox::new(&files, 1).err().unwrap_or_default()
}

/// What the compiler says that it reads: a stranger's hint lists the keys.
fn read(problems: &Problems) -> Keys {
    let mut keys = Keys::new();
    let ending = format!(" has no key `{STRANGER}`");
    for problem in &problems.0 {
        let Some(what) = problem.message.strip_suffix(&ending) else { continue };
        let hint = problem.hint.as_deref().unwrap().strip_prefix("known keys: ").unwrap();
        keys.entry(what.to_owned()).or_default().extend(hint.split(", ").map(ToOwned::to_owned));
    }
    keys
}

fn agree(schema: &Value, problems_of: fn(&Value) -> Problems) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let mut keys_read = Keys::new();
    for instance in instances(schema, false) {
        let errors: Vec<_> = validator.iter_errors(&instance).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "the test builds what the schema refuses: {errors:?}");
        let problems = problems_of(&instance);
        let unknown: Vec<_> = problems.0.iter().filter(|it| it.message.contains("has no key")).collect();
        assert!(unknown.is_empty(), "in the schema, not in the compiler: {unknown:#?}");
    }
    for instance in instances(schema, true) {
        assert!(!validator.is_valid(&instance), "the schema knows no stranger");
        for (what, keys) in read(&problems_of(&instance)) {
            keys_read.entry(what).or_default().extend(keys);
        }
    }
    let mut keys_known = Keys::new();
    known(schema, &mut keys_known);
    assert_eq!(keys_read, keys_known, "left: what the compiler reads, right: what the schema has");
}

#[test]
fn connector_yaml_has_the_keys_that_the_compiler_reads() {
    agree(&super::connector(), problems_of_connector);
}

#[test]
fn model_yaml_has_the_keys_that_the_compiler_reads() {
    agree(&super::mapping(), problems_of_mapping);
}

#[test]
fn facts_yaml_has_the_keys_that_the_compiler_reads() {
    agree(&super::facts(), problems_of_facts);
}

#[test]
fn sandbox_yaml_has_the_keys_that_the_compiler_reads() {
    agree(&super::sandbox(), problems_of_sandbox);
}

fn yaml_files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors");
    let folders = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap());
    files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "yaml"))
        .collect()
}

/// Which schema is a file's, `_shared/` included.
fn schema_of(path: &Path) -> Value {
    let name = path.file_name().unwrap().to_str().unwrap();
    if name.ends_with("sandbox.yaml") {
        return super::sandbox();
    }
    if name == "facts.yaml" {
        return super::facts();
    }
    let is_profile = path.parent().unwrap().ends_with("_shared") && name.split('.').count() == 2;
    if !is_profile && name != "connector.yaml" {
        return super::mapping();
    }
    let mut schema = super::connector();
    if is_profile {
        // A profile lacks what each of its connectors adds.
        schema.as_object_mut().unwrap().shift_remove("then");
    }
    schema
}

#[test]
fn every_file_of_the_catalogue_fits_its_schema() {
    let files = yaml_files();
    assert!(files.len() >= 23, "{files:?}");
    for path in files {
        let node = Node::parse(&Arc::from(""), &std::fs::read_to_string(&path).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema_of(&path)).unwrap();
        let value = node.to_json();
        let errors: Vec<_> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
}
