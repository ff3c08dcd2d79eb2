//! The files of a draft.

use serde_json::{Value, json};

use crate::fields::sample;
use crate::text::{quoted, step};
use crate::{Credential, Draft, Pages, line};

/// Path below the connector's folder -> text. Answers of fixtures are not among them: replaying writes them.
#[must_use]
pub fn files(draft: &Draft) -> Vec<(String, String)> {
    let mut all = vec![
        ("connector.yaml", connector(draft)),
        ("user-directory.yaml", mapping(draft)),
        ("facts.yaml", facts(draft)),
        ("sandbox.yaml", sandbox(draft)),
        ("setup.md", setup(draft)),
        ("fixtures/context.yaml", context(draft)),
    ];
    all.extend(fixtures(draft));
    all.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}

fn connector(draft: &Draft) -> String {
    let Draft { name, label, api, base_url, users, .. } = draft;
    let pages = users.pages.as_ref().map(pages).unwrap_or_default();
    let list_at =
        users.list_at.as_ref().map(|at| format!(", response_path: {}", quoted(&format!("[{}]", path(at)))));
    let record_at = users.record_at.as_ref().map(|at| format!(", response_path: {}", quoted(&path(at))));
    format!(
        "name: {name}\nlabel: {}\ncategory: other\napi: {}\nbase_url: {base_url}\n\n{}\nheaders: {{Accept: application/json}}\n{pages}\n\
         errors:\n  message: $firstNonEmpty(data.error.message, data.message, data.error)\n  not_found: status = 404\n\n\
         resources:\n  users:\n    list: {{method: GET, path: {}{}}}\n    get: {{method: GET, path: {}{}}}\n    delete: {{method: DELETE, path: {}}}\n",
        quoted(label),
        quoted(api),
        credentials(draft),
        quoted(&users.list),
        list_at.unwrap_or_default(),
        quoted(&users.get),
        record_at.unwrap_or_default(),
        quoted(&users.delete),
    )
}

/// A dotted path as an expression.
fn path(at: &str) -> String {
    at.split('.').map(step).collect::<Vec<_>>().join(".")
}

fn pages(pages: &Pages) -> String {
    let size = |name: &Option<String>| match name {
        Some(name) => format!(", limit_param: {}, default_limit: 100, max_limit: 100", quoted(name)),
        None => String::new(),
    };
    let (format, config) = match pages {
        Pages::Page(page, limit) => ("page", format!("page_param: {}{}", quoted(page), size(limit))),
        Pages::Offset(offset, limit) => {
            ("offset", format!("offset_param: {}{}", quoted(offset), size(limit)))
        }
        Pages::Cursor(at, param, limit) => (
            "cursor",
            format!(
                "cursor_path: {}, cursor_param: {}{}",
                quoted(&format!("data.{}", path(at))),
                quoted(param),
                size(limit)
            ),
        ),
    };
    format!("\npagination: {{format: {format}, config: {{{config}}}}}\n")
}

fn credentials(draft: &Draft) -> String {
    let one = |fields: &str, authorization: String| {
        format!("credentials:\n  default:\n    fields:\n{fields}    authorization: {authorization}\n")
    };
    let token = "      token: {label: Token, secret: true}\n";
    match &draft.credential {
        Credential::Bearer => one(token, "{format: bearer, config: {token: \"{{token}}\"}}".to_owned()),
        Credential::Header(name) => one(
            token,
            format!(
                "{{format: header, config: {{header_name: {}, header_value: \"{{{{token}}}}\"}}}}",
                quoted(name)
            ),
        ),
        Credential::Query(name) => one(
            token,
            format!("{{format: query, config: {{name: {}, value: \"{{{{token}}}}\"}}}}", quoted(name)),
        ),
        Credential::Basic => one(
            "      username: {label: User name}\n      password: {label: Password, secret: true}\n",
            "{format: basic, config: {username: \"{{username}}\", password: \"{{password}}\"}}".to_owned(),
        ),
        Credential::ClientCredentials(url) => one(
            "      client_id: {label: Client ID}\n      client_secret: {label: Client secret, secret: true}\n",
            format!(
                "\n      format: oauth2_client_credentials\n      config: {{token_url: {}, client_id: \"{{{{client_id}}}}\", client_secret: \"{{{{client_secret}}}}\", credentials_in: body}}",
                quoted(url)
            ),
        ),
    }
}

