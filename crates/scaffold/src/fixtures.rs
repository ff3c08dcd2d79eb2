//! The fixtures of a draft: what the calls send, and what a vendor of this shape would answer.

use serde_json::{Value, json};

use crate::fields::sample;
use crate::text::quoted;
use crate::{Credential, Draft, Pages, line};

/// Parameters that a path takes from the caller's query.
fn parameters(path: &str) -> Vec<&str> {
    path.split("{{query.").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name).collect()
}

/// `{"organization": "acme"}` for every parameter of the paths.
pub(crate) fn query(draft: &Draft) -> Value {
    let users = &draft.users;
    let paths = [&users.list, &users.get, &users.delete];
    let names = paths.into_iter().flat_map(|path| parameters(path));
    Value::Object(names.map(|name| (name.to_owned(), json!("acme"))).collect())
}

/// The path with an id, and `acme` for everything else.
fn placed(path: &str, id: &str) -> String {
    let path = path.replace("{{id}}", id);
    parameters(&path)
        .into_iter()
        .fold(path.clone(), |text, name| text.replace(&format!("{{{{query.{name}}}}}"), "acme"))
}

/// The request as the fixtures expect it, without the query of pages.
fn url(draft: &Draft, path: &str, id: &str) -> String {
    format!("{}{}", draft.base_url, placed(path, id))
}

/// What wraps a value, by a dotted path from the outside in.
fn wrapped(value: Value, at: Option<&String>) -> Value {
    let names: Vec<&str> = at.map(|at| at.split('.').collect()).unwrap_or_default();
    names.into_iter().rev().fold(value, |inner, name| json!({name: inner}))
}

pub(crate) fn fixtures(draft: &Draft) -> Vec<(&'static str, String)> {
    let users = &draft.users;
    let record = sample(&draft.fields);
    let one = wrapped(record.clone(), users.record_at.as_ref());
    let all = wrapped(json!([record]), users.list_at.as_ref());
    let id = if users.id_is_number { "7" } else { "u7" };
    let get = url(draft, &users.get, id);
    let delete = url(draft, &users.delete, id);
    let list = format!("{}{}", url(draft, &users.list, id), first_page(users.pages.as_ref()));
    let exchange = |verb: &str, url: &str, status: u16, body: Option<&Value>| {
        let body = body.map(|body| format!(", body: {}", line(body))).unwrap_or_default();
        format!("  - send: {}\n    answer: {{status: {status}{body}}}\n", quoted(&format!("{verb} {url}")))
    };
    let none = json!({"message": "not found"});
    let (there, gone) = (exchange("GET", &get, 200, Some(&one)), exchange("GET", &get, 404, Some(&none)));
    let query = query(draft);
    let call = format!("call: {{id: \"{id}\", query: {}}}\n", line(&query));
    let every = format!("call: {{query: {}}}\n", line(&query));
    let removed = exchange("DELETE", &delete, 204, None);
    let lost = format!("  - send: {}\n    answer: lost\n", quoted(&format!("DELETE {delete}")));
    let fixture = |about: &str, call: &str, exchanges: &[&str]| {
        format!("about: {about}\n{call}exchanges:\n{}", exchanges.concat())
    };
    let refused = exchange("GET", &list, 401, Some(&json!({"message": "the token is not valid"})));
    // A token that was fetched is fetched once more.
    let fetched = matches!(draft.credential, Credential::ClientCredentials(_));
    let refused = if fetched { refused.repeat(2) } else { refused };
    vec![
        (
            "fixtures/user-directory.users/list.page.yaml",
            fixture("A page.", &every, &[&exchange("GET", &list, 200, Some(&all))]),
        ),
        ("fixtures/user-directory.users/list.token.yaml", fixture("A wrong token.", &every, &[&refused])),
        ("fixtures/user-directory.users/get.one.yaml", fixture("One person.", &call, &[&there])),
        ("fixtures/user-directory.users/get.unknown.yaml", fixture("Nobody.", &call, &[&gone])),
        (
            "fixtures/user-directory.users/delete.one.yaml",
            fixture("Deleted, and read back.", &call, &[&there, &removed, &gone]),
        ),
        (
            "fixtures/user-directory.users/delete.lost.yaml",
            fixture("The answer is lost, the effect is there.", &call, &[&there, &lost, &gone]),
        ),
        ("fixtures/user-directory.users/delete.unknown.yaml", fixture("Nobody to delete.", &call, &[&gone])),
    ]
}

/// The query of the first page. Parameters are written in this order by the gateway.
fn first_page(pages: Option<&Pages>) -> String {
    let encoded = |name: &str| name.replace('[', "%5B").replace(']', "%5D");
    let size = |name: &Option<String>| name.as_ref().map(|name| format!("{}=100", encoded(name)));
    let parts: Vec<String> = match pages {
        None => Vec::new(),
        Some(Pages::Page(page, limit)) => {
            size(limit).into_iter().chain([format!("{}=1", encoded(page))]).collect()
        }
        Some(Pages::Offset(offset, limit)) => {
            size(limit).into_iter().chain([format!("{}=0", encoded(offset))]).collect()
        }
        Some(Pages::Cursor(_, _, limit)) => size(limit).into_iter().collect(),
    };
    if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
}
