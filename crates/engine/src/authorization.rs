//! A person's consent (OAuth 2 authorization code): out to the vendor's page and back, with what makes sure that who comes
//! back is who went out, and that the answer is the vendor's own.

mod types;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use koine_connector::Connector;
use koine_connector::authorize::host_of;
use koine_connector::compiled::{CredentialKind, Login as Rule};
use koine_connector::login::{Asking, Code, LoginError, challenge};
use koine_model::{Error, ErrorCode, Secret};
use koine_store::{Account, NewAuthorization};
use koine_upstream::{Hosts, TokenError, received};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use crate::grant::{self, Tokens};
use crate::oauth_apps::{LoginScope, no_app};
use crate::{Engine, account, accounts, error, login};

pub use types::{
    AuthorizationAnswer, AuthorizationFailed, AuthorizationFailure, AuthorizationRequest,
    AuthorizationStarted, Grant, Granted,
};

/// How long a person may take.
const LIFETIME: Duration = Duration::from_secs(600);
/// What is kept while the browser is away.
#[derive(Serialize, Deserialize)]
struct Kept {
    method: String,
    context: Map<String, Value>,
    verifier: String,
    redirect_uri: String,
    page: Url,
    carried: Value,
}

/// One kind of credential of one connector that is asked for by consent.
struct Way {
    connector: Arc<Connector>,
    method: String,
}

impl Way {
    fn kind(&self) -> &CredentialKind {
        self.connector.credentials.get(&self.method).expect("a way is made of a kind that there is")
    }

    fn rule(&self) -> &Rule {
        login::rule_of(self.kind()).expect("a way is made of a login")
    }
}

