//! `authorization`: how credentials get onto a request.

use jsonwebtoken::Algorithm;
use koine_model::NameMap;
use koine_model::Verb;

use super::request::headers;
use super::{WIRE_ROOTS, expressions, one_of};
use crate::compiled::{Assertion, Authorization, Client, Consent, Grant, Login, Proof};
use crate::expr::Expr;
use crate::problem::Problems;
use crate::reader::{Reader, compile_text};
use crate::template::TextTemplate;
use crate::yaml::Node;

/// Longest life of an assertion, in seconds: what vendors accept.
const LONGEST_ASSERTION: u64 = 3600;

const FORMATS: &[&str] = &[
    "header",
    "bearer",
    "query",
    "basic",
    "oauth2_client_credentials",
    "oauth2_refresh_token",
    "oauth2",
    "oauth2_jwt_bearer",
    "session",
];

pub(crate) fn authorization(node: &Node, problems: &mut Problems) -> Option<Authorization> {
    let reader = Reader::new(node, "authorization", problems)?;
    let format = reader.required("format", problems);
    let config = reader.node("config").and_then(|node| Reader::new(node, "authorization config", problems));
    reader.finish(problems);
    let Some(config) = config else {
        problems.add(&node.place, "authorization needs `config`", None);
        return None;
    };
    let authorization = of_format(&format, &config, node, problems);
    config.finish(problems);
    authorization
}

fn need(config: &Reader<'_>, key: &'static str, problems: &mut Problems) -> Option<TextTemplate> {
    config.required(key, problems);
    config.text_template(key, problems)
}

fn of_format(
    format: &str,
    config: &Reader<'_>,
    node: &Node,
    problems: &mut Problems,
) -> Option<Authorization> {
    let proof = match format {
        "header" => {
            return Some(Authorization::Header {
                name: config.required("header_name", problems).to_ascii_lowercase(),
                value: need(config, "header_value", problems)?,
            });
        }
        "bearer" => return Some(Authorization::Bearer { token: need(config, "token", problems)? }),
        "query" => {
            let name = config.required("name", problems);
            return Some(Authorization::Query { name, value: need(config, "value", problems)? });
        }
        "basic" => {
            return Some(Authorization::Basic {
                username: config.template("username", problems)?,
                password: config.template("password", problems)?,
            });
        }
        "oauth2_client_credentials" => client(config, problems).map(Proof::ClientCredentials),
        "oauth2_refresh_token" | "oauth2" => {
            let needed = if format == "oauth2" { "authorize" } else { "refresh_token_field" };
            if config.node(needed).is_none() {
                problems.add(config.place(), format!("`{format}` needs `{needed}`"), None);
            }
            grant(config, problems).map(|grant| Proof::Grant(Box::new(grant)))
        }
        "oauth2_jwt_bearer" => assertion(config, problems).map(|assertion| Proof::Jwt(Box::new(assertion))),
        "session" => session(config, problems),
        other => {
            one_of(other, FORMATS, &node.place, problems);
            return None;
        }
    };
    login(proof, format == "session", config, problems).map(|login| Authorization::Login(Box::new(login)))
}

/// Every key is read before anything is given up, so that one mistake does not turn the others into strangers.
fn login(
    proof: Option<Proof>,
    is_session: bool,
    config: &Reader<'_>,
    problems: &mut Problems,
) -> Option<Login> {
    let url = need(config, if is_session { "url" } else { "token_url" }, problems);
    let token = config.expr("token", WIRE_ROOTS, problems);
    if token.is_none() && is_session {
        problems.add(config.place(), "a session needs `token`, where the answer holds it", None);
    }
    let lifetime = config.expr("lifetime", WIRE_ROOTS, problems);
    let is_error = config.expr("error_expression", WIRE_ROOTS, problems);
    let expired = config.expr("expired", WIRE_ROOTS, problems);
    let keep = if config.node("keep").is_some() {
        expressions(config, "keep", problems)
    } else {
        NameMap::default()
    };
    let header_name = config.text("header_name", problems).unwrap_or("authorization").to_ascii_lowercase();
    let header_value = config.text_template("header_value", problems);
    let standard = |source: &str| if is_session { None } else { Expr::compile(source, WIRE_ROOTS).ok() };
    Some(Login {
        proof: proof?,
        url: url?,
        token: token.or_else(|| standard("data.access_token"))?,
        lifetime: lifetime.or_else(|| standard("$number(data.expires_in)")),
        is_error,
        expired,
        keep,
        header_name,
        header_value: header_value.or_else(|| TextTemplate::compile("Bearer {{token}}").ok())?,
    })
}

