//! What goes into a consent and what comes out of it.

use koine_connector::compiled;
use koine_model::{Error, Secret};
use koine_upstream::TokenError;
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use crate::grant::Tokens;

/// Most characters of the vendor's own words.
const LONGEST_WORDS: usize = 200;

/// A consent to ask for.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// The environment that the account is for.
    pub environment_id: Uuid,
    /// The connector.
    pub connector: String,
    /// Which of its kinds of credential: one that is asked for by consent.
    pub authentication_method: String,
    /// Credential fields that the customer filled in before.
    pub context: Map<String, Value>,
    /// Scopes in place of the connector's; none: the connector's.
    pub scopes: Vec<String>,
    /// The value of the browser's cookie, if it sent one.
    pub browser: Option<Secret>,
    /// Given back when the browser is.
    pub carried: Value,
}

/// A consent that is asked for.
#[derive(Clone, Debug)]
pub struct AuthorizationStarted {
    /// Where the browser is to go.
    pub url: Url,
    /// The value of the cookie that it is to have when it comes back.
    pub browser: Secret,
}

/// What a browser comes back with.
#[derive(Clone, Debug, Default)]
pub struct AuthorizationAnswer {
    /// The connector whose address it came to.
    pub connector: String,
    /// `state`.
    pub state: String,
    /// `code`.
    pub code: Option<Secret>,
    /// `error`.
    pub error: Option<String>,
    /// `error_description`.
    pub error_description: Option<String>,
    /// `iss`.
    pub issuer: Option<String>,
    /// The value of the browser's cookie.
    pub browser: Option<Secret>,
}

/// The tokens of a consent; [`Engine::keep_grant`] gives them to an account.
pub struct Grant {
    pub(super) tokens: Tokens,
}

impl Grant {
    /// What the store keeps of it, for an account with these credential fields.
    pub(crate) fn content(self, rule: &compiled::Grant, context: &Value) -> Result<Value, Error> {
        serde_json::to_value(self.tokens.of(rule, context)).map_err(Error::internal)
    }
}

/// A consent that was given.
pub struct Granted {
    /// The environment that the account is for.
    pub environment_id: Uuid,
    /// The connector.
    pub connector: String,
    /// Which of its kinds of credential.
    pub authentication_method: String,
    /// The account's credential fields: those filled in before, and those that the vendor told.
    pub context: Map<String, Value>,
    /// The tokens.
    pub grant: Grant,
    /// As in [`AuthorizationRequest::carried`].
    pub carried: Value,
}

/// Why there is no grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationFailure {
    /// Nobody was sent out like this: it was not this browser, it came back before, or it took too long.
    Unknown,
    /// The person said no.
    Denied,
    /// The vendor said no, or what cannot be used.
    Refused,
    /// The vendor could not be asked for the tokens.
    Unreachable,
    /// We failed.
    Internal,
}

/// A consent that came to nothing.
#[derive(Clone, Debug)]
pub struct AuthorizationFailed {
    /// Why.
    pub reason: AuthorizationFailure,
    /// The same in words for people; safe to show.
    pub message: String,
    /// As in [`AuthorizationRequest::carried`], where it is known who came back.
    pub carried: Option<Value>,
}

impl AuthorizationFailed {
    pub(super) fn new(reason: AuthorizationFailure, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), carried: None }
    }

    pub(super) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %error, "a consent could not be taken in");
        Self::new(AuthorizationFailure::Internal, "Something went wrong on our side. Please start again.")
    }

    /// What the vendor said on its own page.
    pub(super) fn told(label: &str, error: &str, description: Option<&str>) -> Self {
        if error == "access_denied" {
            let message = format!("Access to {label} was not allowed, so nothing was connected.");
            return Self::new(AuthorizationFailure::Denied, message);
        }
        let words = description.filter(|words| !words.trim().is_empty()).unwrap_or(error);
        let words: String = words.chars().filter(|c| !c.is_control()).take(LONGEST_WORDS).collect();
        Self::new(AuthorizationFailure::Refused, format!("{label} refused: {}", words.trim()))
    }

    /// What became of asking for the tokens.
    pub(super) fn of(label: &str, error: &TokenError) -> Self {
        match error {
            TokenError::Refused { body, .. } | TokenError::App(body) => {
                Self::new(AuthorizationFailure::Refused, format!("{label} did not give access: {body}"))
            }
            TokenError::Unusable(why) | TokenError::Forbidden(why) => {
                Self::new(AuthorizationFailure::Refused, format!("{label} cannot be connected: {why}"))
            }
            TokenError::Lost(_) | TokenError::Busy { .. } => {
                let message = format!("{label} could not be reached at this moment. Please start again.");
                Self::new(AuthorizationFailure::Unreachable, message)
            }
        }
    }
}
