//! OpenAPI 2, also called Swagger.

use serde_json::{Map, Value, json};

use super::paths::{self, Found, entries, target, text};
use crate::media;
use crate::specification::{self, Answer, Body, Content, Operation, Parameter, Place, Route, Status, Style};

pub(super) fn operations(document: &Value) -> Vec<Operation> {
    paths::operations(document).iter().filter_map(|found| operation(document, found)).collect()
}

fn operation(document: &Value, found: &Found<'_>) -> Option<Operation> {
    let parameters = paths::parameters(document, found);
    let answers = entries(found.operation, "responses").filter_map(|(status, answer)| {
        let schema = target(document, answer).get("schema").cloned();
        // without a schema there is no body
        let contents = schema.map(|schema| contents(&media(document, found, "produces"), Some(&schema)));
        Some(Answer { status: Status::parse(status)?, contents: contents.unwrap_or_default() })
    });
    Some(Operation {
        verb: found.verb,
        path: found.path.to_owned(),
        route: Route::new(&[text(document, "basePath").to_owned()], found.path)?,
        hosts: specification::host(&format!("https://{}", text(document, "host"))).into_iter().collect(),
        parameters: parameters.iter().filter_map(|it| parameter(it)).collect(),
        body: body(&parameters, &media(document, found, "consumes")),
        answers: answers.collect(),
        pointer: found.pointer.clone(),
    })
}

fn parameter(parameter: &Value) -> Option<Parameter> {
    let separator = match text(parameter, "collectionFormat") {
        "ssv" => ' ',
        "tsv" => '\t',
        "pipes" => '|',
        _ => ',',
    };
    Some(Parameter {
        name: text(parameter, "name").to_owned(),
        place: Place::parse(text(parameter, "in"))?,
        required: parameter["required"] == true,
        style: Style::Plain(separator),
        schema: schema(parameter),
    })
}

/// A parameter is its own schema, but for what makes it a parameter.
fn schema(parameter: &Value) -> Value {
    let mut schema = parameter.clone();
    if let Value::Object(map) = &mut schema {
        map.retain(|key, _| !["name", "in", "required", "description"].contains(&key.as_str()));
    }
    schema
}

/// The body as one parameter, or the fields of a form.
fn body(parameters: &[&Value], media: &[String]) -> Option<Body> {
    if let Some(body) = parameters.iter().find(|it| it["in"] == "body") {
        let required = body["required"] == true;
        return Some(Body { required, contents: contents(media, body.get("schema")) });
    }
    let fields: Vec<_> = parameters.iter().filter(|it| it["in"] == "formData").collect();
    if fields.is_empty() {
        return None;
    }
    let properties: Map<String, Value> =
        fields.iter().map(|field| (text(field, "name").to_owned(), schema(field))).collect();
    let required: Vec<_> =
        fields.iter().filter(|field| field["required"] == true).map(|field| &field["name"]).collect();
    let schema = json!({"type": "object", "properties": properties, "required": required});
    let forms = media.iter().filter(|kind| media::is_form(kind)).cloned().collect::<Vec<_>>();
    let forms =
        if forms.is_empty() { vec![media::FORM.to_owned(), media::MULTIPART.to_owned()] } else { forms };
    Some(Body { required: !required.is_empty(), contents: contents(&forms, Some(&schema)) })
}

fn contents(media: &[String], schema: Option<&Value>) -> Vec<Content> {
    media.iter().map(|kind| Content { media: kind.clone(), schema: schema.cloned() }).collect()
}

/// What the operation consumes or produces, else the document; JSON when neither says.
fn media(document: &Value, found: &Found<'_>, key: &str) -> Vec<String> {
    let list = [found.operation, document].into_iter().find_map(|it| it[key].as_array());
    let kinds: Vec<_> = list.into_iter().flatten().filter_map(Value::as_str).map(media::essence).collect();
    if kinds.is_empty() { vec![media::JSON.to_owned()] } else { kinds }
}
