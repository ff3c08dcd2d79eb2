//! New tokens for a grant: of all calls on all nodes one asks, and what it gets is durable before anybody uses it.

use std::time::{Duration, Instant};

use koine_model::{Credentials, Request, Response};
use koine_store::{Lease, StoreError};
use koine_upstream::{Token, TokenError, received};
use serde_json::Value;
use uuid::Uuid;

use crate::grant::{self, Known, Tokens};
use crate::login::{AccountLogin, failed};
use crate::said_no::{Question, SaidNo};

/// For how long a node may ask for tokens without a sign of life. Clocks of nodes have to agree better than that.
const LEASE: Duration = Duration::from_secs(10);
/// How long a call waits for the node that asks: longer than a dead one is waited for, and its asking.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at what that node has got.
const LOOK: Duration = Duration::from_millis(50);
/// How long an answer of the endpoint is held on to when the store does not take it.
const HOLD: Duration = Duration::from_secs(10);

/// A token that need not be renewed: a stored one, else one that this node or another asks for.
pub(crate) async fn fetch(login: &AccountLogin) -> Result<Token, TokenError> {
    let store = &login.engine.parts.store;
    let (name, began) = (format!("refresh/{}", login.account_id), Instant::now());
    loop {
        let known = grant::known(login).await?;
        if let Some(token) = known.fresh(login) {
            return Ok(token);
        }
        let no = match Asking::new(login, &known).await {
            Ok(asking) => known.no_to(login, &asking.question),
            Err(error) => Some(error),
        };
        if let Some(no) = no {
            return spare(login, &known, no);
        }
        let owner = format!("process {}", std::process::id());
        let lease = store.acquire_lease(&name, &owner, LEASE).await;
        if let Some(lease) = lease.map_err(|error| store_failed(&error))? {
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
    let known = grant::known(login).await?;
    if let Some(token) = known.fresh(login) {
        return Ok(token);
    }
    let asking = Asking::new(login, &known).await?;
    if let Some(no) = known.no_to(login, &asking.question) {
        return spare(login, &known, no);
    }
    // The token may be as old as the question.
    let asked = grant::now();
    let answer = login.engine.parts.upstream.send(&asking.request, &asking.credentials, login.hosts()).await;
    let result = match received(answer) {
        Ok(response) => conclude(login, &response, &known, asked).await,
        Err(error) => Err(error),
    };
    let Err(error) = result else { return result };
    if let Some(no) = SaidNo::of(&error, asking.question) {
        remember(login, &known, no).await;
    }
    spare(login, &known, error)
}

/// While the endpoint cannot say, or does not take our app, the access token is used to its end.
fn spare(login: &AccountLogin, known: &Known, error: TokenError) -> Result<Token, TokenError> {
    let may_pass = matches!(error, TokenError::Lost(_) | TokenError::Busy { .. } | TokenError::App(_));
    let Some(token) = known.spare(login).filter(|_| may_pass) else { return Err(error) };
    tracing::warn!(account.id = %login.account_id, error = %error, "an access token could not be renewed early");
    Ok(token)
}

/// The request for new tokens.
struct Asking {
    request: Request,
    credentials: Credentials,
    question: Question,
}

impl Asking {
    async fn new(login: &AccountLogin, known: &Known) -> Result<Self, TokenError> {
        let mut scope = login.scope().await?;
        known.fill(login, &mut scope)?;
        let built = login.rule().request(&scope.context, &login.endpoint, 0);
        let (request, credentials) = built.map_err(|error| failed(&error))?;
        let question = Question::of(&login.endpoint, &scope.context);
        Ok(Self { request, credentials, question })
    }
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
    known.hide(&mut scope);
    let obtained = login.obtained(response, &scope)?;
    let rule = login.rule().grant().expect("only grants are renewed");
    let tokens = known.replaced_by(Tokens::new(obtained, asked).of(rule, login.fields.all()));
    keep(login, known.version, &tokens).await?;
    tokens.fresh(login).or_else(|| tokens.at_once(login)).ok_or_else(|| TokenError::Refused {
        status: 401,
        body: "the token endpoint gave the token once more that the vendor refuses".to_owned(),
    })
}

/// Until it is durable: the refresh token that it takes the place of may be worth nothing any more.
async fn keep(login: &AccountLogin, version: Option<Uuid>, tokens: &Tokens) -> Result<(), TokenError> {
    let (store, began, content) = (&login.engine.parts.store, Instant::now(), content(tokens));
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

/// Tells all nodes that the endpoint need not be asked again so soon. Where that fails, they ask.
async fn remember(login: &AccountLogin, known: &Known, no: SaidNo) {
    let rule = login.rule().grant().expect("only grants are renewed");
    let tokens = known.with(no).of(rule, login.fields.all());
    let (store, content) = (&login.engine.parts.store, content(&tokens));
    let kept = store.replace_grant(login.environment_id, login.account_id, known.version, &content).await;
    if let Err(error) = kept {
        tracing::warn!(account.id = %login.account_id, error = %error, "a refusal of the token endpoint could not be remembered");
    }
}

fn content(tokens: &Tokens) -> Value {
    serde_json::to_value(tokens).expect("tokens are texts and numbers")
}

pub(crate) fn store_failed(error: &StoreError) -> TokenError {
    TokenError::Lost(error.to_string())
}
