//! Grants: tokens that a refresh token renews, or that a consent gave. They are kept in the store, so that of all nodes
//! one asks for new ones, and a refresh token that replaces another is durable before anything is done with it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use koine_connector::compiled;
use koine_model::{Credentials, Error, Request, Response, Secret};
use koine_store::{Lease, StoreError};
use koine_upstream::{Token, TokenError, lifetime, received};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::login::{AccountLogin, failed};
use crate::oauth_apps::LoginScope;

/// For how long a node may ask for tokens without a sign of life. Clocks of nodes have to agree better than that.
const LEASE: Duration = Duration::from_secs(10);
/// How long a call waits for the node that asks: longer than a dead one is waited for, and its asking.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at what that node has got.
const LOOK: Duration = Duration::from_millis(50);
/// How long an answer of the endpoint is held on to when the store does not take it.
const HOLD: Duration = Duration::from_secs(10);
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
    fn fresh(&self, login: &AccountLogin) -> Option<Token> {
        let left = self.fresh_until.map(|until| until - now());
        self.token(login, left)
    }

    /// The access token for a last while, if it is still in force.
    fn spare(&self, login: &AccountLogin) -> Option<Token> {
        let left = self.expires_at? - now() - SPARE;
        self.token(login, Some(left.min(SPARE)))
    }

    fn token(&self, login: &AccountLogin, left: Option<f64>) -> Option<Token> {
        let token = self.access_token.as_ref().filter(|token| login.may_work(token))?;
        let fresh_for = match left {
            Some(left) => Some(Duration::try_from_secs_f64(left).ok().filter(|left| !left.is_zero())?),
            None => Some(Duration::MAX),
        };
        Some(Token { value: Secret::new(token), lifetime: None, kept: self.kept.clone(), fresh_for })
    }
}

/// What is known of an account's tokens.
pub(crate) struct Known {
    /// Whose place others take.
    version: Option<Uuid>,
    tokens: Option<Tokens>,
}

impl Known {
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

/// A token that need not be renewed: a stored one, else one that this node or another asks for.
pub(crate) async fn fetch(login: &AccountLogin) -> Result<Token, TokenError> {
    let store = &login.engine.parts.store;
    let (name, began) = (format!("refresh/{}", login.account_id), Instant::now());
    loop {
        let known = known(login).await?;
        if let Some(token) = known.tokens.as_ref().and_then(|tokens| tokens.fresh(login)) {
            return Ok(token);
        }
        let owner = format!("process {}", std::process::id());
        if let Some(lease) =
            store.acquire_lease(&name, &owner, LEASE).await.map_err(|error| store_failed(&error))?
        {
            // On its own: a caller who goes away must not take with them what the endpoint is about to answer.
            let asking = tokio::spawn(ask(login.clone(), lease));
            return asking.await.map_err(|error| TokenError::Lost(error.to_string()))?;
        }
        if began.elapsed() > PATIENCE {
            return Err(TokenError::Lost("another node asks for it, and has not got it yet".to_owned()));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Asks the endpoint while the lease is held, and kept.
async fn ask(login: AccountLogin, mut lease: Lease) -> Result<Token, TokenError> {
    let store = &login.engine.parts.store;
    let asking = renew(&login);
    tokio::pin!(asking);
    let result = loop {
        tokio::select! {
            result = &mut asking => break result,
            () = tokio::time::sleep(LEASE / 3) => {
                if let Ok(Some(renewed)) = store.renew_lease(&lease, LEASE).await {
                    lease = renewed;
                }
            }
        }
    };
    if let Err(error) = store.release_lease(&lease).await {
        tracing::warn!(account.id = %login.account_id, error = %error, "a lease was not given back; it ends by itself");
    }
    result
}

/// New tokens, by whoever holds the lease.
async fn renew(login: &AccountLogin) -> Result<Token, TokenError> {
    // Somebody else may have asked between the look and the lease.
    let known = known(login).await?;
    if let Some(token) = known.tokens.as_ref().and_then(|tokens| tokens.fresh(login)) {
        return Ok(token);
    }
    let (request, credentials) = request(login, &known).await?;
    // The token may be as old as the question.
    let asked = now();
    let answer = login.engine.parts.upstream.send(&request, &credentials, login.hosts()).await;
    let result = match received(answer) {
        Ok(response) => conclude(login, &response, &known, asked).await,
        Err(error) => Err(error),
    };
    match result {
        Err(error @ (TokenError::Lost(_) | TokenError::Busy { .. } | TokenError::App(_))) => {
            let spare = known.tokens.as_ref().and_then(|tokens| tokens.spare(login));
            if spare.is_some() {
                tracing::warn!(account.id = %login.account_id, error = %error, "an access token could not be renewed early");
            }
            spare.ok_or(error)
        }
        other => other,
    }
}

async fn request(login: &AccountLogin, known: &Known) -> Result<(Request, Credentials), TokenError> {
    let mut scope = login.scope().await?;
    known.fill(login, &mut scope)?;
    let built = login.rule().request(&scope.context, &login.endpoint, 0);
    built.map_err(|error| failed(&error))
}

/// Makes the tokens of an answer durable, then gives the access token away.
pub(crate) async fn conclude(
    login: &AccountLogin,
    response: &Response,
    known: &Known,
    asked: f64,
) -> Result<Token, TokenError> {
    let mut scope = login.scope().await?;
    known.fill(login, &mut scope)?;
    let obtained = login.obtained(response, &scope)?;
    let grant = login.rule().grant().expect("only grants are renewed");
    let mut tokens = Tokens::new(obtained, asked).of(grant, login.fields.all());
    if tokens.refresh_token.is_none() {
        tokens.refresh_token = known.tokens.as_ref().and_then(|tokens| tokens.refresh_token.clone());
    }
    keep(login, known.version, &tokens).await?;
    let token = tokens.fresh(login).or_else(|| tokens.token(login, Some(NO_TIME)));
    token.ok_or_else(|| TokenError::Refused {
        status: 401,
        body: "the token endpoint gave the token once more that the vendor refuses".to_owned(),
    })
}

/// Until it is durable: the refresh token that it takes the place of may be worth nothing any more.
async fn keep(login: &AccountLogin, version: Option<Uuid>, tokens: &Tokens) -> Result<(), TokenError> {
    let content = serde_json::to_value(tokens).expect("tokens are texts and numbers");
    let (store, began) = (&login.engine.parts.store, Instant::now());
    loop {
        match store.replace_grant(login.environment_id, login.account_id, version, &content).await {
            Ok(true) => return Ok(()),
            Ok(false) => {
                return Err(TokenError::Lost(
                    "the account was connected anew, or removed, meanwhile".to_owned(),
                ));
            }
            Err(error) if began.elapsed() > HOLD => {
                return Err(TokenError::Lost(format!("the new refresh token could not be stored: {error}")));
            }
            Err(error) => {
                tracing::error!(account.id = %login.account_id, error = %error, "new tokens could not be stored; trying again");
                tokio::time::sleep(LOOK * 4).await;
            }
        }
    }
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

fn store_failed(error: &StoreError) -> TokenError {
    TokenError::Lost(error.to_string())
}
