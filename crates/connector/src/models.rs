//! Unified schemas from `models/<model>/<resource>.yaml`.

use koine_model::NameMap;
use koine_model::{Field, FieldType, MethodSpec, ResourceSpec};

use crate::problem::Problems;
use crate::reader::Reader;
use crate::yaml::{Data, Node};

/// Reads one resource of a model.
pub fn resource(node: &Node, problems: &mut Problems) -> Option<ResourceSpec> {
    let reader = Reader::new(node, "a model resource", problems)?;
    let mut fields = NameMap::default();
    for (name, _, node) in reader.entries("fields", problems) {
        if let Some(field) = field(node, problems) {
            fields.insert(name.to_owned(), field);
        }
    }
    let mut methods = NameMap::default();
    for (name, _, node) in reader.entries("methods", problems) {
        if let Some(method) = method(node, problems) {
            methods.insert(name.to_owned(), method);
        }
    }
    let description = reader.required("description", problems);
    reader.finish(problems);
    Some(ResourceSpec { description, fields, methods })
}

fn method(node: &Node, problems: &mut Problems) -> Option<MethodSpec> {
    let reader = Reader::new(node, "a model method", problems)?;
    let method = MethodSpec {
        destructive: reader.boolean("destructive", problems).unwrap_or(false),
        subject: reader.text("subject", problems).map(ToOwned::to_owned),
        target: reader.text("target", problems).map(ToOwned::to_owned),
        required_body: reader.texts("required_body", problems),
    };
    reader.finish(problems);
    Some(method)
}

fn field(node: &Node, problems: &mut Problems) -> Option<Field> {
    let reader = Reader::new(node, "a field", problems)?;
    let word = reader.required("type", problems);
    let kind = kind(&word, reader.node("of"), node, problems);
    let field = Field {
        kind,
        required: reader.boolean("required", problems).unwrap_or(false),
        values: reader.texts("values", problems),
        description: reader.required("description", problems),
    };
    reader.finish(problems);
    Some(field)
}

fn kind(word: &str, of: Option<&Node>, node: &Node, problems: &mut Problems) -> FieldType {
    match (word, of) {
        ("text", _) => FieldType::Text,
        ("date_time", _) => FieldType::DateTime,
        ("boolean", _) => FieldType::Boolean,
        ("object", _) => FieldType::Object,
        ("list", Some(of)) => FieldType::List(Box::new(inner(of, problems))),
        ("record", Some(of)) => inner(of, problems),
        _ => {
            let hint = "text, date_time, boolean, object, or list and record with `of`".to_owned();
            problems.add(&node.place, format!("`{word}` is not a field type"), Some(hint));
            FieldType::Object
        }
    }
}

fn inner(of: &Node, problems: &mut Problems) -> FieldType {
    match &of.data {
        Data::Text(word) => kind(word, None, of, problems),
        Data::Map(entries) => FieldType::Record(
            entries.iter().map(|(name, (_, node))| (name.clone(), inner(node, problems))).collect(),
        ),
        _ => kind("", None, of, problems),
    }
}
