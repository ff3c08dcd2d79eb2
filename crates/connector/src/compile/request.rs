//! `resources`: the vendor's requests.

use std::collections::BTreeMap;

use koine_model::Verb;

use super::pagination::pagination;
use super::{WIRE_ROOTS, one_of};
use crate::compiled::{BodyFormat, Pagination, RequestSpec, ResponseFormat};
use crate::problem::{Place, Problems};
use crate::reader::{Reader, compile_text};
use crate::template::TextTemplate;
use crate::yaml::{Data, Node};

pub(super) fn headers(reader: &Reader<'_>, problems: &mut Problems) -> Vec<(String, TextTemplate)> {
    let mut headers = Vec::new();
    for (name, _, node) in reader.entries("headers", problems) {
        if let Some(value) = compile_text(node, problems) {
            headers.push((name.to_ascii_lowercase(), value));
        }
    }
    headers
}

pub(super) fn requests(
    reader: &Reader<'_>,
    pages: Option<&Pagination>,
    problems: &mut Problems,
) -> BTreeMap<String, RequestSpec> {
    let mut requests = BTreeMap::new();
    for (resource, place, node) in reader.entries("resources", problems) {
        let Data::Map(methods) = &node.data else {
            problems.add(place, format!("resource `{resource}` must be a map of methods"), None);
            continue;
        };
        for (method, (_, node)) in methods {
            let name = format!("{resource}.{method}");
            if let Some(spec) = request(node, &name, pages, problems) {
                requests.insert(name, spec);
            }
        }
    }
    requests
}

fn request(
    node: &Node,
    name: &str,
    pages: Option<&Pagination>,
    problems: &mut Problems,
) -> Option<RequestSpec> {
    if let Data::Text(line) = &node.data {
        let Some((verb, path)) = line.split_once(' ') else {
            problems.add(
                &node.place,
                format!("`{line}` is not a request"),
                Some("write `GET /path`".to_owned()),
            );
            return None;
        };
        let mut spec = empty_request(name, verb, path.trim(), &node.place, problems)?;
        spec.pagination = pages.filter(|_| is_list(name)).cloned();
        return Some(spec);
    }
    let reader = Reader::new(node, "a request", problems)?;
    let spec = spec_of(&reader, node, name, pages, problems);
    reader.finish(problems);
    spec
}

fn spec_of(
    reader: &Reader<'_>,
    node: &Node,
    name: &str,
    pages: Option<&Pagination>,
    problems: &mut Problems,
) -> Option<RequestSpec> {
    let graphql = reader.text("graphql", problems);
    let verb = reader.text("method", problems).unwrap_or(if graphql.is_some() { "post" } else { "get" });
    let path = if graphql.is_some() {
        reader.text("path", problems).unwrap_or_default().to_owned()
    } else {
        reader.required("path", problems)
    };
    let mut spec = empty_request(name, verb, &path, &node.place, problems)?;
    spec.query = reader.template_map("query", problems);
    spec.headers = headers(reader, problems);
    let variables = reader.template("variables", problems);
    spec.body = reader.template("body", problems).or(variables);
    spec.body_format = body_format(reader, graphql, problems);
    spec.response_format = response_format(reader, problems);
    spec.response_path = reader.expr("response_path", &[], problems);
    spec.pagination = match reader.node("pagination") {
        Some(Node { data: Data::Text(word), .. }) if word == "none" => None,
        Some(node) => pagination(node, problems),
        None if reader.is_null("pagination") || !is_list(name) => None,
        None => pages.cloned(),
    };
    spec.is_error = reader.expr("error_expression", WIRE_ROOTS, problems).or(spec.is_error);
    // A GraphQL document says itself whether it only reads.
    let is_query = graphql.is_some_and(|text| !text.trim_start().starts_with("mutation"));
    spec.reads = reader.boolean("reads", problems).unwrap_or(spec.reads || is_query);
    spec.idempotent = reader.boolean("idempotent", problems).unwrap_or(spec.idempotent || spec.reads);
    spec.no_auth = reader.boolean("no_auth", problems).unwrap_or(false);
    for documentation in ["description", "api_documentation_url"] {
        reader.text(documentation, problems);
    }
    Some(spec)
}

/// Requests that the connector's pagination applies to.
fn is_list(name: &str) -> bool {
    name.ends_with(".list") || name.ends_with(".find")
}

fn body_format(reader: &Reader<'_>, graphql: Option<&str>, problems: &mut Problems) -> BodyFormat {
    let format = reader.text("body_format", problems);
    match (graphql, format.unwrap_or("json")) {
        (Some(document), _) => BodyFormat::GraphQl(document.to_owned()),
        (None, "form") => BodyFormat::Form,
        (None, "multipart") => BodyFormat::Multipart,
        (None, "raw") => BodyFormat::Raw,
        (None, "xml") => BodyFormat::Xml,
        (None, other) => {
            one_of(other, &["json", "form", "multipart", "raw", "xml"], reader.place(), problems);
            BodyFormat::Json
        }
    }
}

fn response_format(reader: &Reader<'_>, problems: &mut Problems) -> ResponseFormat {
    match reader.text("response_format", problems).unwrap_or("json") {
        "xml" => ResponseFormat::Xml,
        "text" => ResponseFormat::Text,
        "binary" => ResponseFormat::Binary,
        other => {
            one_of(other, &["json", "xml", "text", "binary"], reader.place(), problems);
            ResponseFormat::Json
        }
    }
}

fn empty_request(
    name: &str,
    verb: &str,
    path: &str,
    place: &Place,
    problems: &mut Problems,
) -> Option<RequestSpec> {
    let Some(verb) = Verb::parse(verb) else {
        problems.add(
            place,
            format!("`{verb}` is not a verb"),
            Some("GET, POST, PUT, PATCH or DELETE".to_owned()),
        );
        return None;
    };
    let (path, query) = split_query(path);
    if !path.starts_with('/') && !path.is_empty() {
        problems.add(place, format!("path `{path}` must begin with a slash"), None);
    }
    let path = match TextTemplate::compile(path) {
        Ok(path) => path,
        Err(error) => {
            problems.add(place, error.to_string(), None);
            return None;
        }
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let path_query = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    Some(RequestSpec {
        name: name.to_owned(),
        verb,
        path,
        path_query,
        query: None,
        headers: Vec::new(),
        body: None,
        body_format: BodyFormat::Json,
        response_format: ResponseFormat::Json,
        reads: verb == Verb::Get,
        response_path: None,
        pagination: None,
        is_error: None,
        idempotent: verb.is_idempotent(),
        no_auth: false,
    })
}

/// Where the query begins: a `?` inside a placeholder is that of its default.
fn split_query(path: &str) -> (&str, &str) {
    let outside = |at: &usize| {
        let before = &path[..*at];
        before.rfind("{{").is_none_or(|open| before[open..].contains("}}"))
    };
    let at = path.match_indices('?').map(|(at, _)| at).find(outside);
    at.map_or((path, ""), |at| (&path[..at], &path[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::split_query;

    #[test]
    fn a_default_in_a_path_is_no_query() {
        for (path, wanted) in [
            ("/a?b=c", ("/a", "b=c")),
            ("/a", ("/a", "")),
            ("/{{a?:x}}/b", ("/{{a?:x}}/b", "")),
            ("/{{a?:x}}/{{b}}?c={{d?:e}}", ("/{{a?:x}}/{{b}}", "c={{d?:e}}")),
        ] {
            assert_eq!(split_query(path), wanted, "{path}");
        }
    }
}
