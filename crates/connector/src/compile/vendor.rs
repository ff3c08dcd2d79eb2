//! `connector.yaml`: how to talk to the vendor.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use koine_model::Verb;

use super::{ANSWER_ROOTS, WIRE_ROOTS, one_of, pattern};
use crate::compiled::{
    Authorization, Connector, CredentialField, CredentialKind, Errors, PageStyle, Pagination, RateLimit,
    RequestSpec,
};
use crate::problem::{Place, Problems};
use crate::reader::{Reader, compile_text};
use crate::template::TextTemplate;
use crate::yaml::{Data, Node};

pub(super) fn compile(node: &Node, folder: &str, problems: &mut Problems) -> Option<Connector> {
    let reader = Reader::new(node, "connector.yaml", problems)?;
    let name = reader.required("name", problems);
    if name != folder {
        problems.add(reader.place(), format!("`name` is `{name}`, the folder is `{folder}`"), None);
    }
    for meta in ["extends", "docs", "without"] {
        reader.node(meta);
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
        query: reader.template("query", problems),
        credentials: credentials(&reader, problems),
        rate_limit: reader.node("rate_limit").map(|node| rate_limit(node, problems)).unwrap_or_default(),
        errors: reader.node("errors").map(|node| errors(node, problems)).unwrap_or_default(),
        requests: requests(&reader, default_pages.as_ref(), problems),
        models: BTreeMap::new(),
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

/// A credential field that reaches a host must say what it may look like.
fn check_url_fields(connector: &Connector, place: &Place, problems: &mut Problems) {
    let roots =
        connector.base_url.roots().into_iter().chain(connector.hosts.iter().flat_map(TextTemplate::roots));
    for root in roots {
        for (kind, credentials) in &connector.credentials {
            match credentials.fields.get(&root) {
                None => problems.add(
                    place,
                    format!("the base URL uses `{root}`, which is no field of credential kind `{kind}`"),
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
    }
}

fn headers(reader: &Reader<'_>, problems: &mut Problems) -> Vec<(String, TextTemplate)> {
    let mut headers = Vec::new();
    for (name, _, node) in reader.entries("headers", problems) {
        if let Some(value) = compile_text(node, problems) {
            headers.push((name.to_ascii_lowercase(), value));
        }
    }
    headers
}

fn credentials(reader: &Reader<'_>, problems: &mut Problems) -> IndexMap<String, CredentialKind> {
    let mut kinds = IndexMap::new();
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
    reader.text("label", problems);
    let mut fields = IndexMap::new();
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
    Some(CredentialKind { fields, authorization: authorization? })
}

fn credential_field(node: &Node, problems: &mut Problems) -> Option<CredentialField> {
    let reader = Reader::new(node, "a credential field", problems)?;
    let field = CredentialField {
        label: reader.required("label", problems),
        secret: reader.boolean("secret", problems).unwrap_or(false),
        required: reader.boolean("required", problems).unwrap_or(true),
        pattern: pattern(&reader, "pattern", problems),
        example: reader.prose("example"),
        default: reader.node("default").map(Node::to_json),
        help: reader.prose("help"),
    };
    reader.finish(problems);
    Some(field)
}

fn authorization(node: &Node, problems: &mut Problems) -> Option<Authorization> {
    let reader = Reader::new(node, "authorization", problems)?;
    let format = reader.required("format", problems);
    let config = reader.node("config").and_then(|node| Reader::new(node, "authorization config", problems));
    reader.finish(problems);
    let Some(config) = config else {
        problems.add(&node.place, "authorization needs `config`", None);
        return None;
    };
    let need = |key: &'static str, problems: &mut Problems| {
        config.required(key, problems);
        config.text_template(key, problems)
    };
    let authorization = match format.as_str() {
        "header" => Authorization::Header {
            name: config.required("header_name", problems).to_ascii_lowercase(),
            value: need("header_value", problems)?,
        },
        "bearer" => Authorization::Bearer { token: need("token", problems)? },
        "query" => {
            Authorization::Query { name: config.required("name", problems), value: need("value", problems)? }
        }
        "basic" => Authorization::Basic {
            username: config.template("username", problems)?,
            password: config.template("password", problems)?,
        },
        "oauth2_client_credentials" => Authorization::ClientCredentials {
            token_url: need("token_url", problems)?,
            client_id: need("client_id", problems)?,
            client_secret: need("client_secret", problems)?,
            scopes: config.texts("scope", problems),
            in_body: config.text("credentials_in", problems).unwrap_or("body") == "body",
        },
        other => {
            let known = ["header", "bearer", "query", "basic", "oauth2_client_credentials"];
            one_of(other, &known, &node.place, problems);
            return None;
        }
    };
    config.finish(problems);
    Some(authorization)
}

fn pagination(node: &Node, problems: &mut Problems) -> Option<Pagination> {
    let reader = Reader::new(node, "pagination", problems)?;
    let format = reader.required("format", problems);
    let empty = Node { place: node.place.clone(), data: Data::Map(IndexMap::new()) };
    let config = Reader::new(reader.node("config").unwrap_or(&empty), "pagination config", problems)?;
    let style = match format.as_str() {
        "link_header" => PageStyle::LinkHeader,
        "cursor" => PageStyle::Cursor {
            path: config.expr("cursor_path", ANSWER_ROOTS, problems)?,
            param: config.text("cursor_param", problems).unwrap_or("cursor").to_owned(),
            is_link: config.boolean("is_cursor_link", problems).unwrap_or(false),
        },
        "page" => PageStyle::Page {
            param: config.required("page_param", problems),
            first: config.number("first_page", problems).unwrap_or(1),
            total: config.expr("total_pages", ANSWER_ROOTS, problems),
        },
        "offset" => PageStyle::Offset {
            param: config.required("offset_param", problems),
            first: config.number("first_offset", problems).unwrap_or(0),
            total: config.expr("total", ANSWER_ROOTS, problems),
        },
        other => {
            one_of(other, &["link_header", "cursor", "page", "offset"], &node.place, problems);
            return None;
        }
    };
    let pagination = Pagination {
        style,
        limit_param: config.text("limit_param", problems).map(ToOwned::to_owned),
        max_limit: config.number("max_limit", problems),
        default_limit: config.number("default_limit", problems),
    };
    config.finish(problems);
    reader.finish(problems);
    Some(pagination)
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
    };
    reader.finish(problems);
    errors
}

fn requests(
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
        spec.pagination = pages.filter(|_| name.ends_with(".list")).cloned();
        return Some(spec);
    }
    let reader = Reader::new(node, "a request", problems)?;
    let verb = reader.text("method", problems).unwrap_or("get");
    let path = reader.required("path", problems);
    let mut spec = empty_request(name, verb, &path, &node.place, problems)?;
    spec.query = reader.template("query", problems);
    spec.headers = headers(&reader, problems);
    spec.body = reader.template("body", problems);
    let format = reader.text("body_format", problems).unwrap_or("json");
    one_of(format, &["json", "form"], reader.place(), problems);
    spec.form = format == "form";
    spec.response_path = reader.expr("response_path", &[], problems);
    let own = reader.node("pagination").and_then(|node| pagination(node, problems));
    let is_list = name.ends_with(".list") || name.ends_with(".find");
    spec.pagination = match own {
        Some(own) => Some(own),
        None if reader.is_null("pagination") || !is_list => None,
        None => pages.cloned(),
    };
    spec.is_error = reader.expr("error_expression", WIRE_ROOTS, problems);
    spec.idempotent = reader.boolean("idempotent", problems).unwrap_or(spec.idempotent);
    spec.no_auth = reader.boolean("no_auth", problems).unwrap_or(false);
    for documentation in ["description", "api_documentation_url"] {
        reader.text(documentation, problems);
    }
    reader.finish(problems);
    Some(spec)
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
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
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
        form: false,
        response_path: None,
        pagination: None,
        is_error: None,
        idempotent: verb.is_idempotent(),
        no_auth: false,
    })
}
