//! `connector.yaml`: how to talk to the vendor.

use std::collections::BTreeMap;

use koine_model::NameMap;

use super::authorization::authorization;
use super::joining::{post_install, validation};
use super::pagination::pagination;
use super::request::{headers, requests};
use super::{WIRE_ROOTS, pattern};
use crate::compiled::{Authorization, Connector, CredentialField, CredentialKind, Errors, Login, RateLimit};
use crate::facts::Facts;
use crate::problem::{Place, Problems};
use crate::reader::{Reader, compile_text};
use crate::template::TextTemplate;
use crate::yaml::Node;

pub(super) fn compile(node: &Node, folder: &str, problems: &mut Problems) -> Option<Connector> {
    let reader = Reader::new(node, "connector.yaml", problems)?;
    let name = reader.required("name", problems);
    if name != folder {
        problems.add(reader.place(), format!("`name` is `{name}`, the folder is `{folder}`"), None);
    }
    for documentation in ["extends", "docs"] {
        reader.text(documentation, problems);
    }
    let default_pages = reader.node("pagination").and_then(|node| pagination(node, problems));
    let base_url = reader.text_template("base_url", problems);
    let connector = Connector {
        label: reader.required("label", problems),
        category: reader.required("category", problems),
        api: reader.required("api", problems),
        hosts: reader
            .list("hosts", problems)
            .iter()
            .filter_map(|node| compile_text(node, problems))
            .collect(),
        headers: headers(&reader, problems),
        query: reader.template_map("query", problems),
        credentials: credentials(&reader, problems),
        rate_limit: reader.node("rate_limit").map(|node| rate_limit(node, problems)).unwrap_or_default(),
        errors: reader.node("errors").map(|node| errors(node, problems)).unwrap_or_default(),
        validation: reader.node("validation").and_then(|node| validation(node, problems)),
        post_install: reader
            .list("post_install", problems)
            .iter()
            .filter_map(|node| post_install(node, problems))
            .collect(),
        requests: requests(&reader, default_pages.as_ref(), problems),
        models: BTreeMap::new(),
        facts: Facts::default(),
        setup: String::new(),
        name,
        base_url: match base_url {
            Some(template) => template,
            None => {
                problems.add(reader.place(), "connector.yaml needs `base_url`", None);
                reader.finish(problems);
                return None;
            }
        },
    };
    check_url_fields(&connector, reader.place(), problems);
    reader.finish(problems);
    Some(connector)
}

/// A credential field that reaches a URL must say what it may look like.
fn check_url_fields(connector: &Connector, place: &Place, problems: &mut Problems) {
    let shared: Vec<String> = connector
        .base_url
        .roots()
        .into_iter()
        .chain(connector.hosts.iter().flat_map(TextTemplate::roots))
        .collect();
    for (kind, credentials) in &connector.credentials {
        for root in &shared {
            check_url_field("the base URL", root, kind, credentials, place, problems);
        }
        if let Authorization::Login(login) = &credentials.authorization {
            for root in login.url.roots() {
                check_url_field("the token endpoint", &root, kind, credentials, place, problems);
            }
            let consent = login.grant().and_then(|grant| grant.consent.as_ref());
            for root in consent.iter().flat_map(|consent| consent.url.roots()) {
                check_url_field("the page of consent", &root, kind, credentials, place, problems);
            }
            check_grant(login, kind, credentials, place, problems);
        }
    }
}

/// What a grant fills must be there to be filled, and be there before it is needed.
fn check_grant(
    login: &Login,
    kind: &str,
    credentials: &CredentialKind,
    place: &Place,
    problems: &mut Problems,
) {
    let Some(grant) = login.grant() else { return };
    let of_answer = grant.consent.iter().flat_map(|consent| consent.context.keys());
    for name in grant.field.iter().chain(of_answer) {
        if !credentials.fields.contains_key(name) {
            problems.add(
                place,
                format!("a grant fills `{name}`, which is no field of credential kind `{kind}`"),
                None,
            );
        }
    }
    let Some(consent) = &grant.consent else { return };
    for root in consent.url.roots().into_iter().chain(login.url.roots()) {
        let brought = consent.context.contains_key(&root) || grant.field.as_ref() == Some(&root);
        if brought && credentials.fields.get(&root).is_some_and(|field| field.default.is_none()) {
            problems.add(
                place,
                format!("`{root}` is needed to ask for the consent that fills it"),
                Some("give the field a `default`, or leave it to the customer".to_owned()),
            );
        }
    }
}

