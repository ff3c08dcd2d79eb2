//! Integrated accounts as callers manage them: checked against the connector, never shown with secrets.

use koine_connector::Connector;
use koine_connector::authorize;
use koine_connector::compiled::{CredentialField, CredentialKind, Grant};
use koine_model::Error;
use koine_store::{Account, AccountChange, AccountFilter, StoreError};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::account::connect_to;
use crate::grant::Tokens;
use crate::{AccountPatch, AccountQuery, Caller, Engine, NewAccount, events};

/// Accounts in a page when the caller names no number.
const PAGE: u32 = 25;
/// Most accounts in a page.
const LARGEST_PAGE: u32 = 100;

impl Engine {
    /// Connects an account.
    ///
    /// # Errors
    /// An unknown connector, or a credential field that is missing, unknown or not in its form.
    pub async fn create_account(&self, caller: &Caller, new: NewAccount) -> Result<Value, Error> {
        let connector = self.parts.catalogue.connector(&new.connector);
        let connector = connector.ok_or_else(|| Self::unknown("connector", &new.connector))?;
        let (method, kind) = kind(connector, new.authentication_method.as_deref())?;
        if new.tenant_id.trim().is_empty() {
            return Err(Error::invalid("`tenant_id` is required: the customer this account belongs to"));
        }
        let mut context = new.context;
        let tokens = taken_over(kind, &mut context)?;
        match tokens {
            Some(_) => check_before_consent(connector, kind, &context)?,
            None => check_complete(connector, kind, &context)?,
        }
        let account = koine_store::NewAccount {
            environment_id: caller.environment_id,
            tenant_id: new.tenant_id,
            connector: new.connector,
            authentication_method: method,
            context: Value::Object(context),
        };
        let created = [events::ACCOUNT_CREATED, events::ACCOUNT_ACTIVE];
        let account = self.add_account(&caller.as_actor(), account, &created).await?;
        if let Some(tokens) = tokens {
            self.set_tokens(&account, tokens).await?;
        }
        Ok(self.shown(&account))
    }

    /// One account.
    ///
    /// # Errors
    /// 404 when this environment (or token) has none with that id.
    pub async fn get_account(&self, caller: &Caller, id: Uuid) -> Result<Value, Error> {
        let account = self.parts.store.get_account(caller.environment_id, id).await.map_err(store_failed)?;
        let account = account.filter(|_| caller.may_use(id)).ok_or_else(|| Self::no_account(id))?;
        Ok(self.shown(&account))
    }

    /// A page of accounts: `{result, next_cursor, limit}`.
    ///
    /// # Errors
    /// A cursor that is not one.
    pub async fn list_accounts(&self, caller: &Caller, query: AccountQuery) -> Result<Value, Error> {
        let limit = query.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
        let after = query.next_cursor.filter(|cursor| !cursor.is_empty());
        let after = after.map(|cursor| Uuid::parse_str(&cursor)).transpose();
        let after = after.map_err(|_| Error::invalid("`next_cursor` is not one of this list"))?;
        let filter =
            AccountFilter { tenant_id: query.tenant_id, connector: query.connector, status: query.status };
        let page = match &caller.accounts {
            Some(own) => self.some_of(caller, own, &filter, limit, after).await,
            None => self.parts.store.list_accounts(caller.environment_id, filter, limit, after).await,
        };
        let page = page.map_err(store_failed)?;
        let full = page.len() == limit as usize;
        let next = page.last().filter(|_| full).map(|account| account.id.to_string());
        let result: Vec<Value> = page.iter().map(|account| self.shown(account)).collect();
        Ok(json!({"result": result, "next_cursor": next, "limit": limit}))
    }

