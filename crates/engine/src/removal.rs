//! What is special about writes: evidence, idempotency, and that whatever happens to them has an end.

use aws_lc_rs::digest;
use koine_connector::plan::{Failure, Finished, Send};
use koine_model::{Effect, Error, ErrorCode, Outcome};
use koine_store::{Begun, Finish, NewCall, StoredAnswer};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::account::Connection;
use crate::locks::Held;
use crate::plan::{Prepared, ask};
use crate::running::Running;
use crate::{Caller, Engine, Reply, ReplyBody, Rights, call, describe, map, plan, respond, shown, subject};

/// How often a second call with the same idempotency key looks for the first one's answer, 200 ms apart.
const MOST_LOOKS: u32 = 50;

/// A write, from the guards to the stored answer.
pub(crate) async fn write(
    engine: &Engine,
    caller: &Caller,
    mut prepared: Prepared<'_>,
) -> Result<Reply, Error> {
    if prepared.options.plan {
        subject::find(engine, &mut prepared).await?;
        subject::check_emails(engine, &prepared).await?;
        return dry_run(engine, &prepared).await;
    }
    // The server's table has asked already. What removes people has a second door, for whoever else calls the engine.
    if caller.rights() < Rights::Write {
        return Err(Error::new(ErrorCode::NotAllowed, "this token is read-only; use one that may write"));
    }
    let id = Uuid::now_v7();
    if let Some(reply) = begin(engine, caller, &prepared, id).await? {
        return Ok(reply);
    }
    let running = Running::new(engine, id);
    let mut held = None;
    let result = execute(engine, &mut prepared, id, &mut held).await;
    close(running, &result).await?;
    result
}

/// `held` is the lock of whom the call acts upon, kept until the call is closed.
async fn execute(
    engine: &Engine,
    prepared: &mut Prepared<'_>,
    id: Uuid,
    held: &mut Option<Held>,
) -> Result<Reply, Error> {
    let by_address = prepared.subject_id().as_deref() == Some("-");
    subject::find(engine, prepared).await?;
    if let Some(target) = journal_id(prepared).filter(|_| by_address) {
        // Evidence, should the same person be named by id later.
        engine.parts.store.name_target(id, &target).await.map_err(Error::internal)?;
    }
    *held = Some(engine.memory.locks.hold(&engine.parts.store, id, lock_key(prepared)).await?);
    subject::check_emails(engine, prepared).await?;
    let evidence = evidence(engine, prepared).await?;
    let finished = call::run(engine, prepared, ask(prepared), Some(id)).await?;
    subject::check_remembered(prepared, &finished)?;
    conclude(prepared, finished, evidence)
}

/// Everything on one person or group runs one after another; `serialize_on` may name something wider.
fn lock_key(prepared: &Prepared<'_>) -> String {
    let target = prepared.target_id().unwrap_or_default();
    let own = prepared.row.serialize_on.as_ref();
    let scope = json!({"id": target, "body": prepared.body, "query": prepared.query});
    let key = own.and_then(|template| template.render(&scope, &|value| Ok(value.to_owned())).ok());
    format!("{}/{}", prepared.scope(), key.unwrap_or(target))
}

/// How the journal names what a call acts upon: the target, the user when that is another one, and the vendor's
/// own parameters that name something, because the same id may be somebody else, or a membership elsewhere, under other ones.
fn journal_id(prepared: &Prepared<'_>) -> Option<String> {
    let (target, subject) = (prepared.target_id()?, prepared.subject_id()?);
    let mut name = if target == subject { target } else { format!("{target}/{subject}") };
    let names = prepared.row.query_schema.iter().filter(|(_, parameter)| parameter.names_target);
    let mut given: Vec<_> = names.filter_map(|(key, _)| Some((key, prepared.query.get(key)?))).collect();
    given.sort_by_key(|(key, _)| *key);
    for (key, value) in given {
        name = format!("{name}?{key}={}", plan::text_of(Some(value)).unwrap_or_else(|| value.to_string()));
    }
    Some(name)
}

async fn evidence(engine: &Engine, prepared: &Prepared<'_>) -> Result<bool, Error> {
    let Some(target) = journal_id(prepared) else { return Ok(false) };
    let account = &prepared.connection.account;
    engine
        .parts
        .store
        .was_attempted(account.environment_id, account.id, &prepared.model, &prepared.call.resource, &target)
        .await
        .map_err(Error::internal)
}

/// The outcome as a reply or an error; a 404 is decided here.
fn conclude(prepared: &Prepared<'_>, mut finished: Finished, evidence: bool) -> Result<Reply, Error> {
    match &finished.result {
        Ok(_) => {
            let outcome = finished.outcome;
            let mapped = map::written(prepared, &finished, outcome)?;
            let detail = finished.detail.take();
            let mut reply = respond::write(prepared, finished.main.take(), mapped, outcome);
            reply.headers.extend(detail.map(|detail| ("koine-outcome-detail".to_owned(), detail)));
            Ok(reply)
        }
        Err(Failure::NotFound) if evidence && takes_away(prepared) => {
            let outcome = Some(Outcome::AlreadyGone);
            let mapped = map::written(prepared, &finished, outcome)?;
            Ok(respond::write(prepared, None, mapped, outcome))
        }
        Err(_) => Err(map::failed(prepared, finished)),
    }
}

/// Whoever is gone is a success for a removal, and none for a reactivation.
fn takes_away(prepared: &Prepared<'_>) -> bool {
    let removal = prepared.row.removal.as_ref();
    removal.is_none_or(|removal| removal.effect != Effect::Reactivates)
}

