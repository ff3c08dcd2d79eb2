//! The files of a draft.

use serde_json::{Value, json};

use crate::fixtures::{fixtures, query};
use crate::sandbox::sandbox;
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
pub(crate) fn made_up(draft: &Draft) -> Value {
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