    /// A page of the accounts that a token is limited to: neither its length nor its cursor tells of others.
    async fn some_of(
        &self,
        caller: &Caller,
        own: &[Uuid],
        filter: &AccountFilter,
        limit: u32,
        after: Option<Uuid>,
    ) -> Result<Vec<Account>, StoreError> {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|text| text == value);
        let mut ids: Vec<Uuid> =
            own.iter().copied().filter(|id| after.is_none_or(|after| *id > after)).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut page = Vec::new();
        for id in ids {
            if page.len() == limit as usize {
                break;
            }
            let found = self.parts.store.get_account(caller.environment_id, id).await?;
            page.extend(found.filter(|account| {
                is(&filter.tenant_id, &account.tenant_id)
                    && is(&filter.connector, &account.connector)
                    && is(&filter.status, &account.status)
            }));
        }
        Ok(page)
    }

    /// What there is to say about an account that does not exist, or is not the caller's to see.
    #[must_use]
    pub fn no_account(id: Uuid) -> Error {
        Error::not_found(format!("there is no integrated account {id}"))
    }

    /// Changes an account.
    ///
    /// # Errors
    /// As [`Engine::create_account`] and [`Engine::get_account`].
    pub async fn patch_account(
        &self,
        caller: &Caller,
        id: Uuid,
        patch: AccountPatch,
    ) -> Result<Value, Error> {
        let account = self.parts.store.get_account(caller.environment_id, id).await.map_err(store_failed)?;
        let account = account.filter(|_| caller.may_use(id)).ok_or_else(|| Self::no_account(id))?;
        let mut context = account.context.as_object().cloned().unwrap_or_default();
        let mut tokens = None;
        if let Some(mut change) = patch.context {
            let connector = self.parts.catalogue.connector(&account.connector);
            let connector = connector.ok_or_else(|| Self::unknown("connector", &account.connector))?;
            let (_, kind) = kind(connector, Some(&account.authentication_method))?;
            tokens = taken_over(kind, &mut change)?;
            check_context(connector, kind, &change)?;
            let has_tokens = tokens.is_none() && self.has_tokens(&account, kind).await?;
            check_address(connector, kind, &context, &change, has_tokens)?;
            context.extend(change);
        }
        let change = AccountChange {
            context: Some(Value::Object(context)),
            tenant_id: patch.tenant_id,
            ..AccountChange::default()
        };
        let account = self.change_account_by(caller, id, change, &[events::ACCOUNT_UPDATED]).await?;
        let account = account.ok_or_else(|| Self::no_account(id))?;
        if let Some(tokens) = tokens {
            self.set_tokens(&account, tokens).await?;
        }
        Ok(self.shown(&account))
    }

    /// Whether the account has tokens that are none of its fields.
    async fn has_tokens(&self, account: &Account, kind: &CredentialKind) -> Result<bool, Error> {
        if kind.grant().is_none() {
            return Ok(false);
        }
        let grant = self.parts.store.find_grant(account.environment_id, account.id).await;
        Ok(grant.map_err(store_failed)?.is_some())
    }

    /// Forgets an account and its credentials.
    ///
    /// # Errors
    /// As [`Engine::get_account`].
    pub async fn delete_account(&self, caller: &Caller, id: Uuid) -> Result<Value, Error> {
        if !caller.may_use(id) || !self.forget_account(caller, id).await? {
            return Err(Self::no_account(id));
        }
        Ok(json!({"id": id}))
    }

    /// The account of an integrated-account token. Its OAuth access token is shown: browsers' file pickers work with it.
    ///
    /// # Errors
    /// As [`Engine::get_account`].
    pub async fn own_account(&self, caller: &Caller) -> Result<Value, Error> {
        let id = own_id(caller)?;
        let connection = connect_to(self, caller, id).await?;
        // Before the account is read: its status may change by it. An account without a token that works is still shown.
        let token = self.access_token(&connection).await.ok().flatten();
        let mut shown = self.get_account(caller, id).await?;
        if let Some(token) = token {
            shown["context"]["oauth"] = json!({"token": {"access_token": token.expose()}});
        }
        Ok(shown)
    }

    /// Changes the account of an integrated-account token.
    ///
    /// # Errors
    /// As [`Engine::patch_account`].
    pub async fn patch_own_account(&self, caller: &Caller, patch: AccountPatch) -> Result<Value, Error> {
        self.patch_account(caller, own_id(caller)?, patch).await
    }

    /// An account without secrets: only fields that the connector knows and does not call secret.
    pub(crate) fn shown(&self, account: &Account) -> Value {
        let connector = self.parts.catalogue.connector(&account.connector);
        let kind = connector.and_then(|connector| connector.credentials.get(&account.authentication_method));
        let open =
            |name: &str| kind.is_some_and(|kind| kind.fields.get(name).is_some_and(|field| !field.secret));
        let context: Map<String, Value> = account
            .context
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| open(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        json!({
            "id": account.id, "tenant_id": account.tenant_id, "environment_id": account.environment_id,
            "status": account.status, "authentication_method": account.authentication_method, "context": context,
            "is_sandbox": false, "last_error": account.last_error,
            "integration": {"name": account.connector, "category": connector.map(|connector| &connector.category)},
            "created_at": account.created_at, "updated_at": account.updated_at,
        })
    }
}

fn own_id(caller: &Caller) -> Result<Uuid, Error> {
    caller.own_account.ok_or_else(|| Error::not_found("this token is not that of an account"))
}

pub(crate) fn store_failed(error: StoreError) -> Error {
    Error::internal(error)
}

fn kind<'a>(connector: &'a Connector, wanted: Option<&str>) -> Result<(String, &'a CredentialKind), Error> {
    let found = match wanted {
        Some(name) => connector.credentials.get_key_value(name),
        None => connector.credentials.first(),
    };
    found.map(|(name, kind)| (name.clone(), kind)).ok_or_else(|| {
        let known: Vec<_> = connector.credentials.keys().map(String::as_str).collect();
        Error::invalid(format!("{} offers `authentication_method` {}", connector.label, known.join(", ")))
    })
}

