//! How an account's token is obtained: the connector builds and reads, the store keeps what must not be lost.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_lc_rs::digest;
use koine_connector::Connector;
use koine_connector::authorize::host_of;
use koine_connector::compiled::{Authorization, CredentialKind, Login as Rule};
use koine_connector::login::{LoginError, Obtained};
use koine_model::{CredentialFields, Credentials, Error, Request, Response, Secret};
use koine_upstream::{Hosts, Login, Token, TokenError, Upstream, received};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::account::{Access, Connection};
use crate::oauth_apps::LoginScope;
use crate::{Engine, base_urls, grant, refresh};

/// How long a refused login is not tried again on this node, unless the account's credentials change.
const REFUSAL_COUNTS: Duration = Duration::from_secs(30);

/// One account's way to a token. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AccountLogin {
    pub(crate) engine: Engine,
    pub(crate) environment_id: Uuid,
    pub(crate) account_id: Uuid,
    pub(crate) fields: CredentialFields,
    pub(crate) endpoint: Url,
    /// The account's and the token endpoint's: nothing but logins goes there.
    hosts: Hosts,
    connector: Arc<Connector>,
    method: String,
    /// When the account last changed: a grant may be another one since.
    updated_at: String,
    /// Whether the endpoint is to be asked though it has just said no.
    pub(crate) insists: bool,
    /// The token that the vendor does not accept any more.
    refused: Arc<Mutex<Option<Secret>>>,
}

impl AccountLogin {
    /// `None` for credentials that need no login. `overridden` says whether it was the operator who said where the
    /// account's requests go.
    pub(crate) fn new(
        engine: &Engine,
        connection: &Connection,
        access: &Access,
        overridden: bool,
    ) -> Result<Option<Self>, Error> {
        let Some(rule) = rule_of(connection.credentials()?) else { return Ok(None) };
        let (context, base) = (connection.fields().all(), &access.base);
        let endpoint = rule.endpoint(context, base).map_err(|error| unusable(connection, &error))?;
        let connector = &connection.connector;
        let endpoint = moved(engine, connector, endpoint, context, Some(base).filter(|_| overridden));
        let account = &connection.account;
        Ok(Some(Self {
            engine: engine.clone(),
            environment_id: account.environment_id,
            account_id: account.id,
            fields: connection.fields().clone(),
            hosts: access.hosts.with(host_of(&endpoint)),
            endpoint,
            connector: Arc::clone(connector),
            method: account.authentication_method.clone(),
            updated_at: account.updated_at.clone(),
            insists: false,
            refused: Arc::default(),
        }))
    }

    pub(crate) fn rule(&self) -> &Rule {
        rule_of(self.kind()).expect("a login is made of credentials that have a rule for it")
    }

    fn kind(&self) -> &CredentialKind {
        self.connector.credentials.get(&self.method).expect("a login is made of credentials that there are")
    }

    /// Where the login may go.
    pub(crate) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Whether requests see something of the answer.
    pub(crate) fn keeps(&self) -> bool {
        !self.rule().keep.is_empty()
    }

    /// What the token is kept under: other credentials, and what may be another consent, are another login.
    pub(crate) fn key(&self) -> String {
        let hash = digest::digest(&digest::SHA256, self.fields.all().to_string().as_bytes());
        let grant = self.rule().grant().map_or("", |_| &self.updated_at);
        format!("{}/{:?}/{grant}", self.account_id, hash.as_ref())
    }

    /// The vendor does not accept this token any more.
    pub(crate) fn refuse(&self, token: &Secret) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
    }

    /// Whether the vendor may still accept this token.
    pub(crate) fn may_work(&self, token: &str) -> bool {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.as_ref().is_none_or(|refused| refused.expose() != token)
    }

    pub(crate) fn header(&self, token: &Secret) -> Result<(String, Secret), TokenError> {
        self.rule().header(token, self.fields.all()).map_err(|error| failed(&error))
    }

    /// Credential fields, with those of the environment's app where the account has none of its own.
    pub(crate) async fn scope(&self) -> Result<LoginScope, TokenError> {
        let secret = self.fields.secret().to_vec();
        let context = self.fields.all().clone();
        if self.rule().grant().is_none() {
            return Ok(LoginScope { context, secret, is_own: true });
        }
        let kind = self.kind();
        self.engine.login_scope(self.environment_id, &self.connector, kind, context, secret).await
    }

    /// What the endpoint gave, or whose fault it is that it gave nothing.
    pub(crate) fn obtained(&self, response: &Response, scope: &LoginScope) -> Result<Obtained, TokenError> {
        let obtained = self.rule().read(response, &scope.context, &scope.secret);
        obtained.map_err(|error| refusal(error, response, scope.is_own))
    }
}

