//! The stand-in of a draft.

use serde_json::json;

use crate::fields::sample;
use crate::files::made_up;
use crate::text::quoted;
use crate::{Credential, Draft, Pages, line};

/// The made-up record as the stand-in computes it for each person.
fn resident(draft: &Draft) -> String {
    let mut record = sample(&draft.fields);
    // The stand-in's own key: the vendor's may be deeper inside.
    let id = if draft.users.id_is_number { "$string(person.n)" } else { "'u' & $string(person.n)" };
    record["__id"] = json!(format!("\u{1}{id}\u{1}"));
    for field in &draft.fields {
        let computed = match field.name {
            "id" if draft.users.id_is_number => "person.n",
            "id" => "'u' & $string(person.n)",
            "emails" | "username" => "person.email",
            "first_name" => "person.first",
            "last_name" => "person.last",
            "name" => "person.name",
            "status" => "person.state != 'suspended'",
            "created_at" | "updated_at" => "person.created_at",
            "title" => "person.title",
            "timezone" => "person.timezone",
            _ => continue,
        };
        let pointer = format!("/{}", field.path.join("/"));
        if let Some(slot) = record.pointer_mut(&pointer) {
            *slot = json!(format!("\u{1}{computed}\u{1}"));
        }
    }
    // What stands between the marks is an expression, not text; it has no double quotes.
    line(&record).replace("\"\\u0001", "").replace("\\u0001\"", "")
}

pub(crate) fn sandbox(draft: &Draft) -> String {
    let users = &draft.users;
    let base =
        draft.base_url.split_once("://").map_or("", |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
    let (page, shown) = match &users.pages {
        Some(Pages::Page(param, limit)) => (
            format!("{{style: page, param: {}{}, size: 50, most: 100}}", quoted(param), limit_of(limit)),
            "items",
        ),
        Some(Pages::Offset(param, limit)) => (
            format!("{{style: offset, param: {}{}, size: 50, most: 100}}", quoted(param), limit_of(limit)),
            "items",
        ),
        Some(Pages::Cursor(_, param, limit)) => (
            format!("{{style: cursor, param: {}{}, size: 50, most: 100}}", quoted(param), limit_of(limit)),
            "items",
        ),
        None => (String::new(), "items"),
    };
    let page = if page.is_empty() { page } else { format!("    page: {page}\n") };
    let next = match &users.pages {
        Some(Pages::Cursor(at, ..)) => Some(at.as_str()),
        _ => None,
    };
    let list = envelope(users.list_at.as_deref(), shown, next);
    let one = envelope(users.record_at.as_deref(), "record", None);
    let key_of = |path: &str| path.replace("{{id}}", "{id}").replace("{{query.", "{").replace("}}", "}");
    let (accepts, token_route) = authentication(draft);
    format!(
        "# The stand-in, written from the vendor's reference and not from connector.yaml.\n\
         base_path: '{base}'\ncontext: {}\n{}\nauth:\n  accepts: {}\n  refusal: {{status: 401, body: {{message: the token is not valid}}}}\n\n\
         not_found: {{body: {{message: not found}}}}\n\ncollections:\n  users:\n    key: __id\n    each: {}\n\nroutes:\n{token_route}  GET {}:\n    list: users\n{page}    \
         reply: {{body: {}}}\n  GET {}:\n    find: users\n    reply: {{body: {}}}\n  DELETE {}:\n    find: users\n    do: [{{remove: true}}]\n",
        line(&made_up(draft)),
        elsewhere(draft),
        quoted(&accepts),
        quoted(&resident(draft)),
        key_of(&users.list),
        quoted(&list),
        key_of(&users.get),
        quoted(&one),
        key_of(&users.delete),
    )
}

fn limit_of(limit: &Option<String>) -> String {
    limit.as_ref().map(|name| format!(", limit: {}", quoted(name))).unwrap_or_default()
}

/// An answer around `inner`, as an expression; with the next cursor where it belongs.
fn envelope(at: Option<&str>, inner: &str, next: Option<&str>) -> String {
    let around = |at: &str, inner: &str| {
        at.split('.').rev().fold(inner.to_owned(), |inner, name| format!("{{\"{name}\": {inner}}}"))
    };
    let body = at.map_or_else(|| inner.to_owned(), |at| around(at, inner));
    match next {
        Some(next) => format!("$merge([{body}, {}])", around(next, "page.next")),
        None => body,
    }
}

/// What the stand-in accepts, and the route that gives tokens, if one is needed.
fn authentication(draft: &Draft) -> (String, String) {
    match &draft.credential {
        Credential::Bearer => {
            ("request.headers.authorization = \"Bearer made-up\"".to_owned(), String::new())
        }
        Credential::Header(name) => {
            (format!("request.headers.`{}` = \"made-up\"", name.to_lowercase()), String::new())
        }
        Credential::Query(name) => (format!("request.query.`{name}` = \"made-up\""), String::new()),
        Credential::Basic => (
            "request.headers.authorization = \"Basic \" & $base64encode(\"ada@example.com:made-up\")"
                .to_owned(),
            String::new(),
        ),
        Credential::ClientCredentials(url) => {
            let route = format!(
                "  POST {}:\n    auth: false\n    refuse_before:\n      - {{if: request.body.client_secret != \"made-up\", status: 401, body: {{error: invalid_client}}}}\n    \
                 issue: {{seconds: 3600}}\n    reply: {{body: '{{\"access_token\": token, \"token_type\": \"bearer\", \"expires_in\": 3600}}'}}\n",
                token_path(&draft.base_url, url)
            );
            ("$substringAfter(request.headers.authorization, \"Bearer \") in issued".to_owned(), route)
        }
    }
}

/// The token endpoint as a path below the base path.
fn token_path(base_url: &str, url: &str) -> String {
    match url.strip_prefix(base_url).filter(|rest| rest.starts_with('/')) {
        Some(own) => own.to_owned(),
        None => format!("{ELSEWHERE}{}", path_of(url)),
    }
}

/// Where the stand-in serves what the vendor has on another host.
const ELSEWHERE: &str = "/elsewhere";

/// What says so in `sandbox.yaml`.
fn elsewhere(draft: &Draft) -> String {
    match &draft.credential {
        Credential::ClientCredentials(url) if token_path(&draft.base_url, url).starts_with(ELSEWHERE) => {
            let origin = url.strip_suffix(path_of(url)).unwrap_or(url);
            format!("elsewhere: {{'{origin}': {ELSEWHERE}}}\n")
        }
        _ => String::new(),
    }
}

/// The path of a URL.
fn path_of(url: &str) -> &str {
    url.split_once("://").map_or("", |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]))
}
