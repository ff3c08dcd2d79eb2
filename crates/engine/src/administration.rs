//! Tokens, environments and the audit log, as administrators of one environment see them.

use jiff::{Span, Timestamp};
use koine_model::{Error, ErrorCode};
use koine_store::{ApiToken, AuditFilter, AuditRecord, Environment, NewAccountToken, NewToken, StoreError};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::moment::moment_after;
use crate::{Caller, Engine, Rights};

/// Objects in a page when the caller names no number.
const PAGE: u32 = 25;
/// Most objects in a page.
const LARGEST_PAGE: u32 = 100;
/// Longest name, in characters.
const LONGEST_NAME: usize = 200;
/// How long an integrated-account token lives, in minutes.
const ACCOUNT_TOKEN_MINUTES: i64 = 15;

/// A token to be made.
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    /// A name for people.
    pub name: String,
    /// The accounts it may use; `None` is all of the environment.
    pub account_ids: Option<Vec<Uuid>>,
    /// Whether it may only read.
    pub read_only: bool,
    /// Whether it may administer its environment.
    pub administrator: bool,
    /// When it stops working: ISO 8601 with an offset, or a time from now such as `90d`.
    pub expires_at: Option<String>,
}

/// Which objects of a list are asked for.
#[derive(Clone, Debug, Default)]
pub struct PageQuery {
    /// Only those of this name.
    pub name: Option<String>,
    /// Only those of this environment, which is the caller's own or there are none.
    pub environment_id: Option<String>,
    /// Most objects in the answer, 1 to 100.
    pub limit: Option<u32>,
    /// The cursor of the page before.
    pub next_cursor: Option<String>,
}

impl PageQuery {
    fn limit(&self) -> u32 {
        self.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE)
    }

    fn is_for(&self, environment: Uuid) -> bool {
        let own = environment.to_string();
        self.environment_id.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(&own))
    }

    fn after<T: std::str::FromStr>(&self) -> Result<Option<T>, Error> {
        let cursor = self.next_cursor.as_deref().filter(|cursor| !cursor.is_empty());
        let after = cursor.map(str::parse).transpose();
        after.map_err(|_| Error::invalid("`next_cursor` is not one of this list"))
    }
}

