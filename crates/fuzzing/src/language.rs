//! What connectors are made of.

use std::sync::Arc;

use koine_connector::Problems;
use koine_connector::compile::{Sources, compile};
use koine_connector::expr::Expr;
use koine_connector::template::{Template, TextTemplate};
use koine_connector::yaml::Node;
use serde_json::{Value, json};

fn scope() -> Value {
    json!({
        "id": "a b/c?d#e", "a": {"b": [1, "two", null, {"c": "../"}]}, "n": 12_345_678_901_234_567_890_u64,
        "email": "ada@example.com", "empty": "", "list": [3, 1, 2], "at": "2026-03-01T08:00:00Z", "no": null
    })
}

/// A template is refused, or filled in. A path never leaves its segment.
pub(crate) fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    if let Ok(template) = Template::compile(&source) {
        assert_eq!(template.source(), &source);
        let _ = template.render(&scope());
    }
    if let Ok(template) = TextTemplate::compile(text) {
        let _ = template.render(&scope(), &|value| Ok(value.to_owned()));
        let refused = template.render(&scope(), &|_| Err("no value is good enough".to_owned()));
        assert!(template.roots().is_empty() || refused.is_err(), "a value was placed unescaped");
    }
}

/// An expression is refused, or gives a value or an error within its limits.
pub(crate) fn expression(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let roots = ["id", "a", "n", "email", "empty", "list", "at", "no"];
    if let Ok(expression) = Expr::compile(text, &roots) {
        let _ = expression.eval(&scope());
    }
}

/// Documents that are separated by `%%` are connector, mapping and facts: refused with problems that have a place,
/// or compiled.
pub(crate) fn yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.split("\n%%\n");
    let mut next = |file: &str| Some(Node::parse(&Arc::from(file), parts.next()?));
    let Some(Ok(vendor)) = next("fuzz/connector.yaml") else { return };
    let mapping = next("fuzz/user-directory.yaml").and_then(Result::ok);
    let facts = next("fuzz/facts.yaml").and_then(Result::ok);
    let models = mapping.into_iter().map(|node| ("user-directory".to_owned(), node)).collect();
    let mut problems = Problems::default();
    let sources = Sources { folder: "fuzz".to_owned(), vendor, models, facts };
    let compiled = compile(&sources, &mut problems);
    assert!(compiled.is_some() || !problems.0.is_empty(), "refused without a reason");
}
