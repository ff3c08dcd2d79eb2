//! Integrated accounts as people change them: each change with its events and its entry in the audit log. Of a context
//! the log has only the names of its fields.

use serde_json::{Value, json};
use uuid::Uuid;

use super::audit::Audited;
use super::{SqlStore, accounts, events};
use crate::{Account, AccountChange, Actor, Announce, AuditEntry, NewAccount, NewEvent, StoreError};

pub(super) async fn create(
    store: &SqlStore,
    new: NewAccount,
    by: &Actor,
    announce: Announce<'_>,
) -> Result<Account, StoreError> {
    let key = store.data_key(new.environment_id).await?;
    let account = accounts::begun(new);
    let mut audited = Audited::begin(store).await?;
    accounts::insert(audited.connection(), &account, &key).await?;
    events::record_all(audited.connection(), &key, &announce(&account)).await?;
    audited.commit(created(by, &account)).await?;
    Ok(account)
}

pub(super) async fn update(
    store: &SqlStore,
    environment: Uuid,
    id: Uuid,
    change: AccountChange,
    by: &Actor,
    announce: Announce<'_>,
) -> Result<Option<Account>, StoreError> {
    let key = match store.data_key(environment).await {
        Err(StoreError::NotFound { .. }) => return Ok(None),
        other => other?,
    };
    let mut audited = Audited::begin(store).await?;
    let before = accounts::select(audited.connection(), environment, id, &key).await?;
    let after = accounts::change_in(audited.connection(), environment, id, change, &key).await?;
    let (Some(before), Some(after)) = (before, after) else {
        audited.rollback().await?;
        return Ok(None);
    };
    events::record_all(audited.connection(), &key, &announce(&after)).await?;
    audited.commit(updated(by, &before, &after)).await?;
    Ok(Some(after))
}

pub(super) async fn delete(
    store: &SqlStore,
    environment: Uuid,
    id: Uuid,
    by: &Actor,
    events: &[NewEvent],
) -> Result<bool, StoreError> {
    let key = match store.data_key(environment).await {
        Err(StoreError::NotFound { .. }) => return Ok(false),
        other => other?,
    };
    // One that cannot be opened any more can still be deleted, but not described.
    let known = accounts::get(store, environment, id).await.ok().flatten();
    let mut audited = Audited::begin(store).await?;
    if !accounts::remove(audited.connection(), environment, id).await? {
        audited.rollback().await?;
        return Ok(false);
    }
    events::record_all(audited.connection(), &key, events).await?;
    let mut entry = AuditEntry::new(by, Some(environment), "account.delete", &id);
    entry.before = known.as_ref().map(state);
    audited.commit(entry).await?;
    Ok(true)
}

/// The entry of a change.
pub(super) fn updated(by: &Actor, before: &Account, after: &Account) -> AuditEntry {
    let changed = changed_fields(&before.context, &after.context);
    let mut told = state(after);
    if !changed.is_empty() {
        told["context_changed"] = json!(changed);
    }
    entry(by, "account.update", after).changing(&state(before), &told)
}

/// The entry of a new one.
pub(super) fn created(by: &Actor, account: &Account) -> AuditEntry {
    entry(by, "account.create", account).making(state(account))
}

fn entry(by: &Actor, action: &str, account: &Account) -> AuditEntry {
    AuditEntry::new(by, Some(account.environment_id), action, &account.id)
}

fn state(account: &Account) -> Value {
    let fields: Vec<&String> =
        account.context.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    json!({"tenant_id": account.tenant_id, "connector": account.connector, "status": account.status,
           "authentication_method": account.authentication_method, "context_fields": fields})
}

fn changed_fields(before: &Value, after: &Value) -> Vec<String> {
    let names = [before, after].into_iter().filter_map(Value::as_object).flatten().map(|(name, _)| name);
    let mut changed: Vec<String> =
        names.filter(|name| before.get(*name) != after.get(*name)).cloned().collect();
    changed.sort_unstable();
    changed.dedup();
    changed
}
