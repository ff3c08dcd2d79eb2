//! Stage 4: carries a plan's requests to the vendor and its answers back. Every decision is the plan's.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use koine_connector::authorize::{self, Authorized, Grant};
use koine_connector::plan::{Ask, Finished, Next, Plan, Send};
use koine_model::{Answer, Body, Credentials, Error, Secret};
use koine_store::ExchangeRow;
use koine_upstream::{ClientCredentials, CredentialsIn, Hosts, TokenError};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::account::Connection;
use crate::plan::Prepared;
use crate::{Engine, error};

/// Runs a plan to its end. With a journal id, the intent is durable before each destructive request leaves,
/// and every exchange is noted.
pub(crate) async fn run(
    engine: &Engine,
    prepared: &Prepared,
    ask: Ask,
    journal: Option<Uuid>,
) -> Result<Finished, Error> {
    run_for(engine, &prepared.connection, ask, journal).await
}

pub(crate) async fn run_for(
    engine: &Engine,
    connection: &Connection,
    ask: Ask,
    journal: Option<Uuid>,
) -> Result<Finished, Error> {
    let overridden = ask.base_url.is_some();
    let mut plan = Plan::new(connection.connector.clone(), ask, epoch_second())
        .map_err(|failure| error::from_failure(connection, failure, None))?;
    let wire = Wire::new(engine, connection, plan.base(), overridden)?;
    let mut seq = 0;
    loop {
        let send = match plan.next() {
            Next::Done(finished) => return Ok(*finished),
            Next::Send(send) => send,
        };
        if send.delay_ms > 0 {
            let time = Duration::from_millis(send.delay_ms + jitter(send.delay_ms));
            engine.parts.upstream.pause(time).await;
        }
        if let Some(id) = journal.filter(|_| send.destructive) {
            let snapshot = plan.snapshot();
            let digest = digest_of(&send);
            engine
                .parts
                .store
                .record_intent(id, &send.step, &digest, Some(&snapshot))
                .await
                .map_err(Error::internal)?;
        }
        let answer = wire.exchange(&send).await;
        if let Some(id) = journal {
            seq += 1;
            note(engine, id, seq, &send, &answer).await;
        }
        plan.feed(answer);
    }
}

fn epoch_second() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Up to a quarter more, so that many callers do not come back together.
fn jitter(delay_ms: u64) -> u64 {
    let nanos =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::from(since.subsec_nanos()));
    nanos % (delay_ms / 4 + 1)
}

/// One account's way to the vendor.
struct Wire<'a> {
    engine: &'a Engine,
    connection: &'a Connection,
    context: Value,
    hosts: Hosts,
    grant: Option<(String, ClientCredentials)>,
}

impl<'a> Wire<'a> {
    fn new(
        engine: &'a Engine,
        connection: &'a Connection,
        base: &url::Url,
        overridden: bool,
    ) -> Result<Self, Error> {
        let context = Value::Object(connection.context()?);
        let incomplete = |problem: &dyn std::fmt::Display| {
            Error::invalid(format!("account {} is not complete: {problem}", connection.account.id))
        };
        let mut hosts =
            authorize::hosts(&connection.connector, &context, base).map_err(|error| incomplete(&error))?;
        let authorized =
            authorize::authorize(connection.credentials()?, &context).map_err(|error| incomplete(&error))?;
        let grant = match authorized {
            Authorized::Ready(_) => None,
            Authorized::Grant(grant) => {
                let grant = client_credentials(connection, grant, base, overridden, &context);
                hosts.push(authorize::host_of(&grant.token_url));
                let secret = digest::digest(&digest::SHA256, grant.client_secret.expose().as_bytes());
                Some((format!("{}/{:?}", connection.account.id, secret.as_ref()), grant))
            }
        };
        Ok(Self { engine, connection, context, hosts: Hosts::new(hosts), grant })
    }

    async fn exchange(&self, send: &Send) -> Answer {
        if send.no_auth {
            return self
                .engine
                .parts
                .upstream
                .send(&send.request, &Credentials::default(), &self.hosts)
                .await;
        }
        let Some((key, grant)) = &self.grant else {
            return match authorize_ready(self.connection, &self.context) {
                Ok(credentials) => {
                    self.engine.parts.upstream.send(&send.request, &credentials, &self.hosts).await
                }
                Err(why) => Answer::NotSent(why),
            };
        };
        let first = match self.with_token(key, grant, send).await {
            Ok(sent) => sent,
            Err(answer) => return answer,
        };
        let (answer, token) = first;
        let refused = matches!(&answer, Answer::Received(response) if response.status == 401);
        if !refused {
            return answer;
        }
        // A token that was revoked early: the vendor did nothing, so asking with a fresh one is safe.
        self.engine.parts.upstream.forget_token(key, &token);
        match self.with_token(key, grant, send).await {
            Ok((answer, _)) => answer,
            Err(answer) => answer,
        }
    }