fn check_url_field(
    what: &str,
    root: &str,
    kind: &str,
    credentials: &CredentialKind,
    place: &Place,
    problems: &mut Problems,
) {
    match credentials.fields.get(root) {
        None => problems.add(
            place,
            format!("{what} uses `{root}`, which is no field of credential kind `{kind}`"),
            Some("only credential fields may reach a host".to_owned()),
        ),
        Some(field) if field.pattern.is_none() => problems.add(
            place,
            format!("credential field `{root}` reaches a host and needs a `pattern`"),
            Some("for example \"[a-z0-9-]+\"".to_owned()),
        ),
        Some(_) => {}
    }
}

fn credentials(reader: &Reader<'_>, problems: &mut Problems) -> NameMap<CredentialKind> {
    let mut kinds = NameMap::default();
    for (name, _, node) in reader.entries("credentials", problems) {
        if let Some(kind) = credential_kind(node, problems) {
            kinds.insert(name.to_owned(), kind);
        }
    }
    if kinds.is_empty() {
        problems.add(reader.place(), "connector.yaml needs `credentials`", None);
    }
    kinds
}

fn credential_kind(node: &Node, problems: &mut Problems) -> Option<CredentialKind> {
    let reader = Reader::new(node, "a credential kind", problems)?;
    let label = reader.text("label", problems).map(ToOwned::to_owned);
    let mut fields = NameMap::default();
    for (name, _, node) in reader.entries("fields", problems) {
        if let Some(field) = credential_field(node, problems) {
            fields.insert(name.to_owned(), field);
        }
    }
    let authorization = match reader.node("authorization") {
        Some(node) => authorization(node, problems),
        None => {
            problems.add(reader.place(), "a credential kind needs `authorization`", None);
            None
        }
    };
    reader.finish(problems);
    Some(CredentialKind { label, fields, authorization: authorization? })
}

fn credential_field(node: &Node, problems: &mut Problems) -> Option<CredentialField> {
    let reader = Reader::new(node, "a credential field", problems)?;
    let field = CredentialField {
        label: reader.required("label", problems),
        secret: reader.boolean("secret", problems).unwrap_or(false),
        required: reader.boolean("required", problems).unwrap_or(true),
        multiline: reader.boolean("multiline", problems).unwrap_or(false),
        pattern: pattern(&reader, "pattern", problems),
        example: reader.prose("example"),
        default: reader.node("default").map(Node::to_json),
        help: reader.prose("help"),
    };
    reader.finish(problems);
    Some(field)
}

fn rate_limit(node: &Node, problems: &mut Problems) -> RateLimit {
    let Some(reader) = Reader::new(node, "rate_limit", problems) else { return RateLimit::default() };
    let rate_limit = RateLimit {
        is_limited: reader.expr("is_rate_limited", WIRE_ROOTS, problems),
        retry_after: reader.expr("retry_after_header_expression", WIRE_ROOTS, problems),
        reset: reader.expr("rate_limit_header_expression", WIRE_ROOTS, problems),
    };
    reader.finish(problems);
    rate_limit
}

fn errors(node: &Node, problems: &mut Problems) -> Errors {
    let Some(reader) = Reader::new(node, "errors", problems) else { return Errors::default() };
    let errors = Errors {
        message: reader.expr("message", WIRE_ROOTS, problems),
        not_found: reader.expr("not_found", WIRE_ROOTS, problems),
        is_error: reader.expr("error_expression", WIRE_ROOTS, problems),
        status: reader.expr("status", WIRE_ROOTS, problems),
    };
    reader.finish(problems);
    errors
}