impl Engine {
    /// The caller's environment, as a page.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_environments(&self, caller: &Caller, query: &PageQuery) -> Result<Value, Error> {
        let own = self.parts.store.get_environment(caller.environment_id).await.map_err(failed)?;
        let is_behind = query.after::<Uuid>()?.is_some_and(|after| caller.environment_id <= after);
        let fits = |one: &Environment| query.name.as_ref().is_none_or(|name| *name == one.name) && !is_behind;
        let result: Vec<Value> = own.iter().filter(|own| fits(own)).map(shown_environment).collect();
        Ok(json!({"result": result, "next_cursor": null, "limit": query.limit()}))
    }

    /// The caller's environment; 404 for any other.
    ///
    /// # Errors
    /// 404 for any other.
    pub async fn get_environment(&self, caller: &Caller, id: &str) -> Result<Value, Error> {
        let own = own_environment(caller, id)?;
        let found = self.parts.store.get_environment(own).await.map_err(failed)?;
        found.as_ref().map(shown_environment).ok_or_else(|| Self::unknown("environment", id))
    }

    /// Renames the caller's environment.
    ///
    /// # Errors
    /// 404 for any other, 409 for a name that is taken.
    pub async fn rename_environment(&self, caller: &Caller, id: &str, name: &str) -> Result<Value, Error> {
        let own = own_environment(caller, id)?;
        let name = checked_name(name)?;
        let renamed = self.parts.store.rename_environment(own, name, &caller.as_actor()).await;
        let renamed = renamed.map_err(failed)?;
        renamed.as_ref().map(shown_environment).ok_or_else(|| Self::unknown("environment", id))
    }

    /// A page of the environment's tokens that are not revoked: `{result, next_cursor, limit}`.
    ///
    /// # Errors
    /// A cursor that is not one.
    pub async fn list_tokens(&self, caller: &Caller, query: &PageQuery) -> Result<Value, Error> {
        let after: Option<Uuid> = query.after()?;
        let all = self.parts.store.list_tokens(Some(caller.environment_id)).await.map_err(failed)?;
        let fits = |token: &&ApiToken| {
            token.revoked_at.is_none()
                && after.is_none_or(|after| token.id > after)
                && query.name.as_ref().is_none_or(|name| *name == token.name)
                && query.is_for(token.environment_id)
        };
        let limit = query.limit();
        let page: Vec<&ApiToken> = all.iter().filter(fits).take(limit as usize).collect();
        let next = page.last().filter(|_| page.len() == limit as usize).map(|token| token.id);
        let result: Vec<Value> = page.into_iter().map(shown_token).collect();
        Ok(json!({"result": result, "next_cursor": next, "limit": limit}))
    }

    /// One token, revoked or not; never its secret.
    ///
    /// # Errors
    /// 404 when this environment has none with that id.
    pub async fn get_token(&self, caller: &Caller, id: &str) -> Result<Value, Error> {
        let id = token_id(id)?;
        let found = self.parts.store.get_token(Some(caller.environment_id), id).await.map_err(failed)?;
        found.as_ref().map(shown_token).ok_or_else(|| no_token(&id))
    }

    /// Makes a token and shows its secret, this once.
    ///
    /// # Errors
    /// Rights or a life that go beyond the caller's own; accounts that the environment does not have.
    pub async fn create_token(&self, caller: &Caller, wanted: TokenRequest) -> Result<Value, Error> {
        let name = checked_name(&wanted.name)?.to_owned();
        check_reach(caller, &wanted)?;
        let expires_at = self.expiry(caller, wanted.expires_at.as_deref())?;
        for id in wanted.account_ids.iter().flatten() {
            let found = self.parts.store.get_account(caller.environment_id, *id).await.map_err(failed)?;
            found.ok_or_else(|| Error::invalid(format!("there is no integrated account {id}")))?;
        }
        let new = NewToken {
            environment_id: caller.environment_id,
            name,
            account_ids: wanted.account_ids,
            read_only: wanted.read_only,
            administrator: wanted.administrator,
            expires_at,
        };
        let made = self.parts.store.create_token_by(new, &caller.as_actor()).await;
        let (token, secret) = made.map_err(failed)?;
        let mut shown = shown_token(&token);
        shown["token"] = Value::String(secret);
        Ok(shown)
    }

    /// No token outlives the one that made it.
    fn expiry(&self, caller: &Caller, wanted: Option<&str>) -> Result<Option<String>, Error> {
        let wanted = wanted.map(|text| moment_after(text, Timestamp::now())).transpose()?;
        let own: Option<Timestamp> = caller.expires_at.as_ref().and_then(|own| own.parse().ok());
        match (wanted, own) {
            (Some(wanted), Some(own)) if wanted > own => Err(Error::new(
                ErrorCode::NotAllowed,
                format!("a token may not outlive the one that makes it, which ends at {own}"),
            )),
            (wanted, own) => Ok(wanted.or(own).map(|at| at.to_string())),
        }
    }

    /// Gives a token another name.
    ///
    /// # Errors
    /// As [`Engine::get_token`].
    pub async fn rename_token(&self, caller: &Caller, id: &str, name: &str) -> Result<Value, Error> {
        let id = token_id(id)?;
        let name = checked_name(name)?;
        let environment = Some(caller.environment_id);
        let renamed = self.parts.store.rename_token(environment, id, name, &caller.as_actor()).await;
        renamed.map_err(failed)?.as_ref().map(shown_token).ok_or_else(|| no_token(&id))
    }

    /// Ends a token at once.
    ///
    /// # Errors
    /// 404 when this environment has none with that id in force.
    pub async fn revoke_token(&self, caller: &Caller, id: &str) -> Result<Value, Error> {
        let id = token_id(id)?;
        let environment = Some(caller.environment_id);
        let revoked = self.parts.store.revoke_token_by(environment, id, &caller.as_actor()).await;
        if !revoked.map_err(failed)? {
            return Err(no_token(&id));
        }
        Ok(json!({"id": id}))
    }

    /// Issues a token that lives 15 minutes and may do one thing: calls on this account. Under both names that clients
    /// look for.
    ///
    /// # Errors
    /// 404 when the caller may not use the account, or there is none.
    pub async fn issue_account_token(&self, caller: &Caller, account: Uuid) -> Result<Value, Error> {
        let until = Timestamp::now() + Span::new().minutes(ACCOUNT_TOKEN_MINUTES);
        let own = caller.expires_at.as_ref().and_then(|own| own.parse::<Timestamp>().ok());
        let new = NewAccountToken {
            environment_id: caller.environment_id,
            account_id: account,
            issued_by: caller.token_id,
            read_only: caller.rights < Rights::Write,
            expires_at: own.map_or(until, |own| own.min(until)).to_string(),
        };
        match self.parts.store.issue_account_token(new).await {
            Ok((_, secret)) => Ok(json!({"integrated_account_token": secret, "token": secret})),
            Err(StoreError::NotFound { .. }) => Err(Self::no_account(account)),
            Err(error) => Err(failed(error)),
        }
    }

    /// A page of the environment's audit log, newest first.
    ///
    /// # Errors
    /// A cursor that is not one, or a time that is none.
    pub async fn audit_log(
        &self,
        caller: &Caller,
        filter: AuditFilter,
        page: &PageQuery,
    ) -> Result<Value, Error> {
        let filter = AuditFilter { environment_id: Some(caller.environment_id), ..filter };
        let limit = page.limit();
        let entries = self.parts.store.list_audit(filter, limit, page.after()?).await.map_err(failed)?;
        let next = entries.last().filter(|_| entries.len() == limit as usize);
        let next = next.map(|record| record.seq.to_string());
        let result: Vec<Value> = entries.iter().map(shown_entry).collect();
        Ok(json!({"result": result, "next_cursor": next, "limit": limit}))
    }
}