impl Engine {
    /// Whether a person can be asked for this kind of credential: it has a page of consent, this environment has an app
    /// for it, and the vendor has an address of ours to send them back to.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_consent_possible(
        &self,
        environment_id: Uuid,
        connector: &str,
        authentication_method: &str,
    ) -> Result<bool, Error> {
        if self.way(connector, authentication_method).is_err() || self.parts.public_url.is_none() {
            return Ok(false);
        }
        let app = self.parts.store.find_oauth_app(environment_id, connector).await;
        Ok(app.map_err(Error::internal)?.is_some())
    }

    /// Sends a person out to consent.
    ///
    /// # Errors
    /// Credential fields that are missing or not in their form, or an operator who has not set what this needs.
    pub async fn begin_authorization(
        &self,
        request: AuthorizationRequest,
    ) -> Result<AuthorizationStarted, Error> {
        let way = self.way(&request.connector, &request.authentication_method)?;
        accounts::check_before_consent(&way.connector, way.kind(), &request.context)?;
        let redirect_uri = self.redirect_uri(&request.connector).ok_or_else(|| {
            let message =
                "KOINE_PUBLIC_URL is not set; without it no vendor knows where to send people back to";
            Error::new(ErrorCode::Conflict, message)
        })?;
        let fields = account::fields(way.kind(), request.context.clone());
        let secret = fields.secret().to_vec();
        let scope = self
            .login_scope(request.environment_id, &way.connector, way.kind(), fields.all().clone(), secret)
            .await
            .map_err(|error| match error {
                TokenError::App(_) => Error::new(ErrorCode::Conflict, no_app(&way.connector)),
                other => error::login_failed(&way.connector.label, &other),
            })?;
        let (state, verifier) = (random(), random());
        let browser = request.browser.filter(|browser| is_random(browser.expose())).unwrap_or_else(random);
        let page = self.page(&way, &scope)?;
        let asking = Asking {
            state: state.expose(),
            redirect_uri: &redirect_uri,
            challenge: &challenge(&verifier),
            scopes: &request.scopes,
        };
        let url =
            way.rule().asking(&scope.context, page.clone(), &asking).map_err(|error| invalid(&error))?;
        let kept = Kept {
            method: way.method,
            context: request.context,
            verifier: verifier.expose().to_owned(),
            redirect_uri,
            page,
            carried: request.carried,
        };
        let authorization = NewAuthorization {
            environment_id: request.environment_id,
            connector: request.connector,
            state: state.expose().to_owned(),
            browser: browser.expose().to_owned(),
            content: serde_json::to_value(kept).map_err(Error::internal)?,
            lifetime: LIFETIME,
        };
        self.parts.store.begin_authorization(authorization).await.map_err(Error::internal)?;
        Ok(AuthorizationStarted { url, browser })
    }

    /// Takes a person in who comes back, and makes tokens of their consent. Works once.
    ///
    /// # Errors
    /// When nobody was sent out like this, or comes back without a consent that is worth anything.
    pub async fn finish_authorization(
        &self,
        answer: AuthorizationAnswer,
    ) -> Result<Granted, AuthorizationFailed> {
        let unknown = || {
            let message = "This sign-in is not known here: it took longer than ten minutes, was finished before, or \
                           was begun in another browser. Please start again.";
            AuthorizationFailed::new(AuthorizationFailure::Unknown, message)
        };
        let browser = answer.browser.as_ref().ok_or_else(unknown)?;
        let store = &self.parts.store;
        let taken = store.take_authorization(&answer.connector, &answer.state, browser.expose()).await;
        let taken = taken.map_err(|error| AuthorizationFailed::internal(&error))?.ok_or_else(unknown)?;
        let kept: Kept =
            serde_json::from_value(taken.content).map_err(|error| AuthorizationFailed::internal(&error))?;
        let carried = kept.carried.clone();
        let granted = self.granted(&answer, taken.environment_id, kept).await;
        granted.map_err(|failed| AuthorizationFailed { carried: Some(carried), ..failed })
    }

    /// Gives the tokens of a consent to an account that was saved with its credential fields.
    ///
    /// # Errors
    /// 404 when the account is gone.
    pub async fn keep_grant(
        &self,
        environment_id: Uuid,
        account_id: Uuid,
        grant: &Grant,
    ) -> Result<(), Error> {
        let account = self.parts.store.get_account(environment_id, account_id).await;
        let account = account.map_err(Error::internal)?.ok_or_else(|| missing(account_id))?;
        self.set_tokens(&account, grant.tokens.clone()).await
    }

    /// Gives tokens to an account as it was saved.
    pub(crate) async fn set_tokens(&self, account: &Account, tokens: Tokens) -> Result<(), Error> {
        let kind = self.parts.catalogue.connector(&account.connector);
        let kind = kind.and_then(|connector| connector.credentials.get(&account.authentication_method));
        let rule = kind.and_then(CredentialKind::grant);
        let rule = rule.ok_or_else(|| Error::invalid("these credentials are no grant"))?;
        let content = serde_json::to_value(tokens.of(rule, &account.context)).map_err(Error::internal)?;
        let set = self.parts.store.set_grant(account.environment_id, account.id, &content).await;
        if set.map_err(Error::internal)? { Ok(()) } else { Err(missing(account.id)) }
    }

    fn way(&self, connector: &str, method: &str) -> Result<Way, Error> {
        let found = self.parts.catalogue.connector(connector).cloned();
        let connector = found.ok_or_else(|| Self::unknown("connector", connector))?;
        let kind = connector.credentials.get(method);
        if kind.and_then(CredentialKind::consent).is_none() {
            let message = format!("`{method}` of {} is not asked for by consent", connector.label);
            return Err(Error::invalid(message));
        }
        Ok(Way { connector, method: method.to_owned() })
    }

    /// The page of consent, moved with what the operator moved.
    fn page(&self, way: &Way, scope: &LoginScope) -> Result<Url, Error> {
        let base = self.base_of(way, scope);
        let page = way.rule().consent_page(&scope.context, &base).map_err(|error| invalid(&error))?;
        let operator = self.parts.base_urls.base(&way.connector.name);
        Ok(login::moved(self, &way.connector, page, &scope.context, operator))
    }

    /// The base URL; of a vendor that tells only with the tokens where the account lives, one that leads nowhere.
    fn base_of(&self, way: &Way, scope: &LoginScope) -> Url {
        let operator = self.parts.base_urls.base(&way.connector.name);
        let base = koine_connector::plan::base_url(&way.connector, &scope.context, operator);
        base.unwrap_or_else(|_| Url::parse("https://unknown.invalid").expect("a URL"))
    }

    async fn granted(
        &self,
        answer: &AuthorizationAnswer,
        environment_id: Uuid,
        kept: Kept,
    ) -> Result<Granted, AuthorizationFailed> {
        let refused = |message: String| AuthorizationFailed::new(AuthorizationFailure::Refused, message);
        let way = self.way(&answer.connector, &kept.method).map_err(|error| refused(error.message))?;
        let label = &way.connector.label;
        let fields = account::fields(way.kind(), kept.context.clone());
        let secret = fields.secret().to_vec();
        let scope = self
            .login_scope(environment_id, &way.connector, way.kind(), fields.all().clone(), secret)
            .await
            .map_err(|error| AuthorizationFailed::of(label, &error))?;
        let genuine = way.rule().is_answer_of(answer.issuer.as_deref(), &scope.context, &kept.page);
        if !genuine.map_err(|error| refused(error.to_string()))? {
            return Err(refused(format!("The answer did not come from {label}. Nothing was connected.")));
        }
        if let Some(error) = &answer.error {
            return Err(AuthorizationFailed::told(label, error, answer.error_description.as_deref()));
        }
        let code = answer.code.as_ref().filter(|code| !code.expose().is_empty());
        let code = code.ok_or_else(|| refused(format!("{label} sent you back without a code.")))?;
        let (tokens, told) = self.tokens(&way, scope, code, &kept).await?;
        let mut context = kept.context;
        context.extend(told);
        let checked = accounts::check_before_consent(&way.connector, way.kind(), &context);
        checked.map_err(|error| refused(format!("What {label} told cannot be used: {}", error.message)))?;
        Ok(Granted {
            environment_id,
            connector: answer.connector.clone(),
            authentication_method: way.method,
            context,
            grant: Grant { tokens },
            carried: kept.carried,
        })
    }

    /// Makes tokens, and what else the vendor tells, of a code.
    async fn tokens(
        &self,
        way: &Way,
        mut scope: LoginScope,
        code: &Secret,
        kept: &Kept,
    ) -> Result<(Tokens, Map<String, Value>), AuthorizationFailed> {
        let label = &way.connector.label;
        let failed = |error: TokenError| AuthorizationFailed::of(label, &error);
        let built = |error: LoginError| failed(login::failed(&error));
        let (rule, base) = (way.rule(), self.base_of(way, &scope));
        let endpoint = rule.endpoint(&scope.context, &base).map_err(built)?;
        let operator = self.parts.base_urls.base(&way.connector.name);
        let endpoint = login::moved(self, &way.connector, endpoint, &scope.context, operator);
        let verifier = Secret::new(&kept.verifier);
        let code_of = Code { code, verifier: &verifier, redirect_uri: &kept.redirect_uri };
        let (request, credentials) = rule.code_request(&scope.context, &endpoint, &code_of).map_err(built)?;
        scope.put(" code", code.expose());
        scope.put(" verifier", &kept.verifier);
        let (asked, hosts) = (grant::now(), Hosts::new([host_of(&endpoint)]));
        let answer = self.parts.upstream.send(&request, &credentials, &hosts).await;
        let response = received(answer).map_err(failed)?;
        let obtained = rule.read(&response, &scope.context, &scope.secret);
        let obtained = obtained.map_err(|error| failed(login::refusal(error, &response, scope.is_own)))?;
        let told = rule.filled(&response).map_err(|error| failed(login::refusal(error, &response, true)))?;
        let text = |value: Value| match value {
            Value::String(text) => Value::String(text),
            other => Value::String(other.to_string()),
        };
        let told = told.into_iter().map(|(name, value)| (name, text(value))).collect();
        Ok((Tokens::new(obtained, asked), told))
    }
}

fn missing(account: Uuid) -> Error {
    Error::not_found(format!("there is no integrated account {account}"))
}

fn invalid(error: &LoginError) -> Error {
    Error::invalid(error.to_string())
}

/// 256 random bits, as text for addresses and cookies.
fn random() -> Secret {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the system gives random bytes");
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether a cookie's value may be one of ours.
fn is_random(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}