async fn dry_run(engine: &Engine, prepared: &Prepared<'_>) -> Result<Reply, Error> {
    let finished = call::run(engine, prepared, ask(prepared), None).await?;
    if finished.result.is_err() {
        return Err(map::failed(prepared, finished));
    }
    let target = match &finished.target {
        Some(vendor) => Some(respond::shape(prepared, map::one(prepared, vendor, &finished)?)),
        None => None,
    };
    let row = &prepared.row;
    let removal = row.removal.as_ref();
    let connector = &prepared.connection.connector;
    let document = json!({"plan": {
        "connector": connector.name, "model": prepared.model, "resource": prepared.call.resource,
        "method": prepared.call.operation.name(), "target": target,
        "effect": removal.map(|removal| removal.effect),
        "reversible": removal.map(|removal| &removal.reversible),
        "seat_freed": removal.map(|removal| &removal.seat_freed),
        "content": removal.map(|removal| &removal.content),
        "confidence": describe::confidence(connector, row),
        "steps": finished.planned.iter().map(|send| planned(&prepared.connection, send)).collect::<Vec<_>>(),
        "warnings": warnings(prepared), "missing": [],
    }});
    Ok(Reply { status: 200, headers: Vec::new(), outcome: None, body: ReplyBody::Json(document) })
}

fn planned(connection: &Connection, send: &Send) -> Value {
    let shown = shown::request(connection.secrets(), &send.request);
    json!({"name": send.step, "method": shown.method, "url": shown.url, "headers": shown.headers, "body": shown.body,
           "destructive": send.destructive, "verify": !send.destructive})
}

fn warnings(prepared: &Prepared<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    if !prepared.options.verify {
        warnings.push("`koine_verify=false`: success would not be read back".to_owned());
    }
    warnings
}

/// Enters the call into the journal. `Some` is the stored answer of an earlier call with the same key.
async fn begin(
    engine: &Engine,
    caller: &Caller,
    prepared: &Prepared<'_>,
    id: Uuid,
) -> Result<Option<Reply>, Error> {
    let account = &prepared.connection.account;
    let conflict = |text: &str| Error::new(ErrorCode::Conflict, text);
    for look in 0..=MOST_LOOKS {
        let entry = NewCall {
            id,
            node_id: Some(engine.memory.node.id(&engine.parts.store).await?),
            environment_id: account.environment_id,
            account_id: account.id,
            model: prepared.model.clone(),
            resource: prepared.call.resource.clone(),
            method: prepared.call.operation.name().to_owned(),
            target_id: journal_id(prepared),
            token_id: caller.token_id,
            request: request_of(prepared),
            idempotency_key: prepared.call.idempotency_key.clone(),
            fingerprint: fingerprint(prepared),
            path: prepared.call.path.clone(),
        };
        match engine.parts.store.begin_call(entry).await.map_err(Error::internal)? {
            Begun::Started => return Ok(None),
            Begun::Replayed(answer) => return Ok(Some(replayed(answer))),
            Begun::Mismatch => {
                return Err(conflict("this Idempotency-Key was used for a different request; use a new key"));
            }
            Begun::InProgress if look < MOST_LOOKS => {
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
            Begun::InProgress => break,
        }
    }
    Err(conflict("a call with this Idempotency-Key is still running; ask again in a moment"))
}

fn request_of(prepared: &Prepared<'_>) -> Value {
    json!({"id": prepared.call.id, "query": prepared.options.query, "body": prepared.body})
}

fn fingerprint(prepared: &Prepared<'_>) -> String {
    let text =
        json!([prepared.call.operation.name(), prepared.call.path, prepared.call.query, prepared.call.body]);
    let hash = digest::digest(&digest::SHA256, text.to_string().as_bytes());
    hash.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn replayed(answer: StoredAnswer) -> Reply {
    let mut headers = answer.headers;
    let at = headers.iter().position(|(name, _)| name == "koine-outcome");
    let outcome =
        at.map(|at| headers.remove(at).1).and_then(|word| serde_json::from_value(Value::String(word)).ok());
    headers.push(("idempotent-replayed".to_owned(), "true".to_owned()));
    let body = match serde_json::from_slice(&answer.body) {
        Ok(json) => ReplyBody::Json(json),
        Err(_) => ReplyBody::Vendor {
            content_type: "application/octet-stream".to_owned(),
            bytes: answer.body.into(),
        },
    };
    Reply { status: answer.status, headers, outcome, body }
}

pub(crate) fn stored(reply: &Reply) -> StoredAnswer {
    let mut headers = reply.headers.clone();
    headers.extend(reply.outcome.map(|outcome| ("koine-outcome".to_owned(), outcome.as_str().to_owned())));
    let body = match &reply.body {
        ReplyBody::Json(value) => value.to_string().into_bytes(),
        ReplyBody::Vendor { bytes, .. } => bytes.to_vec(),
    };
    StoredAnswer { status: reply.status, headers, body }
}

/// Outcome after: a success is stored under its key, a failure releases the key for another try.
async fn close(running: Running<'_>, result: &Result<Reply, Error>) -> Result<(), Error> {
    let (outcome, detail, answer) = match result {
        Ok(reply) => (reply.outcome, None, Some(stored(reply))),
        Err(error) => (error.outcome, Some(detail(error)), None),
    };
    let finish = Finish { outcome: outcome.map(|outcome| outcome.as_str().to_owned()), detail, answer };
    running.finish(finish).await
}

/// What the journal keeps of an error, readable: not the vendor's words, which may name anybody.
pub(crate) fn detail(error: &Error) -> String {
    match &error.remote {
        Some(remote) => format!("the vendor's refusal, shown as {}", remote.status),
        None => error.message.clone(),
    }
}