fn check_reach(caller: &Caller, wanted: &TokenRequest) -> Result<(), Error> {
    let asked = match (wanted.administrator, wanted.read_only) {
        (true, true) => {
            return Err(Error::invalid("a token is `read_only` or an `administrator`, not both"));
        }
        (true, false) => Rights::Administer,
        (false, true) => Rights::Read,
        (false, false) => Rights::Write,
    };
    let reaches = |ids: &Vec<Uuid>| ids.iter().all(|id| caller.may_use(*id));
    let within = wanted.account_ids.as_ref().map_or(!caller.is_limited(), reaches);
    if asked > caller.rights || !within {
        return Err(Error::new(
            ErrorCode::NotAllowed,
            "a token cannot make one that may do more than itself",
        ));
    }
    Ok(())
}

fn checked_name(name: &str) -> Result<&str, Error> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        return Err(Error::invalid(format!("`name` must be a text of 1 to {LONGEST_NAME} characters")));
    }
    Ok(name)
}

fn own_environment(caller: &Caller, id: &str) -> Result<Uuid, Error> {
    let own = Uuid::parse_str(id).ok().filter(|id| *id == caller.environment_id);
    own.ok_or_else(|| Engine::unknown("environment", id))
}

fn token_id(text: &str) -> Result<Uuid, Error> {
    Uuid::parse_str(text).map_err(|_| no_token(&text))
}

fn no_token(id: &dyn std::fmt::Display) -> Error {
    Error::not_found(format!("there is no token {id}"))
}

fn failed(error: StoreError) -> Error {
    match error {
        StoreError::Conflict { what } => Error::new(ErrorCode::Conflict, what),
        StoreError::Invalid { what } => Error::invalid(what),
        other => Error::internal(other),
    }
}

fn shown_environment(environment: &Environment) -> Value {
    json!({"id": environment.id, "name": environment.name, "team_id": null,
           "created_at": environment.created_at, "updated_at": environment.updated_at})
}

/// A token as everybody who may list tokens sees it.
#[must_use]
pub fn shown_token(token: &ApiToken) -> Value {
    json!({"id": token.id, "name": token.name, "environment_id": token.environment_id,
           "account_ids": token.account_ids, "read_only": token.read_only, "administrator": token.administrator,
           "created_by": token.created_by, "expires_at": token.expires_at, "last_used_at": token.last_used_at,
           "revoked_at": token.revoked_at, "created_at": token.created_at, "updated_at": token.updated_at})
}

/// An entry of the audit log as people see it.
#[must_use]
pub fn shown_entry(record: &AuditRecord) -> Value {
    let entry = &record.entry;
    json!({"id": record.id, "seq": record.seq, "created_at": record.created_at,
           "environment_id": entry.environment_id, "actor": entry.actor.name, "source": entry.actor.source,
           "action": entry.action, "subject": entry.subject, "before": entry.before, "after": entry.after})
}