/// The credential fields with made-up values.
fn made_up(draft: &Draft) -> Value {
    match draft.credential {
        Credential::Basic => json!({"username": "ada@example.com", "password": "made-up"}),
        Credential::ClientCredentials(_) => json!({"client_id": "made-up", "client_secret": "made-up"}),
        _ => json!({"token": "made-up"}),
    }
}

fn context(draft: &Draft) -> String {
    let fields = made_up(draft);
    let fields = fields.as_object().into_iter().flatten();
    fields.map(|(name, value)| format!("{name}: {}\n", value.as_str().unwrap_or_default())).collect()
}

fn id_pattern(draft: &Draft) -> &'static str {
    if draft.users.id_is_number { "[0-9]{1,19}" } else { "[A-Za-z0-9][A-Za-z0-9_-]{0,63}" }
}

fn mapping(draft: &Draft) -> String {
    let record: String = draft
        .fields
        .iter()
        .map(|field| format!("    {}: {}\n", field.name, quoted(&field.expression)))
        .collect();
    let id = quoted(id_pattern(draft));
    let names = query(draft);
    let names = names.as_object().into_iter().flatten();
    let schema: Vec<String> =
        names.map(|(name, _)| format!("{}: {{required: true}}", quoted(name))).collect();
    let schema =
        if schema.is_empty() { String::new() } else { format!(", query_schema: {{{}}}", schema.join(", ")) };
    let own = schema.replacen(", ", "    ", 1);
    let own = if own.is_empty() { own } else { own + "\n" };
    format!(
        "users:\n  record:\n{record}  list: {{call: users.list{schema}}}\n  get: {{call: users.get, id_pattern: {id}{schema}}}\n  delete:\n    call: users.delete\n{own}    \
         id_pattern: {id}\n    target: {{get: users}}\n    \
         # Say what the vendor's reference says. This is what people rely on when somebody leaves.\n    \
         removal: {{effect: deletes, reversible: not known, seat_freed: not known, content: not known}}\n    \
         verify: {{call: users.get, gone: not_found, tries: 4, delay_ms: 1000}}\n"
    )
}

fn facts(draft: &Draft) -> String {
    let source =
        draft.source.as_ref().map_or(" []\n".to_owned(), |source| format!("\n  - {}\n", quoted(source)));
    let sure = if draft.source.is_some() { "official-spec" } else { "recalled" };
    let delete = if draft.users.delete_is_known { sure } else { "recalled" };
    format!(
        "sources:{source}confidence:\n  auth: {sure}\n  users.list: {sure}\n  users.get: {sure}\n  users.delete: {delete}\n  \
         users.delete repeated: recalled\nnotes:\n  - What becomes of what the person owned is not known yet.\n\
         requires:\n  roles: [administrator]\nmatrix:\n  user-directory.users.delete: {{response: [id]}}\n"
    )
}

fn setup(draft: &Draft) -> String {
    let Draft { name, label, .. } = draft;
    format!(
        "# Connecting {label}\n\n1. Sign in as an administrator, best with an account of its own.\n2. Make the credential with the least \
         scopes that read and remove users.\n3. `koine account add {name} --tenant acme --context '{}'`\n",
        line(&made_up(draft))
    )
}

/// Parameters that a path takes from the caller's query.
fn parameters(path: &str) -> Vec<&str> {
    path.split("{{query.").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name).collect()
}

/// `{"organization": "acme"}` for every parameter of the paths.
fn query(draft: &Draft) -> Value {
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

fn fixtures(draft: &Draft) -> Vec<(&'static str, String)> {
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

fn sandbox(draft: &Draft) -> String {
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
