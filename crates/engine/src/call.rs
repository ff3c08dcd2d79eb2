//! Stage 4: carries a plan's requests to the vendor and its answers back. Every decision is the plan's.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use koine_connector::plan::{Ask, Finished, Mode, Next, Plan, Send};
use koine_model::{Answer, Body, Credentials, Error};
use koine_store::ExchangeRow;
use koine_upstream::{Token, TokenError};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::account::{Access, Connection};
use crate::health::NEEDS_REAUTH;
use crate::login::AccountLogin;
use crate::plan::Prepared;
use crate::shown::Secrets;
use crate::{Engine, Reply, error, heavy, respond, shown};

/// A token that the vendor refuses so soon after it was obtained is not the reason.
const YOUNG: Duration = Duration::from_secs(60);

/// Runs a plan to its end. With a journal id, the intent is durable before each destructive request leaves,
/// and every exchange is noted.
pub(crate) fn run<'a>(
    engine: &'a Engine,
    prepared: &'a Prepared<'_>,
    ask: Ask,
    journal: Option<Uuid>,
) -> impl Future<Output = Result<Finished, Error>> {
    run_for(engine, &prepared.connection, Box::new(ask), journal)
}

pub(crate) async fn run_for(
    engine: &Engine,
    connection: &Connection,
    mut ask: Box<Ask>,
    journal: Option<Uuid>,
) -> Result<Finished, Error> {
    let overridden = ask.base_url.is_some();
    let access = connection.access(ask.base_url.as_ref())?;
    let wire = Wire::new(engine, connection, access, overridden)?;
    if let Some(kept) = wire.session().await? {
        ask.context = ask.context.with("session", Value::Object(kept));
    }
    ask.base_url = Some(access.base.clone());
    let mut plan = Plan::new(connection.connector.clone(), ask, epoch_second())
        .map_err(|failure| error::from_failure(connection, failure, None))?;
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
        // Others settle what a node leaves behind by reading, so nothing of it may still be on its way then.
        let answer = match journal.is_some() && send.destructive && !engine.memory.node.may_send() {
            true => Answer::NotSent("this node has lost touch with the database".to_owned()),
            false => wire.exchange(&send).await,
        };
        if let Some(id) = journal {
            seq += 1;
            note(&wire, id, seq, &send, &answer).await;
        }
        drop(send);
        heavy::over(heavy::size(&answer), || plan.feed(answer));
    }
}

/// `truto_skip_api_call`: the first request is built, so that whatever keeps it from being built is told, and dropped.
/// A list is empty, and a record has nothing but its id.
pub(crate) fn skip(prepared: &Prepared<'_>) -> Result<Reply, Error> {
    let connection = &prepared.connection;
    let failed = |failure| error::from_failure(connection, failure, None);
    let mut ask = crate::plan::ask(prepared);
    ask.mode = Mode::DryRun;
    let mut plan = Plan::new(connection.connector.clone(), ask, epoch_second()).map_err(failed)?;
    if let Next::Done(finished) = plan.next() {
        finished.result.map_err(failed)?;
    }
    Ok(respond::skipped(prepared))
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
    access: &'a Access,
    login: Option<AccountLogin>,
}

impl<'a> Wire<'a> {
    fn new(
        engine: &'a Engine,
        connection: &'a Connection,
        access: &'a Access,
        overridden: bool,
    ) -> Result<Self, Error> {
        let login = AccountLogin::new(engine, connection, access, overridden)?;
        Ok(Self { engine, connection, access, login })
    }

    /// What requests see of the login's answer; logs in when there is something to see.
    async fn session(&self) -> Result<Option<Map<String, Value>>, Error> {
        let Some(login) = self.login.as_ref().filter(|login| login.keeps()) else { return Ok(None) };
        let token = self.engine.parts.upstream.token(&login.key(), login, login.hosts()).await;
        match token {
            Ok(token) => Ok(Some(token.kept)),
            Err(error) => {
                self.engine.login_refused(self.connection, &error).await;
                Err(error::login_failed(&self.connection.connector.label, &error))
            }
        }
    }

    /// The answer, without what it repeats of the account's secrets.
    async fn exchange(&self, send: &Send) -> Answer {
        self.connection.secrets().unsaid(self.sent(send).await)
    }

    async fn sent(&self, send: &Send) -> Answer {
        let upstream = &self.engine.parts.upstream;
        if send.no_auth {
            return upstream.send(&send.request, &Credentials::default(), &self.access.hosts).await;
        }
        let answer = match &self.login {
            Some(login) => self.exchange_with_token(login, send).await,
            None => match &self.access.ready {
                Some(credentials) => self.send(send, credentials).await,
                None => Answer::NotSent("the account needs a token".to_owned()),
            },
        };
        self.note_health(&answer).await;
        answer
    }

