//! How an account's credentials get onto a request. Pure: tokens are fetched elsewhere.

use base64::Engine as _;
use koine_model::{Credentials, Secret};
use serde_json::Value;
use url::Url;

use crate::compiled::{Authorization, Connector, CredentialKind, Login};
use crate::template::{TemplateError, TextTemplate};

/// What a request needs to be authentic.
#[derive(Debug)]
pub enum Authorized<'a> {
    /// These headers and parameters.
    Ready(Credentials),
    /// A token that must be fetched first.
    Login(&'a Login),
}

/// Fills in the credentials of `kind` from the account's `context`.
///
/// # Errors
/// A field that is missing or empty, named.
pub fn authorize<'a>(kind: &'a CredentialKind, context: &Value) -> Result<Authorized<'a>, TemplateError> {
    let plain = |template: &TextTemplate| template.render(context, &|value| Ok(value.to_owned()));
    let header = |name: &str, value: String| {
        let headers = vec![(name.to_owned(), Secret::new(value))];
        Authorized::Ready(Credentials { headers, query: Vec::new() })
    };
    Ok(match &kind.authorization {
        Authorization::Header { name, value } => header(name, plain(value)?),
        Authorization::Bearer { token } => header("authorization", format!("Bearer {}", plain(token)?)),
        Authorization::Query { name, value } => {
            let query = vec![(name.clone(), Secret::new(plain(value)?))];
            Authorized::Ready(Credentials { headers: Vec::new(), query })
        }
        Authorization::Basic { username, password } => {
            let text = |value: Value| value.as_str().unwrap_or_default().to_owned();
            let pair = format!("{}:{}", text(username.render(context)?), text(password.render(context)?));
            header(
                "authorization",
                format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)),
            )
        }
        Authorization::Login(login) => Authorized::Login(login),
    })
}

/// The hosts that requests of this account may go to.
///
/// # Errors
/// A credential field that a host needs and that is missing.
pub fn hosts(connector: &Connector, context: &Value, base: &Url) -> Result<Vec<String>, TemplateError> {
    let mut hosts = vec![host_of(base)];
    for template in &connector.hosts {
        hosts.push(template.render(context, &|value| Ok(value.to_owned()))?.to_ascii_lowercase());
    }
    Ok(hosts)
}

/// The credential fields that say where credentials are sent: to which base URL, hosts and token endpoint.
#[must_use]
pub fn address_fields(connector: &Connector, kind: &CredentialKind) -> Vec<String> {
    let login = match &kind.authorization {
        Authorization::Login(login) => login.url.roots(),
        _ => Vec::new(),
    };
    let hosts = connector.hosts.iter().flat_map(TextTemplate::roots);
    connector.base_url.roots().into_iter().chain(hosts).chain(login).collect()
}

/// `host` or `host:port`, as host lists spell it.
#[must_use]
pub fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
}
