//! Grants: tokens that a refresh token renews, or that a consent gave. They are kept in the store, so that of all nodes
//! one asks for new ones, and a refresh token that replaces another is durable before anything is done with it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use koine_connector::compiled;
use koine_model::{Error, Secret};
use koine_upstream::{Token, TokenError, lifetime};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::login::AccountLogin;
use crate::oauth_apps::LoginScope;
use crate::refresh::store_failed;
use crate::said_no::{Question, SaidNo};

/// How long a token that could not be renewed early is used before the next try.
const SPARE: f64 = 10.0;

/// For a token that is over at once: it is good for the one request that it was asked for.
const NO_TIME: f64 = 0.001;

/// The tokens of an account, as they are stored.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Tokens {
    access_token: Option<String>,
    refresh_token: Option<String>,
    /// When the access token ends, as an epoch second; `None` where nobody knows.
    expires_at: Option<f64>,
    /// When it is to be renewed; `None` for one that is used until it is refused.
    fresh_until: Option<f64>,
    /// What requests see as `session`.
    kept: Map<String, Value>,
    /// The hash of the refresh token in the account's own fields that these came from; `None` after a consent.
    origin: Option<String>,
    /// The endpoint's last word, if it was a no.
    #[serde(default)]
    said_no: Option<SaidNo>,
}

impl Tokens {
    /// Those of an answer, to a request that was made at `asked`.
    pub(crate) fn new(obtained: koine_connector::login::Obtained, asked: f64) -> Self {
        let text = |secret: Secret| secret.expose().to_owned();
        let refresh_token = obtained.refresh_token.map(text);
        let known = obtained.lifetime.is_some() || refresh_token.is_some();
        Self {
            access_token: Some(text(obtained.token)),
            fresh_until: known.then(|| asked + lifetime(obtained.lifetime).as_secs_f64()),
            expires_at: obtained.lifetime.map(|seconds| asked + seconds),
            refresh_token,
            kept: obtained.kept,
            origin: None,
            said_no: None,
        }
    }

    /// Those of an account that is taken over from elsewhere: `{access_token, refresh_token?, expires_in?}`.
    pub(crate) fn taken_over(token: &Value) -> Result<Self, Error> {
        let text = |name: &str| match token.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if !text.is_empty() && !text.contains(char::is_control) => {
                Ok(Some(text.clone()))
            }
            Some(_) => Err(Error::invalid(format!("`context.oauth.token.{name}` is not a possible token"))),
        };
        let (access_token, refresh_token) = (text("access_token")?, text("refresh_token")?);
        if access_token.is_none() && refresh_token.is_none() {
            return Err(Error::invalid("`context.oauth.token` holds no token"));
        }
        let told = token.get("expires_in").and_then(Value::as_f64);
        let known = told.is_some() || refresh_token.is_some();
        Ok(Self {
            access_token,
            fresh_until: known.then(|| now() + lifetime(told).as_secs_f64()),
            expires_at: told.map(|seconds| now() + seconds),
            refresh_token,
            ..Self::default()
        })
    }

    /// The same for an account with these credential fields.
    pub(crate) fn of(self, grant: &compiled::Grant, context: &Value) -> Self {
        Self { origin: origin(grant, context), ..self }
    }

    /// The access token, if it need not be renewed.
    pub(crate) fn fresh(&self, login: &AccountLogin) -> Option<Token> {
        let left = self.fresh_until.map(|until| until - now());
        self.token(login, left)
    }

    /// The access token for a last while, if it is still in force.
    fn spare(&self, login: &AccountLogin) -> Option<Token> {
        let left = self.expires_at? - now() - SPARE;
        self.token(login, Some(left.min(SPARE)))
    }

    /// The access token for one request, over as it may be.
    pub(crate) fn at_once(&self, login: &AccountLogin) -> Option<Token> {
        self.token(login, Some(NO_TIME))
    }

    fn token(&self, login: &AccountLogin, left: Option<f64>) -> Option<Token> {
        let token = self.access_token.as_ref().filter(|token| login.may_work(token))?;
        let fresh_for = match left {
            Some(left) => Some(Duration::try_from_secs_f64(left).ok().filter(|left| !left.is_zero())?),
            None => Some(Duration::MAX),
        };
        let (value, kept) = (Secret::new(token), self.kept.clone());
        Some(Token { value, lifetime: None, kept, fresh_for, since: Instant::now() })
    }
}