    async fn exchange_with_token(&self, login: &AccountLogin, send: &Send) -> Answer {
        let (answer, token) = match self.with_token(login, send).await {
            Ok(sent) => sent,
            Err(error) => return self.without_token(error).await,
        };
        if !matches!(&answer, Answer::Received(response) if login.rule().has_expired(response)) {
            return answer;
        }
        // The vendor accepts none: it is not fed with new ones.
        if self.connection.account.status == NEEDS_REAUTH && token.since.elapsed() < YOUNG {
            return answer;
        }
        // A token that was revoked early: the vendor did nothing, so asking with a fresh one is safe.
        login.refuse(&token.value);
        self.engine.parts.upstream.forget_token(&login.key(), &token.value);
        match self.with_token(login, send).await {
            Ok((answer, _)) => answer,
            Err(error) => self.without_token(error).await,
        }
    }

    /// Tells the account whether the vendor accepts its credentials.
    async fn note_health(&self, answer: &Answer) {
        let Answer::Received(response) = answer else { return };
        if response.status == 401 {
            let why = format!("{} did not accept the credentials", self.connection.connector.label);
            self.engine.refused(self.connection, why).await;
        } else if (200..300).contains(&response.status) {
            self.engine.recovered(self.connection).await;
        }
    }

    async fn without_token(&self, error: TokenError) -> Answer {
        self.engine.login_refused(self.connection, &error).await;
        token_failed(&self.connection.connector.label, error)
    }

    async fn with_token(&self, login: &AccountLogin, send: &Send) -> Result<(Answer, Token), TokenError> {
        let upstream = &self.engine.parts.upstream;
        let token = upstream.token(&login.key(), login, login.hosts()).await?;
        let credentials = Credentials { headers: vec![login.header(&token.value)?], query: Vec::new() };
        Ok((self.send(send, &credentials).await, token))
    }

    async fn send(&self, send: &Send, credentials: &Credentials) -> Answer {
        let answer = self.engine.parts.upstream.send(&send.request, credentials, &self.access.hosts).await;
        Secrets::sent(credentials, self.connection.secrets()).unsaid(answer)
    }
}

/// A refusal of the token endpoint is the vendor's 401, and where it asks for patience the vendor's 429; anything else
/// means that nothing was sent, which a 5xx of the vendor's own would not.
fn token_failed(vendor: &str, error: TokenError) -> Answer {
    let is_final = error.is_final();
    match error {
        TokenError::Refused { body, .. } if is_final => {
            let body = json!({"message": format!("{vendor} did not accept the login: {body}")}).to_string();
            Answer::Received(koine_model::Response { status: 401, headers: Vec::new(), body: body.into() })
        }
        TokenError::Busy { status, retry_after, body } if status == 429 || retry_after.is_some() => {
            let body = json!({"message": format!("{vendor} did not accept the login: {body}")}).to_string();
            let retry_after = retry_after.map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
            let headers = retry_after.into_iter().collect();
            Answer::Received(koine_model::Response { status: 429, headers, body: body.into() })
        }
        TokenError::Refused { body, .. } | TokenError::Busy { body, .. } => {
            Answer::NotSent(format!("no access token: {body}"))
        }
        TokenError::Forbidden(why) => Answer::Forbidden(why),
        other => Answer::NotSent(format!("no access token: {other}")),
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
async fn note(wire: &Wire<'_>, call: Uuid, seq: u32, send: &Send, answer: &Answer) {
    let (status, answer_sha256, result) = match answer {
        Answer::Received(response) => {
            let sha = hex(digest::digest(&digest::SHA256, &response.body).as_ref());
            (Some(response.status), Some(sha), "received".to_owned())
        }
        Answer::Lost(why) => (None, None, format!("lost: {why}")),
        Answer::NotSent(why) => (None, None, format!("not sent: {why}")),
        Answer::Forbidden(why) => (None, None, format!("refused by the address guard: {why}")),
    };
    let row = ExchangeRow {
        seq,
        step: send.step.clone(),
        method: send.request.verb.as_str().to_owned(),
        url_redacted: shown::place(wire.connection.secrets(), &send.request.url),
        request_sha256: digest_of(send),
        status,
        answer_sha256,
        result,
    };
    tracing::info!(exchange.step = %row.step, exchange.method = %row.method, upstream.status = row.status, exchange.result = %row.result, "exchange");
    if let Err(error) = wire.engine.parts.store.record_exchange(call, row).await {
        tracing::error!(call.id = %call, error = %error, "an exchange could not be noted in the journal");
    }
}