/// Names and what they are filled with.
fn named(config: &Reader<'_>, key: &'static str, problems: &mut Problems) -> Vec<(String, TextTemplate)> {
    let entries = config.entries(key, problems);
    entries
        .into_iter()
        .filter_map(|(name, _, node)| Some((name.to_owned(), compile_text(node, problems)?)))
        .collect()
}

fn scopes(config: &Reader<'_>, problems: &mut Problems) -> Vec<TextTemplate> {
    config.list("scope", problems).iter().filter_map(|node| compile_text(node, problems)).collect()
}

/// An expression, or the usual one.
fn or_usual(config: &Reader<'_>, key: &'static str, usual: &str, problems: &mut Problems) -> Option<Expr> {
    if config.node(key).is_some() {
        return config.expr(key, WIRE_ROOTS, problems);
    }
    Expr::compile(usual, WIRE_ROOTS).ok()
}

fn grant(config: &Reader<'_>, problems: &mut Problems) -> Option<Grant> {
    let client = client(config, problems);
    let field = config.text("refresh_token_field", problems).map(ToOwned::to_owned);
    let refresh_token = or_usual(config, "refresh_token", "data.refresh_token", problems);
    let revoked = or_usual(config, "revoked", "data.error = \"invalid_grant\"", problems);
    let node = config.node("authorize");
    let consent = node.and_then(|node| {
        let reader = Reader::new(node, "`authorize`", problems)?;
        let consent = consent(&reader, problems);
        reader.finish(problems);
        consent
    });
    Some(Grant { client: client?, field, refresh_token: refresh_token?, revoked: revoked?, consent })
}

fn consent(reader: &Reader<'_>, problems: &mut Problems) -> Option<Consent> {
    let url = need(reader, "url", problems);
    let context = match reader.node("context") {
        Some(_) => expressions(reader, "context", problems),
        None => NameMap::default(),
    };
    let or = |text: Option<&str>, usual: &str| text.unwrap_or(usual).to_owned();
    let consent = Consent {
        scopes: scopes(reader, problems),
        scope_param: or(reader.text("scope_param", problems), "scope"),
        scope_separator: or(reader.text("scope_separator", problems), " "),
        params: named(reader, "params", problems),
        pkce: reader.boolean("pkce", problems).unwrap_or(true),
        issuer: reader.text_template("issuer", problems),
        context,
        url: url?,
    };
    Some(consent)
}

fn client(config: &Reader<'_>, problems: &mut Problems) -> Option<Client> {
    let place = config.text("credentials_in", problems).unwrap_or("body");
    one_of(place, &["body", "header"], config.place(), problems);
    let extra = named(config, "extra", problems);
    let id = need(config, "client_id", problems);
    let secret = config.text_template("client_secret", problems);
    let scopes = scopes(config, problems);
    Some(Client { id: id?, secret, scopes, in_body: place == "body", extra })
}

fn assertion(config: &Reader<'_>, problems: &mut Problems) -> Option<Assertion> {
    let algorithm = match config.text("algorithm", problems).unwrap_or("RS256") {
        "ES256" => Algorithm::ES256,
        other => {
            one_of(other, &["RS256", "ES256"], config.place(), problems);
            Algorithm::RS256
        }
    };
    let lifetime = config.number("assertion_lifetime", problems).unwrap_or(300);
    if lifetime == 0 || lifetime > LONGEST_ASSERTION {
        problems.add(config.place(), "`assertion_lifetime` is 1 to 3600 seconds", None);
    }
    let private_key = need(config, "private_key", problems);
    let issuer = need(config, "issuer", problems);
    let audience = need(config, "audience", problems);
    let key_id = config.text_template("key_id", problems);
    let subject = config.text_template("subject", problems);
    let scopes = scopes(config, problems);
    Some(Assertion {
        algorithm,
        private_key: private_key?,
        key_id,
        issuer: issuer?,
        subject,
        audience: audience?,
        scopes,
        lifetime,
    })
}

fn session(config: &Reader<'_>, problems: &mut Problems) -> Option<Proof> {
    let word = config.text("method", problems).unwrap_or("post");
    let verb = Verb::parse(word);
    if verb.is_none() {
        problems.add(config.place(), format!("`{word}` is not a verb"), None);
    }
    let basic = config.node("basic").and_then(|node| {
        let pair = Reader::new(node, "`basic`", problems)?;
        let (username, password) = (pair.template("username", problems), pair.template("password", problems));
        pair.finish(problems);
        username.zip(password)
    });
    let headers = headers(config, problems);
    let body = config.template("body", problems);
    let format = config.text("body_format", problems).unwrap_or("json");
    one_of(format, &["json", "form"], config.place(), problems);
    if format == "form" && body.as_ref().is_some_and(|body| !body.source().is_object()) {
        problems.add(config.place(), "a form needs a `body` that is a map", None);
    }
    Some(Proof::Session { verb: verb?, headers, body, is_form: format == "form", basic })
}
