//! What the vendor is said to answer.

use koine_model::Response;
use serde_json::Value;

use super::{Findings, xml};
use crate::explain::wrongs;
use crate::media;
use crate::schema::Direction;
use crate::specification::{Answer, Content, Status};

pub(super) fn check(found: &mut Findings<'_>, response: &Response) {
    let operation = found.matched.operation;
    if found.seen.tells_error {
        // what is said of errors in general holds, whatever their status
        return match operation.answers.iter().find(|answer| answer.status == Status::Any) {
            Some(answer) => body(found, answer, response),
            None => found.no_schema(&format!("answer {}, an error", response.status)),
        };
    }
    let covering = operation.answers.iter().filter(|answer| answer.status.covers(response.status));
    match covering.min_by_key(|answer| answer.status) {
        Some(answer) => body(found, answer, response),
        None if operation.answers.is_empty() => {}
        // Every server breaks in ways that nobody describes, and so does what stands before it.
        None if response.status >= 500 => {}
        None => {
            let known: Vec<_> = operation.answers.iter().map(|answer| answer.status.to_string()).collect();
            let says = format!("the specification knows no such status, only: {}", known.join(", "));
            let advice = found.seen.source.of_answer();
            found.add(format!("answer {}", response.status), says, advice);
        }
    }
}

fn body(found: &mut Findings<'_>, answer: &Answer, response: &Response) {
    let at = format!("answer {}", response.status);
    let advice = found.seen.source.of_answer();
    let is_error = response.status >= 400;
    let given = response.header("content-type").map(media::essence).unwrap_or_default();
    let xml = answer.contents.iter().find(|content| media::is_xml(&content.media));
    if let Some(Content { schema: Some(schema), .. }) = xml.filter(|_| media::is_xml(&given)) {
        return of_xml(found, schema, response, &at);
    }
    let json = answer.contents.iter().find(|content| media::is_json(&content.media));
    let json =
        json.or_else(|| answer.contents.iter().find(|content| media::covers(&content.media, media::JSON)));
    match (json, response.body.is_empty()) {
        // errors are often described by their status alone
        (None, false) if answer.contents.is_empty() && !is_error => {
            found.add(at, "the specification describes no body", advice);
        }
        (None | Some(Content { schema: None, .. }), false) => found.no_schema(&at),
        (None | Some(Content { schema: None, .. }), true) => {}
        (Some(_), true) if response.status == 204 => {}
        (Some(_), true) if response.status < 500 => {
            found.add(at, "the specification describes a body, the answer has none", advice);
        }
        (Some(Content { schema: Some(schema), .. }), _) => match serde_json::from_slice(&response.body) {
            Ok(value) => judge(found, schema, &value, &at),
            Err(_) if response.status >= 500 => {}
            Err(error) => found.add(at, format!("it must be JSON: {error}"), advice),
        },
    }
}

fn of_xml(found: &mut Findings<'_>, schema: &Value, response: &Response, at: &str) {
    let advice = found.seen.source.of_answer();
    let Some(document) = koine_connector::xml::parsed(&response.body) else {
        return found.add(at, "it must be XML", advice);
    };
    for (pointer, says) in xml::wrongs(&found.matched.specification.schemas, schema, &document) {
        found.add(format!("{at} {pointer}"), says, advice);
    }
}

fn judge(found: &mut Findings<'_>, schema: &Value, value: &Value, at: &str) {
    let advice = found.seen.source.of_answer();
    let schemas = &found.matched.specification.schemas;
    match schemas.validator(schema, Direction::Answer) {
        Err(why) => found.add(
            at,
            format!("the specification's schema cannot be used: {why}"),
            "mend the specification",
        ),
        Ok(validator) => {
            for (pointer, says) in wrongs(schemas, schema, &validator, value) {
                found.add(format!("{at} {pointer}").trim_end(), says, advice);
            }
        }
    }
}
