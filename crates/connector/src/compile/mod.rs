//! From the spanned tree to a [`Connector`], noting every problem on the way.

mod authorization;
mod joining;
mod mapping;
mod pagination;
mod request;
mod vendor;

use koine_model::NameMap;

use crate::compiled::{Connector, Parameter};
use crate::facts;
use crate::pattern::Pattern;
use crate::problem::{Place, Problems};
use crate::reader::{Reader, compile_expr};
use crate::yaml::{Data, Node};

#[cfg(test)]
pub(crate) use authorization::authorization;
pub(crate) use mapping::requests_that_count;

/// Roots that expressions see before a request is sent.
pub(crate) const ASK_ROOTS: &[&str] =
    &["id", "query", "rawQuery", "body", "before", "target", "context", "pagination"];
/// Roots that expressions see over an answer.
pub(crate) const ANSWER_ROOTS: &[&str] = &[
    "id",
    "query",
    "rawQuery",
    "body",
    "before",
    "target",
    "context",
    "response",
    "data",
    "status",
    "headers",
    "not_found",
];
/// Roots of transport expressions.
pub(crate) const WIRE_ROOTS: &[&str] = &["data", "status", "headers", "response"];

/// One connector's files, profiles already merged in.
pub struct Sources {
    /// The folder's name.
    pub folder: String,
    /// `connector.yaml`.
    pub vendor: Node,
    /// Model name and `<model>.yaml`.
    pub models: Vec<(String, Node)>,
    /// `facts.yaml`.
    pub facts: Option<Node>,
}

/// Compiles one connector. `None` only together with problems.
pub fn compile(sources: &Sources, problems: &mut Problems) -> Option<Connector> {
    let before = problems.0.len();
    let mut connector = vendor::compile(&sources.vendor, &sources.folder, problems)?;
    for (model, node) in &sources.models {
        let resources = mapping::compile(node, problems);
        connector.models.insert(model.clone(), resources);
    }
    if let Some(node) = &sources.facts {
        connector.facts = facts::read(node, problems);
    }
    if problems.0.len() == before {
        check_calls(&connector, sources, problems);
        joining::check(&connector, &sources.vendor.place, problems);
        if let Some(node) = &sources.facts {
            facts::check(&connector.facts, &connector, &node.place, problems);
        }
    }
    (problems.0.len() == before).then_some(connector)
}

/// Every request that a row names must exist.
fn check_calls(connector: &Connector, sources: &Sources, problems: &mut Problems) {
    for (model, resources) in &connector.models {
        let place = sources.models.iter().find(|(name, _)| name == model).map(|(_, node)| &node.place);
        for (resource, meaning) in resources {
            for (method, row) in &meaning.methods {
                for name in mapping::calls_of(row) {
                    if !connector.requests.contains_key(&name) {
                        let hint = nearest(&name, connector.requests.keys().map(String::as_str));
                        let at = place.unwrap_or(&sources.vendor.place);
                        problems.add(
                            at,
                            format!(
                                "{resource}.{method} calls `{name}`, which connector.yaml does not define"
                            ),
                            hint,
                        );
                    }
                }
            }
        }
    }
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    known
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| format!("did you mean `{other}`?"))
}

/// A whole-value pattern.
fn pattern(reader: &Reader<'_>, key: &'static str, problems: &mut Problems) -> Option<Pattern> {
    let pattern = Pattern::new(reader.text(key, problems)?);
    pattern.map_err(|why| problems.add(reader.place(), format!("`{key}` {why}"), None)).ok()
}

/// `query_schema`, `request_body_schema`.
fn parameters(reader: &Reader<'_>, key: &'static str, problems: &mut Problems) -> NameMap<Parameter> {
    let mut parameters = NameMap::default();
    for (name, _, node) in reader.entries(key, problems) {
        if let Some(parameter) = parameter(node, problems) {
            parameters.insert(name.to_owned(), parameter);
        }
    }
    parameters
}

fn parameter(node: &Node, problems: &mut Problems) -> Option<Parameter> {
    let reader = Reader::new(node, "a parameter", problems)?;
    let kind = reader.text("type", problems).unwrap_or("string").to_owned();
    one_of(&kind, &["string", "boolean", "number", "object", "array"], reader.place(), problems);
    let parameter = Parameter {
        names_target: reader.boolean("names_target", problems).unwrap_or(kind != "boolean"),
        kind,
        required: reader.boolean("required", problems).unwrap_or(false),
        required_if: reader.expr("required_if", &["query", "body", "id"], problems),
        values: reader.texts("enum", problems),
        pattern: pattern(&reader, "pattern", problems),
        note: reader.prose("note"),
    };
    reader.finish(problems);
    Some(parameter)
}

fn one_of(word: &str, known: &[&str], place: &Place, problems: &mut Problems) {
    if !known.contains(&word) {
        problems.add(
            place,
            format!("`{word}` is not known here"),
            Some(format!("one of {}", known.join(", "))),
        );
    }
}

/// A map of texts to expressions, such as `record`.
fn expressions(
    reader: &Reader<'_>,
    key: &'static str,
    problems: &mut Problems,
) -> NameMap<crate::expr::Expr> {
    let mut map = NameMap::default();
    for (name, _, node) in reader.entries(key, problems) {
        if matches!(node.data, Data::Null) {
            continue;
        }
        if let Some(expr) = compile_expr(node, &[], problems) {
            map.insert(name.to_owned(), expr);
        }
    }
    map
}
