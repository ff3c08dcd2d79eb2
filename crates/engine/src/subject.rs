//! Whom a call is about: `-` with an e-mail in place of an id, and e-mails as a guard beside one.

use std::sync::Arc;

use koine_connector::plan::{Failure, Finished, Success};
use koine_model::{Error, ErrorCode, Outcome};
use serde_json::{Map, Value};

use crate::options::Options;
use crate::plan::{Prepared, ask};
use crate::{Engine, Operation, UnifiedCall, call, map, plan, respond};

/// Most pages read to find one person by e-mail where the vendor cannot filter.
const MOST_PAGES: usize = 100;
/// The resource of people, in every model.
const USERS: &str = "users";

/// `-` stands for the one user with the e-mail given.
pub(crate) async fn find(engine: &Engine, prepared: &mut Prepared<'_>) -> Result<(), Error> {
    let is_write = prepared.call.operation.is_write();
    let names_user =
        is_write || (prepared.call.operation == Operation::Get && prepared.call.resource == USERS);
    if !names_user || prepared.subject_id().as_deref() != Some("-") {
        return Ok(());
    }
    Box::pin(search(engine, prepared)).await
}

async fn search(engine: &Engine, prepared: &mut Prepared<'_>) -> Result<(), Error> {
    let is_write = prepared.call.operation.is_write();
    let emails = prepared.options.emails.clone();
    let emails = emails.ok_or_else(|| Error::invalid("an id of `-` needs `emails` in the query"))?;
    let mut found: Vec<String> = Vec::new();
    let mut blind = false;
    for email in &emails {
        let seen = with_email(engine, prepared, email).await?;
        blind |= seen.blind;
        for id in seen.ids {
            if !found.contains(&id) {
                found.push(id);
            }
        }
    }
    let refused = |error: Error| if is_write { error.with_outcome(Outcome::Refused) } else { error };
    let id = match found.as_slice() {
        [id] => id.clone(),
        [] if blind => {
            let message = "the vendor lists its users without e-mails; name the user by its id";
            return Err(refused(Error::new(ErrorCode::EmailUnknown, message)));
        }
        [] => return Err(Error::not_found("no user has this e-mail")),
        many => {
            let message = format!("{} users have this e-mail; name one by its id", many.len());
            return Err(refused(Error::new(ErrorCode::Conflict, message)));
        }
    };
    if !plan::is_id(&id) {
        let message = "the vendor names this user by an id that cannot be used";
        return Err(refused(Error::new(ErrorCode::VendorUnreachable, message)));
    }
    match &prepared.method.subject {
        None => prepared.call.id = Some(id),
        Some(field) => {
            prepared.body.insert(field.clone(), Value::String(id));
        }
    }
    Ok(())
}

/// What a search by e-mail came to.
#[derive(Default)]
struct Found {
    ids: Vec<String>,
    /// Whether there were records that do not tell, because the list is shallow.
    blind: bool,
}

/// The users with this e-mail, compared by us whatever the vendor's filter did.
async fn with_email(engine: &Engine, prepared: &Prepared<'_>, email: &str) -> Result<Found, Error> {
    let users = sub_call(engine, prepared, Operation::List, None)?;
    let row = users.resource().and_then(|resource| resource.methods.get("find"));
    let mut found = Found::default();
    let mut cursor = None;
    for _ in 0..MOST_PAGES {
        let mut question = ask(&users);
        question.cursor = cursor.take();
        question.query.insert("email".to_owned(), Value::String(email.to_owned()));
        if row.is_some() {
            "find".clone_into(&mut question.method);
        }
        let mut finished = call::run(engine, &users, question, None).await?;
        if finished.result.is_err() {
            return Err(map::failed(&users, finished));
        }
        let shallow = respond::is_partial(&users, row.unwrap_or(&users.row), finished.main.as_ref());
        for mapped in map::read(&users, &mut finished)? {
            let own = emails_of(&mapped.unified);
            found.blind |= shallow && own.is_empty();
            let matches = own.iter().any(|own| own.eq_ignore_ascii_case(email));
            let id = mapped.unified.get("id").and_then(Value::as_str);
            found.ids.extend(id.filter(|_| matches).map(ToOwned::to_owned));
        }
        if let Ok(Success::List { next, .. }) = &mut finished.result {
            cursor = next.take();
        }
        if cursor.is_none() {
            return Ok(found);
        }
    }
    Err(Error::new(ErrorCode::Conflict, "too many users to search by e-mail; name the user by its id"))
}