#[async_trait]
impl Login for AccountLogin {
    async fn request(&self) -> Result<(Request, Credentials), TokenError> {
        let mut scope = self.scope().await?;
        if self.rule().grant().is_some() {
            grant::known(self).await?.fill(self, &mut scope)?;
        }
        self.rule().request(&scope.context, &self.endpoint, epoch_second()).map_err(|error| failed(&error))
    }

    async fn read(&self, response: &Response) -> Result<Token, TokenError> {
        if self.rule().grant().is_some() {
            let known = grant::known(self).await?;
            return refresh::conclude(self, response, &known, grant::now()).await;
        }
        let obtained = self.obtained(response, &self.scope().await?)?;
        Ok(Token {
            value: obtained.token,
            lifetime: obtained.lifetime,
            kept: obtained.kept,
            fresh_for: None,
            since: Instant::now(),
        })
    }

    /// A wrong password is not tried with every call: vendors lock accounts for that. Of a grant the store knows more.
    fn patience(&self) -> Duration {
        if self.insists || self.rule().grant().is_some() { Duration::ZERO } else { REFUSAL_COUNTS }
    }

    async fn fetch(&self, upstream: &Upstream, hosts: &Hosts) -> Result<Token, TokenError> {
        if self.rule().grant().is_some() {
            return refresh::fetch(self).await;
        }
        let (request, credentials) = self.request().await?;
        self.read(&received(upstream.send(&request, &credentials, hosts).await)?).await
    }
}

/// How the token of these credentials is asked for, if there is one.
pub(crate) fn rule_of(kind: &CredentialKind) -> Option<&Rule> {
    match &kind.authorization {
        Authorization::Login(rule) => Some(rule),
        _ => None,
    }
}

fn epoch_second() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

pub(crate) fn failed(error: &LoginError) -> TokenError {
    TokenError::Unusable(error.to_string())
}

/// What a refusal of the endpoint means. `is_own` says that the account has an app of its own, so that nobody else is
/// to blame for it.
pub(crate) fn refusal(error: LoginError, response: &Response, is_own: bool) -> TokenError {
    match error {
        LoginError::Revoked(body) => TokenError::Refused { status: 401, body },
        LoginError::Client(body) if !is_own => TokenError::App(body),
        LoginError::Refused(body) | LoginError::Client(body) => match response.status {
            408 | 425 | 429 | 500.. => {
                TokenError::Busy { status: response.status, retry_after: retry_after(response), body }
            }
            status => TokenError::Refused { status, body },
        },
        LoginError::Unreadable => TokenError::Lost(error.to_string()),
        LoginError::Field(_) => failed(&error),
    }
}

/// Seconds to wait, told as a number or as a date.
fn retry_after(response: &Response) -> Option<u64> {
    let (_, text) = response.headers.iter().find(|(name, _)| name == "retry-after")?;
    let at = || {
        let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
        u64::try_from(at.timestamp().duration_since(jiff::Timestamp::now()).as_secs()).ok()
    };
    text.trim().parse().ok().or_else(at).map(|seconds: u64| seconds.max(1))
}

fn unusable(connection: &Connection, error: &LoginError) -> Error {
    Error::invalid(format!("account {} is not complete: {error}", connection.account.id))
}

/// An address that the operator named moves as they said; one under the vendor's base URL moves with it to `base`, if
/// the operator named that.
pub(crate) fn moved(
    engine: &Engine,
    connector: &Connector,
    address: Url,
    context: &Value,
    base: Option<&Url>,
) -> Url {
    if let Some(named) = engine.parts.base_urls.moved(&connector.name, &address) {
        return named;
    }
    let Some(base) = base else { return address };
    let vendor = connector.base_url.render(context, &|value| Ok(value.to_owned()));
    let vendor = vendor.ok().and_then(|text| Url::parse(&text).ok());
    vendor.and_then(|vendor| base_urls::relocated(&address, &vendor, base)).unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use koine_model::Response;

    use super::retry_after;

    #[test]
    fn waiting_is_told_in_seconds_or_until_a_date() {
        let told = |text: &str| {
            let headers = vec![("retry-after".to_owned(), text.to_owned())];
            retry_after(&Response { status: 503, headers, body: Vec::new().into() })
        };
        for (text, seconds) in
            [("120", Some(120)), (" 7 ", Some(7)), ("0", Some(1)), ("soon", None), ("-3", None)]
        {
            assert_eq!(told(text), seconds, "{text}");
        }
        assert_eq!(told("Wed, 21 Oct 2015 07:28:00 GMT"), None, "it has passed");
        let year = 365 * 24 * 3600;
        assert!(told("Mon, 21 Oct 2999 07:28:00 GMT").is_some_and(|seconds| seconds > year));
    }
}
