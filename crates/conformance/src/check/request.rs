//! What we send.

use koine_model::Body;
use serde_json::Value;

use super::{Findings, Source, xml};
use crate::explain::wrongs;
use crate::media;
use crate::schema::Direction;
use crate::specification::{Content, Parameter, Place, Style};
use crate::values;

const REQUEST: &str = "mend the request in connector.yaml, or its row in the model's file";

/// Headers that HTTP itself has; specifications are told not to list them.
const OF_HTTP: &[&str] =
    &["accept", "authorization", "content-type", "user-agent", "range", "accept-language"];

pub(super) fn check(found: &mut Findings<'_>) {
    host(found);
    path(found);
    query(found);
    headers(found);
    body(found);
}

/// The sandbox is nowhere near the vendor; fixtures name the vendor's own host.
fn host(found: &mut Findings<'_>) {
    let operation = found.matched.operation;
    let host = found.seen.request.url.host_str().unwrap_or_default();
    if matches!(found.seen.source, Source::Fixture { .. }) && !operation.is_served_at(host) {
        let says = format!("it is sent to {host}, the servers are {}", operation.hosts.join(", "));
        found.add("host", says, "mend `base_url` in connector.yaml");
    }
}

fn parameters(found: &Findings<'_>, place: Place) -> Vec<Parameter> {
    let all = found.matched.operation.parameters.iter();
    all.filter(|parameter| parameter.place == place).cloned().collect()
}

fn path(found: &mut Findings<'_>) {
    let described = parameters(found, Place::Path);
    for (name, value) in found.matched.parameters.clone() {
        if let Some(parameter) = described.iter().find(|parameter| parameter.name == name) {
            fits(found, parameter, &[value]);
        }
    }
}

fn query(found: &mut Findings<'_>) {
    let sent: Vec<(String, String)> = found
        .seen
        .request
        .url
        .query_pairs()
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let described = parameters(found, Place::Query);
    for parameter in &described {
        let values: Vec<_> = sent.iter().filter(|(name, _)| takes(parameter, name)).cloned().collect();
        if parameter.style == Style::Deep {
            continue;
        }
        let values: Vec<_> = values.into_iter().map(|(_, value)| value).collect();
        if !values.is_empty() {
            fits(found, parameter, &values);
        } else if parameter.required {
            found.add(at(parameter), "this parameter is required", REQUEST);
        }
    }
    for (name, _) in &sent {
        if !described.iter().any(|parameter| takes(parameter, name)) {
            let known: Vec<_> = described.iter().map(|parameter| parameter.name.as_str()).collect();
            let says = format!("the specification knows no such parameter, only: {}", known.join(", "));
            found.add(format!("query {name}"), says, REQUEST);
        }
    }
}

/// `filter`, and of an object or list `filter[name]`.
fn takes(parameter: &Parameter, sent: &str) -> bool {
    let name = parameter.name.trim_end_matches("[]");
    sent == parameter.name || sent.strip_prefix(name).is_some_and(|rest| rest.starts_with('['))
}

fn headers(found: &mut Findings<'_>) {
    let sent = found.seen.request.headers.clone();
    let described = parameters(found, Place::Header);
    for parameter in &described {
        let name = parameter.name.to_lowercase();
        match sent.iter().find(|(own, _)| *own == name) {
            Some((_, value)) => fits(found, parameter, std::slice::from_ref(value)),
            None if parameter.required && !OF_HTTP.contains(&name.as_str()) => {
                found.add(at(parameter), "this header is required", REQUEST);
            }
            None => {}
        }
    }
    for (name, _) in sent.iter().filter(|(name, _)| !OF_HTTP.contains(&name.as_str())) {
        if !described.iter().any(|parameter| parameter.name.eq_ignore_ascii_case(name)) {
            found.add(format!("header {name}"), "the specification knows no such header", REQUEST);
        }
    }
}

fn at(parameter: &Parameter) -> String {
    format!("{} {}", parameter.place.as_str(), parameter.name)
}