    async fn with_token(
        &self,
        key: &str,
        grant: &ClientCredentials,
        send: &Send,
    ) -> Result<(Answer, Secret), Answer> {
        let upstream = &self.engine.parts.upstream;
        let token = upstream.token(key, grant, &self.hosts).await.map_err(token_failed)?;
        let value = Secret::new(format!("Bearer {}", token.expose()));
        let credentials =
            Credentials { headers: vec![("authorization".to_owned(), value)], query: Vec::new() };
        Ok((upstream.send(&send.request, &credentials, &self.hosts).await, token))
    }
}

/// A refusal of the token endpoint is the vendor's 401; anything else means that nothing was sent.
fn token_failed(error: TokenError) -> Answer {
    match error {
        TokenError::Refused { status, body } => {
            let status = if status < 500 { 401 } else { status };
            Answer::Received(koine_model::Response { status, headers: Vec::new(), body: body.into() })
        }
        TokenError::Forbidden(why) => Answer::Forbidden(why),
        other => Answer::NotSent(format!("no access token: {other}")),
    }
}

fn authorize_ready(connection: &Connection, context: &Value) -> Result<Credentials, String> {
    let kind = connection.credentials().map_err(|error| error.message)?;
    match authorize::authorize(kind, context) {
        Ok(Authorized::Ready(credentials)) => Ok(credentials),
        Ok(Authorized::Grant(_)) => Err("the account needs a token".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A token endpoint under the vendor's base URL moves with it when the operator puts another in its place.
fn client_credentials(
    connection: &Connection,
    grant: Grant,
    base: &url::Url,
    overridden: bool,
    context: &Value,
) -> ClientCredentials {
    let vendor =
        connection.connector.base_url.render(context, &|value| Ok(value.to_owned())).unwrap_or_default();
    let path = grant.token_url.as_str().strip_prefix(vendor.trim_end_matches('/'));
    let token_url = match path.filter(|_| overridden && !vendor.is_empty()) {
        Some(path) => {
            let mut url = base.clone();
            url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
            url
        }
        None => grant.token_url,
    };
    ClientCredentials {
        token_url,
        client_id: grant.client_id,
        client_secret: grant.client_secret,
        scopes: grant.scopes,
        credentials_in: if grant.in_body { CredentialsIn::Body } else { CredentialsIn::Header },
        extra: Vec::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn digest_of(send: &Send) -> String {
    let body = match &send.request.body {
        Some(Body::Json(value)) => value.to_string(),
        Some(Body::Form(pairs)) => json!(pairs).to_string(),
        Some(Body::Raw { text, .. }) => text.clone(),
        None => String::new(),
    };
    let text = format!("{} {}\n{body}", send.request.verb.as_str(), send.request.url);
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

/// The journal's row of an exchange. Losing one loses evidence, not safety: the intent is already durable.
async fn note(engine: &Engine, call: Uuid, seq: u32, send: &Send, answer: &Answer) {
    let (status, answer_sha256, result) = match answer {
        Answer::Received(response) => {
            let sha = hex(digest::digest(&digest::SHA256, &response.body).as_ref());
            (Some(response.status), Some(sha), "received".to_owned())
        }
        Answer::Lost(why) => (None, None, format!("lost: {why}")),
        Answer::NotSent(why) => (None, None, format!("not sent: {why}")),
        Answer::Forbidden(why) => (None, None, format!("refused by the address guard: {why}")),
    };
    let mut url = send.request.url.clone();
    url.set_query(None);
    let row = ExchangeRow {
        seq,
        step: send.step.clone(),
        method: send.request.verb.as_str().to_owned(),
        url_redacted: url.to_string(),
        request_sha256: digest_of(send),
        status,
        answer_sha256,
        result,
    };
    tracing::info!(exchange.step = %row.step, exchange.method = %row.method, upstream.status = row.status, exchange.result = %row.result, "exchange");
    if let Err(error) = engine.parts.store.record_exchange(call, row).await {
        tracing::error!(call.id = %call, error = %error, "an exchange could not be noted in the journal");
    }
}