/// The users of the same account and model, as a read of ours.
fn sub_call<'e>(
    engine: &'e Engine,
    prepared: &Prepared<'_>,
    operation: Operation,
    id: Option<String>,
) -> Result<Prepared<'e>, Error> {
    let call = Box::new(UnifiedCall {
        model: prepared.model.clone(),
        resource: USERS.to_owned(),
        operation,
        id,
        query: Map::new(),
        body: Map::new(),
        path: String::new(),
        idempotency_key: None,
        passthrough: None,
    });
    let mut query = prepared.options.query.clone();
    query.shift_remove("emails");
    let options = Options { query, ..Options::default() };
    plan::prepare(engine, Arc::clone(&prepared.connection), call, options)
}

fn emails_of(record: &Map<String, Value>) -> Vec<String> {
    let list = record.get("emails").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|entry| entry.get("email")?.as_str())
        .map(ToOwned::to_owned)
        .collect()
}

/// `emails` on a write is a guard: the user found by id must have one of them.
pub(crate) async fn check_emails(engine: &Engine, prepared: &Prepared<'_>) -> Result<(), Error> {
    let (Some(emails), Some(subject)) = (&prepared.options.emails, prepared.subject_id()) else {
        return Ok(());
    };
    let users = sub_call(engine, prepared, Operation::Get, Some(subject))?;
    let mut finished = call::run(engine, &users, ask(&users), None).await?;
    if matches!(finished.result, Err(Failure::NotFound)) {
        if prepared.call.resource == USERS {
            return Ok(()); // the removal itself reads the same user, and decides what a missing one means
        }
        // A group may be somewhere that the read of the user does not reach.
        let text = "the user could not be read to compare with `emails`; nothing was sent";
        return Err(Error::new(ErrorCode::EmailUnknown, text).with_outcome(Outcome::Refused));
    }
    if finished.result.is_err() {
        return Err(map::failed(&users, finished));
    }
    let records = map::read(&users, &mut finished)?;
    let own: Vec<String> = records.iter().flat_map(|mapped| emails_of(&mapped.unified)).collect();
    if own.is_empty() {
        let text = "the user shows no e-mail to compare with `emails`; nothing was sent";
        return Err(Error::new(ErrorCode::EmailUnknown, text).with_outcome(Outcome::Refused));
    }
    if one_matches(&own, emails) { Ok(()) } else { Err(mismatch()) }
}

/// The same for someone who is not there any more, but whom the vendor remembers.
pub(crate) fn check_remembered(prepared: &Prepared<'_>, finished: &Finished) -> Result<(), Error> {
    let (Some(emails), Some(target)) = (&prepared.options.emails, &finished.target) else { return Ok(()) };
    if finished.outcome != Some(Outcome::AlreadyGone) || prepared.call.resource != USERS {
        return Ok(());
    }
    let own = emails_of(&map::one(prepared, target, finished)?.unified);
    if own.is_empty() || one_matches(&own, emails) { Ok(()) } else { Err(mismatch()) }
}

fn one_matches(own: &[String], emails: &[String]) -> bool {
    own.iter().any(|own| emails.iter().any(|email| email.eq_ignore_ascii_case(own)))
}

fn mismatch() -> Error {
    let text = "the user found by this id has none of the given `emails`; nothing was sent";
    Error::new(ErrorCode::EmailMismatch, text).with_outcome(Outcome::Refused)
}