fn fits(found: &mut Findings<'_>, parameter: &Parameter, sent: &[String]) {
    let value = match sent {
        [one] if parameter.style == Style::Json => serde_json::from_str(one).unwrap_or_default(),
        [one] => Value::String(one.clone()),
        several => several.iter().cloned().map(Value::String).collect(),
    };
    let separator = match parameter.style {
        Style::Plain(separator) => separator,
        Style::Deep | Style::Json => ',',
    };
    judge(found, &parameter.schema, value, Some(separator), &at(parameter));
}

/// Holds a value against a schema; texts may be read as what it wants when there is a separator.
fn judge(found: &mut Findings<'_>, schema: &Value, value: Value, separator: Option<char>, at: &str) {
    let schemas = &found.matched.specification.schemas;
    match schemas.validator(schema, Direction::Request) {
        Err(why) => found.add(
            at,
            format!("the specification's schema cannot be used: {why}"),
            "mend the specification",
        ),
        Ok(validator) => {
            let value = match separator {
                Some(separator) => values::typed(&validator, value, separator),
                None => value,
            };
            for (pointer, says) in wrongs(schemas, schema, &validator, &value) {
                found.add(format!("{at} {pointer}").trim_end(), says, REQUEST);
            }
        }
    }
}

fn body(found: &mut Findings<'_>) {
    let request = &found.seen.request;
    match (&found.matched.operation.body, &request.body) {
        (None, None) => {}
        (None, Some(_)) => found.add("body", "the specification describes no body", REQUEST),
        (Some(described), None) if described.required => found.add("body", "a body is required", REQUEST),
        (Some(_), None) => {}
        (Some(described), Some(sent)) => {
            let named =
                request.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value);
            let kind = match (named, sent) {
                (Some(named), _) => named.clone(),
                (None, Body::Json(_)) => media::JSON.to_owned(),
                (None, Body::Form(_)) => media::FORM.to_owned(),
                (None, Body::Raw { content_type, .. }) => content_type.clone(),
            };
            let essence = media::essence(&kind);
            let content = content(&described.contents, &essence);
            if content.is_none() {
                let known: Vec<_> = described.contents.iter().map(|content| content.media.as_str()).collect();
                found.add("body", format!("it must be {}, it is {essence}", known.join(" or ")), REQUEST);
            }
            // what is sent as another type has the same properties
            if let Some(content) = content.or(described.contents.first()) {
                sent_as(found, content, &kind, sent);
            }
        }
    }
}

fn content<'c>(contents: &'c [Content], kind: &str) -> Option<&'c Content> {
    let found = contents.iter().find(|content| content.media == kind);
    found.or_else(|| contents.iter().find(|content| media::covers(&content.media, kind)))
}

fn sent_as(found: &mut Findings<'_>, content: &Content, kind: &str, sent: &Body) {
    let Some(schema) = &content.schema else { return found.no_schema("body") };
    let essence = media::essence(kind);
    match sent {
        Body::Json(value) => judge(found, schema, value.clone(), None, "body"),
        Body::Form(pairs) => judge(found, schema, values::object(pairs), Some(','), "body"),
        Body::Raw { text, .. } if essence == media::MULTIPART => {
            judge(found, schema, values::object(&values::parts(kind, text)), Some(','), "body");
        }
        Body::Raw { text, .. } if media::is_json(&essence) => match serde_json::from_str(text) {
            Ok(value) => judge(found, schema, value, None, "body"),
            Err(error) => found.add("body", format!("it must be JSON: {error}"), REQUEST),
        },
        Body::Raw { text, .. } if media::is_xml(&essence) => {
            match koine_connector::xml::parsed(text.as_bytes()) {
                Some(document) => {
                    let schemas = &found.matched.specification.schemas;
                    for (pointer, says) in xml::wrongs(schemas, schema, &document) {
                        found.add(format!("body {pointer}"), says, REQUEST);
                    }
                }
                None => found.add("body", "it must be XML", REQUEST),
            }
        }
        Body::Raw { .. } => found.no_schema("body"),
    }
}