/// Who may change an account need not know its credentials, and must not get them by having them sent elsewhere.
fn check_address(
    connector: &Connector,
    kind: &CredentialKind,
    known: &Map<String, Value>,
    change: &Map<String, Value>,
    has_tokens: bool,
) -> Result<(), Error> {
    let field_of = |name: &str| kind.fields.get(name);
    let present = |name: &str| known.get(name).or_else(|| field_of(name)?.default.as_ref());
    let fields = authorize::address_fields(connector, kind);
    let moved = fields.iter().find(|name| change.get(*name).is_some_and(|new| present(name) != Some(new)));
    let Some(moved) = moved else { return Ok(()) };
    let is_kept = |name: &&String| known.contains_key(*name) && !change.contains_key(*name);
    let secrets = kind.fields.iter().filter(|(_, field)| field.secret).map(|(name, _)| name);
    let tokens = has_tokens.then(|| "`context.oauth.token`".to_owned());
    let kept = secrets.filter(is_kept).map(|name| format!("`context.{name}`"));
    let kept: Vec<_> = kept.chain(tokens).collect();
    if kept.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "`context.{moved}` says where credentials are sent; to change it give {} again",
        kept.join(", ")
    )))
}

/// Takes out the tokens of an account that was granted elsewhere: `oauth: {token: {…}}`.
fn taken_over(kind: &CredentialKind, context: &mut Map<String, Value>) -> Result<Option<Tokens>, Error> {
    if kind.grant().is_none() || kind.fields.contains_key("oauth") {
        return Ok(None);
    }
    context.shift_remove("oauth").map(|oauth| Tokens::taken_over(&oauth["token"])).transpose()
}

/// What a customer gives before they consent: known, of its form and complete.
pub(crate) fn check_before_consent(
    connector: &Connector,
    kind: &CredentialKind,
    context: &Map<String, Value>,
) -> Result<(), Error> {
    check_context(connector, kind, context)?;
    check_there(connector, kind.asked_before_consent(), context)
}

/// What an account needs that nobody is asked to consent to.
fn check_complete(
    connector: &Connector,
    kind: &CredentialKind,
    context: &Map<String, Value>,
) -> Result<(), Error> {
    check_context(connector, kind, context)?;
    check_there(connector, kind.fields.iter(), context)?;
    let field = kind.grant().map(Grant::refresh_field);
    if field.is_some_and(|field| context.get(field).and_then(Value::as_str).is_none_or(str::is_empty)) {
        let message = format!("{} gives these credentials by a person's consent only", connector.label);
        return Err(Error::invalid(message));
    }
    Ok(())
}

/// Whether a text can be the field's value.
pub(crate) fn fits(field: &CredentialField, text: &str) -> bool {
    let allowed = |c: char| !c.is_control() || field.multiline && matches!(c, '\n' | '\r');
    text.chars().all(allowed) && field.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
}

/// Fields are known and of their form. Values are never repeated.
fn check_context(
    connector: &Connector,
    kind: &CredentialKind,
    context: &Map<String, Value>,
) -> Result<(), Error> {
    for (name, value) in context {
        let Some(field) = kind.fields.get(name) else {
            let known: Vec<_> = kind.fields.keys().map(String::as_str).collect();
            let message =
                format!("{} has no credential field `{name}`; it has {}", connector.label, known.join(", "));
            return Err(Error::invalid(message));
        };
        let text = value.as_str().ok_or_else(|| Error::invalid(format!("`context.{name}` must be text")))?;
        if !fits(field, text) {
            let example =
                field.example.as_ref().map(|example| format!("; for example {example}")).unwrap_or_default();
            return Err(Error::invalid(format!(
                "`context.{name}` is not a possible {}{example}",
                field.label
            )));
        }
    }
    Ok(())
}

/// Of these fields, those that an account cannot do without are there.
fn check_there<'a>(
    connector: &Connector,
    fields: impl Iterator<Item = (&'a String, &'a CredentialField)>,
    context: &Map<String, Value>,
) -> Result<(), Error> {
    let lacks = |name: &&String| context.get(*name).and_then(Value::as_str).is_none_or(str::is_empty);
    let needed = fields.filter(|(_, field)| field.required && field.default.is_none());
    let missing: Vec<_> =
        needed.map(|(name, _)| name).filter(lacks).map(|name| format!("`context.{name}`")).collect();
    if !missing.is_empty() {
        return Err(Error::invalid(format!("{} needs {}", connector.label, missing.join(", "))));
    }
    Ok(())
}
