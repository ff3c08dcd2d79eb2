//! Google's API Discovery documents.

use koine_model::Verb;
use serde_json::{Value, json};

use super::paths::{entries, text};
use crate::media;
use crate::specification::{self, Answer, Body, Content, Operation, Parameter, Place, Route, Status, Style};

pub(super) fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    collect(document, document, "", &mut operations);
    operations
}

/// Methods of a resource and of the resources within it.
fn collect(document: &Value, of: &Value, pointer: &str, operations: &mut Vec<Operation>) {
    for (name, method) in entries(of, "methods") {
        operations.extend(operation(document, method, format!("{pointer}/methods/{name}")));
    }
    for (name, resource) in entries(of, "resources") {
        collect(document, resource, &format!("{pointer}/resources/{name}"), operations);
    }
}

fn operation(document: &Value, method: &Value, pointer: String) -> Option<Operation> {
    let path = format!("/{}", text(method, "path").trim_start_matches('/'));
    let base = format!("/{}", text(document, "servicePath").trim_matches('/'));
    let own = entries(method, "parameters").chain(entries(document, "parameters"));
    let body = method.get("request").filter(|body| body.is_object());
    let json = |schema: &Value| vec![Content { media: media::JSON.to_owned(), schema: Some(schema.clone()) }];
    let answer = method.get("response").filter(|answer| answer.is_object());
    let success = match answer {
        // nothing comes back, which is a 200 or a 204
        None => Answer { status: Status::Hundred(2), contents: Vec::new() },
        Some(schema) => Answer { status: Status::Exactly(200), contents: json(schema) },
    };
    // errors are of one kind in all of these APIs, and not described
    let error = Answer { status: Status::Hundred(4), contents: Vec::new() };
    Some(Operation {
        verb: Verb::parse(text(method, "httpMethod"))?,
        route: Route::new(&[base.trim_end_matches('/').to_owned()], &path)?,
        hosts: specification::host(text(document, "rootUrl")).into_iter().collect(),
        path,
        parameters: own.filter_map(|(name, it)| parameter(name, it)).collect(),
        body: body.map(|body| Body { required: false, contents: json(body) }),
        answers: vec![success, error],
        pointer,
    })
}

fn parameter(name: &str, parameter: &Value) -> Option<Parameter> {
    let mut schema = parameter.clone();
    let is_repeated = parameter["repeated"] == true;
    if let Value::Object(map) = &mut schema {
        map.retain(|key, _| !["location", "required", "repeated"].contains(&key.as_str()));
    }
    Some(Parameter {
        name: name.to_owned(),
        place: Place::parse(text(parameter, "location"))?,
        required: parameter["required"] == true,
        style: Style::Plain(','),
        schema: if is_repeated { json!({"type": "array", "items": schema}) } else { schema },
    })
}
