//! JSON hyper-schema (draft 4): links among the definitions.

use koine_model::Verb;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::paths::{entries, text};
use crate::media;
use crate::specification::{Answer, Body, Content, Operation, Parameter, Place, Route, Status, Style};

pub(super) fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (name, definition) in entries(document, "definitions") {
        for (at, link) in definition["links"].as_array().into_iter().flatten().enumerate() {
            operations.extend(operation(definition, link, format!("/definitions/{name}/links/{at}")));
        }
    }
    operations
}

fn operation(definition: &Value, link: &Value, pointer: String) -> Option<Operation> {
    let verb = Verb::parse(link["method"].as_str().unwrap_or("GET"))?;
    let (path, mut parameters) = path(text(link, "href"));
    let sent = link.get("schema");
    if verb == Verb::Get {
        parameters.extend(sent.into_iter().flat_map(query));
    }
    let body = sent.filter(|_| verb != Verb::Get);
    let json = |schema: &Value| vec![Content { media: media::JSON.to_owned(), schema: Some(schema.clone()) }];
    // a list is described by one of its items
    let answer = match (link.get("targetSchema"), text(link, "rel")) {
        (Some(schema), _) => schema.clone(),
        (None, "instances") => json!({"type": "array", "items": definition}),
        (None, _) => definition.clone(),
    };
    let success = Answer { status: Status::Hundred(2), contents: json(&answer) };
    let error = Answer { status: Status::Hundred(4), contents: Vec::new() };
    Some(Operation {
        verb,
        route: Route::new(&[String::new()], &path)?,
        hosts: Vec::new(),
        path,
        parameters,
        body: body.map(|schema| Body { required: schema["required"].is_array(), contents: json(schema) }),
        answers: vec![success, error],
        pointer,
    })
}

/// `/teams/{(%23%2Fdefinitions%2Fteam%2Fdefinitions%2Fname)}`: a parameter is named by its schema.
fn path(href: &str) -> (String, Vec<Parameter>) {
    let mut path = String::new();
    let mut parameters = Vec::new();
    let mut rest = href;
    while let Some((literal, after)) = rest.split_once("{(") {
        let (encoded, after) = after.split_once(")}").unwrap_or((after, ""));
        let reference = percent_decode_str(encoded).decode_utf8_lossy().into_owned();
        let words: Vec<_> =
            reference.split('/').filter(|word| !["#", "definitions"].contains(word)).collect();
        let name = words.join("_");
        path.push_str(&format!("{literal}{{{name}}}"));
        parameters.push(Parameter {
            name,
            place: Place::Path,
            required: true,
            style: Style::Plain(','),
            schema: json!({"$ref": reference}),
        });
        rest = after;
    }
    (path + rest, parameters)
}

/// What a GET takes is in its query.
fn query(schema: &Value) -> Vec<Parameter> {
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|it| it == name));
    let properties = entries(schema, "properties");
    let parameter = |(name, schema): (&String, &Value)| Parameter {
        name: name.clone(),
        place: Place::Query,
        required: required(name),
        style: Style::Plain(','),
        schema: schema.clone(),
    };
    properties.map(parameter).collect()
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn parameters_are_named_by_their_schemas() {
        let (path, parameters) = path("/teams/{(%23%2Fdefinitions%2Fteam%2Fdefinitions%2Fname)}/members");
        assert_eq!(path, "/teams/{team_name}/members");
        assert_eq!(parameters[0].schema["$ref"], "#/definitions/team/definitions/name");
    }
}
