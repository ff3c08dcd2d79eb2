//! OpenAPI 3.0 and 3.1.

use serde_json::{Value, json};

use super::paths::{self, Found, entries, target, text};
use crate::media;
use crate::specification::{self, Answer, Body, Content, Operation, Parameter, Place, Route, Status, Style};

pub(super) fn operations(document: &Value) -> Vec<Operation> {
    paths::operations(document).iter().filter_map(|found| operation(document, found)).collect()
}

fn operation(document: &Value, found: &Found<'_>) -> Option<Operation> {
    let servers = servers(document, found);
    let parameters = paths::parameters(document, found);
    let body = found.operation.get("requestBody").map(|body| target(document, body));
    let answers = entries(found.operation, "responses").filter_map(|(status, answer)| {
        let contents = contents(document, target(document, answer));
        Some(Answer { status: Status::parse(status)?, contents })
    });
    Some(Operation {
        verb: found.verb,
        path: found.path.to_owned(),
        route: Route::new(&bases(&servers), found.path)?,
        hosts: servers.iter().filter_map(|url| specification::host(url)).collect(),
        parameters: parameters.into_iter().filter_map(|it| parameter(document, it)).collect(),
        body: body
            .map(|body| Body { required: body["required"] == true, contents: contents(document, body) }),
        answers: answers.collect(),
        pointer: found.pointer.clone(),
    })
}

/// The servers of the operation, else of the path, else of the document.
fn servers<'d>(document: &'d Value, found: &Found<'d>) -> Vec<&'d str> {
    let own = [found.operation, found.item, document].into_iter();
    let servers = own.filter_map(|it| it["servers"].as_array()).find(|servers| !servers.is_empty());
    servers.into_iter().flatten().map(|server| text(server, "url")).collect()
}

/// Their paths.
fn bases(servers: &[&str]) -> Vec<String> {
    let mut bases: Vec<_> = servers.iter().map(|url| specification::path_of(url).to_owned()).collect();
    if bases.is_empty() {
        bases.push(String::new());
    }
    bases.dedup();
    bases
}

fn parameter(document: &Value, parameter: &Value) -> Option<Parameter> {
    let content = entries(parameter, "content").next().map(|(_, content)| content);
    let schema = content.unwrap_or(parameter).get("schema").cloned().unwrap_or(json!({}));
    let is_object = target(document, &schema)["type"] == "object";
    let style = match text(parameter, "style") {
        _ if content.is_some() => Style::Json,
        "deepObject" => Style::Deep,
        _ if is_object => Style::Deep,
        "spaceDelimited" => Style::Plain(' '),
        "pipeDelimited" => Style::Plain('|'),
        _ => Style::Plain(','),
    };
    Some(Parameter {
        name: text(parameter, "name").to_owned(),
        place: Place::parse(text(parameter, "in"))?,
        required: parameter["required"] == true,
        style,
        schema,
    })
}

fn contents(document: &Value, of: &Value) -> Vec<Content> {
    let content = |(kind, content): (&String, &Value)| Content {
        media: media::essence(kind),
        schema: target(document, content).get("schema").cloned(),
    };
    entries(of, "content").map(content).collect()
}