/// What is known of an account's tokens.
pub(crate) struct Known {
    /// Whose place others take.
    pub(crate) version: Option<Uuid>,
    tokens: Option<Tokens>,
}

impl Known {
    /// The access token, if it need not be renewed.
    pub(crate) fn fresh(&self, login: &AccountLogin) -> Option<Token> {
        self.tokens.as_ref()?.fresh(login)
    }

    /// The access token for a last while, if it is still in force.
    pub(crate) fn spare(&self, login: &AccountLogin) -> Option<Token> {
        self.tokens.as_ref()?.spare(login)
    }

    /// The access token, whether or not it is in force.
    pub(crate) fn access_token(&self) -> Option<Secret> {
        self.tokens.as_ref()?.access_token.as_ref().map(Secret::new)
    }

    /// What the endpoint would say to this question, as far as that is known already.
    pub(crate) fn no_to(&self, login: &AccountLogin, question: &Question) -> Option<TokenError> {
        if login.insists {
            return None;
        }
        self.tokens.as_ref()?.said_no.as_ref()?.again(question)
    }

    /// These tokens, and that the endpoint gave no others.
    pub(crate) fn with(&self, no: SaidNo) -> Tokens {
        Tokens { said_no: Some(no), ..self.tokens.clone().unwrap_or_default() }
    }

    /// New tokens, with the refresh token of before where they bring none.
    pub(crate) fn replaced_by(&self, mut tokens: Tokens) -> Tokens {
        if tokens.refresh_token.is_none() {
            tokens.refresh_token = self.tokens.as_ref().and_then(|tokens| tokens.refresh_token.clone());
        }
        tokens
    }

    /// Keeps the endpoint from repeating the access token in words that people see.
    pub(crate) fn hide(&self, scope: &mut LoginScope) {
        if let Some(token) = self.access_token() {
            scope.put(" access token", token.expose());
        }
    }

    /// Puts the refresh token that is in force where the request takes it from.
    pub(crate) fn fill(&self, login: &AccountLogin, scope: &mut LoginScope) -> Result<(), TokenError> {
        let grant = login.rule().grant().expect("only grants have tokens that are known");
        let field = grant.refresh_field();
        if let Some(token) = self.tokens.as_ref().and_then(|tokens| tokens.refresh_token.as_ref()) {
            scope.put(field, token);
        }
        let there = scope.context.get(field).and_then(Value::as_str).is_some_and(|token| !token.is_empty());
        if there {
            return Ok(());
        }
        let body =
            "there is no refresh token, and the access token is over; connect the account again".to_owned();
        Err(TokenError::Refused { status: 401, body })
    }
}

/// What the store has, unless the account's own fields tell of a newer grant.
pub(crate) async fn known(login: &AccountLogin) -> Result<Known, TokenError> {
    let grant = login.rule().grant().expect("only grants have tokens that are known");
    let stored = login.engine.parts.store.find_grant(login.environment_id, login.account_id).await;
    let Some(stored) = stored.map_err(|error| store_failed(&error))? else {
        return Ok(Known { version: None, tokens: None });
    };
    let tokens: Option<Tokens> = serde_json::from_value(stored.content).ok();
    let tokens = tokens.filter(|tokens| tokens.origin == origin(grant, login.fields.all()));
    Ok(Known { version: Some(stored.version), tokens })
}

/// The hash of the refresh token that is among the fields themselves.
fn origin(grant: &compiled::Grant, context: &Value) -> Option<String> {
    let own = context.get(grant.refresh_field()).and_then(Value::as_str).filter(|token| !token.is_empty())?;
    let hash = digest::digest(&digest::SHA256, own.as_bytes());
    Some(hash.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}

pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
