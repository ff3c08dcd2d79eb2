//! What is under the master key: the key check, data keys of environments, keys of the installation; and putting them
//! under another one while nodes run.
//!
//! A node holds the master key that opened the key check. Whoever changes the master key replaces the check in the same
//! transaction as everything that is under it. So a node that meets something it cannot unwrap looks at the check again,
//! and one that wraps something new does so only while the check is still the one it knows.

use std::sync::{Arc, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sqlx::Row;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::audit::Audited;
use super::{DbConnection, SqlStore, begin, row};
use crate::vault::{self, DataKey, Master};
use crate::{Actor, AuditEntry, Rotated, StoreError};

/// How often something is tried again that met a change of the master key.
pub(super) const TRIES: u32 = 10;

/// Takes the key that opens the database; a new database takes the first one of the source.
pub(super) async fn open(store: &SqlStore) -> Result<(), StoreError> {
    let keys = store.vault.keys().await?;
    let first = keys.first().ok_or(StoreError::BadKey)?;
    sqlx::query(
        "INSERT INTO vault_check (id, sealed) SELECT 1, $1
         WHERE NOT EXISTS (SELECT 1 FROM environments) ON CONFLICT (id) DO NOTHING",
    )
    .bind(Master::new(first).check().to_vec())
    .execute(&store.write)
    .await?;
    store.vault.take(vault::that_opens(&keys, &stored_check(store).await?)?);
    Ok(())
}

/// As [`crate::Administration::notice_master_key`].
pub(super) async fn notice(store: &SqlStore) -> Result<bool, StoreError> {
    let check = stored_check(store).await?;
    if store.vault.master()?.check() == check.as_slice() {
        return Ok(false);
    }
    let keys = store.vault.keys().await?;
    store.vault.take(vault::that_opens(&keys, &check)?);
    tracing::info!("took the new master key");
    Ok(true)
}

async fn stored_check(store: &SqlStore) -> Result<Vec<u8>, StoreError> {
    let stored =
        sqlx::query_scalar("SELECT sealed FROM vault_check WHERE id = 1").fetch_optional(&store.read).await?;
    stored.ok_or_else(|| StoreError::corrupt("vault_check is empty"))
}

/// Holds the key check as this node knows it until the transaction ends; `false` when it has been replaced.
pub(super) async fn hold_check(connection: &mut DbConnection, master: &Master) -> Result<bool, StoreError> {
    let held = sqlx::query("UPDATE vault_check SET sealed = sealed WHERE id = 1 AND sealed = $1")
        .bind(master.check().to_vec())
        .execute(connection)
        .await?;
    Ok(held.rows_affected() == 1)
}

/// The environment's data key, unwrapped once per process.
pub(super) async fn data_key(store: &SqlStore, environment: Uuid) -> Result<Arc<DataKey>, StoreError> {
    let known = store.data_keys.read().unwrap_or_else(PoisonError::into_inner).get(&environment).cloned();
    if let Some(key) = known {
        return Ok(key);
    }
    let unwrapped = unwrapped(
        store,
        || async move {
            let wrapped: Option<Vec<u8>> =
                sqlx::query_scalar("SELECT data_key_sealed FROM environments WHERE id = $1")
                    .bind(environment.to_string())
                    .fetch_optional(&store.read)
                    .await?;
            wrapped.ok_or_else(|| StoreError::not_found(format!("environment {environment}")))
        },
        |master, wrapped| master.data_key(environment, wrapped),
    );
    let key = Arc::new(unwrapped.await?);
    let mut keys = store.data_keys.write().unwrap_or_else(PoisonError::into_inner);
    keys.insert(environment, Arc::clone(&key));
    Ok(key)
}

/// As [`crate::Administration::installation_key`].
pub(super) async fn installation_key(store: &SqlStore, name: &str) -> Result<Zeroizing<String>, StoreError> {
    for _ in 0..TRIES {
        let found = unwrapped(
            store,
            || async move {
                let wrapped: Option<Vec<u8>> =
                    sqlx::query_scalar("SELECT sealed FROM installation_keys WHERE name = $1")
                        .bind(name.to_owned())
                        .fetch_optional(&store.read)
                        .await?;
                wrapped.ok_or_else(|| StoreError::not_found(format!("installation key {name}")))
            },
            |master, wrapped| master.installation_key(name, wrapped),
        );
        match found.await {
            Err(StoreError::NotFound { .. }) => make_installation_key(store, name).await?,
            found => return found.map(|key| Zeroizing::new(STANDARD.encode(key.as_slice()))),
        }
    }
    Err(changing())
}

/// Makes it unless somebody else has by now, or the master key was changed.
async fn make_installation_key(store: &SqlStore, name: &str) -> Result<(), StoreError> {
    let master = store.vault.master()?;
    let mut transaction = begin(&store.write).await?;
    if !hold_check(&mut transaction, &master).await? {
        transaction.rollback().await?;
        notice(store).await?;
        return Ok(());
    }
    sqlx::query("INSERT INTO installation_keys (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name.to_owned())
        .bind(master.new_installation_key(name))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Reads something wrapped and unwraps it, with the new master key if that was changed meanwhile.
async fn unwrapped<T, F>(
    store: &SqlStore,
    read: impl Fn() -> F,
    unwrap: impl Fn(&Master, &[u8]) -> Result<T, StoreError>,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<Vec<u8>, StoreError>>,
{
    for _ in 0..TRIES {
        let master = store.vault.master()?;
        let failed = match unwrap(&master, &read().await?) {
            Ok(value) => return Ok(value),
            Err(failed) => failed,
        };
        if !notice(store).await? && store.vault.master()?.check() == master.check() {
            return Err(failed);
        }
    }
    Err(changing())
}

/// As [`crate::Administration::rotate_master_key`].
pub(super) async fn rotate(store: &SqlStore, by: &Actor) -> Result<Rotated, StoreError> {
    for _ in 0..TRIES {
        notice(store).await?;
        let keys = store.vault.keys().await?;
        let first = keys.first().ok_or(StoreError::BadKey)?;
        let old = store.vault.master()?;
        if vault::opens(first, old.check()) {
            return Ok(Rotated::Already);
        }
        let new = Master::new(first);
        let mut audited = Audited::begin(store).await?;
        if !hold_check(audited.connection(), &old).await? {
            audited.rollback().await?;
            continue;
        }
        let environments = rewrap(audited.connection(), &old, &new).await?;
        let entry = AuditEntry::new(by, None, "key.rotate", &"master key")
            .making(serde_json::json!({"environments": environments}));
        audited.commit(entry).await?;
        store.vault.take(new);
        return Ok(Rotated::Done { environments });
    }
    Err(changing())
}

/// Puts everything that is under `old` under `new`. Gives the number of environments.
async fn rewrap(connection: &mut DbConnection, old: &Master, new: &Master) -> Result<usize, StoreError> {
    let environments =
        sqlx::query("SELECT id, data_key_sealed FROM environments").fetch_all(&mut *connection).await?;
    for found in &environments {
        let (id, wrapped): (_, Vec<u8>) = (row::id(found, "id")?, found.try_get("data_key_sealed")?);
        sqlx::query("UPDATE environments SET data_key_sealed = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(old.rewrap_data_key(id, &wrapped, new)?)
            .execute(&mut *connection)
            .await?;
    }
    let keys = sqlx::query("SELECT name, sealed FROM installation_keys").fetch_all(&mut *connection).await?;
    for found in &keys {
        let (name, wrapped): (_, Vec<u8>) = (row::text(found, "name")?, found.try_get("sealed")?);
        sqlx::query("UPDATE installation_keys SET sealed = $2 WHERE name = $1")
            .bind(name.clone())
            .bind(old.rewrap_installation_key(&name, &wrapped, new)?)
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query("UPDATE vault_check SET sealed = $1 WHERE id = 1")
        .bind(new.check().to_vec())
        .execute(connection)
        .await?;
    Ok(environments.len())
}

pub(super) fn changing() -> StoreError {
    StoreError::conflict("the master key is being changed; try again")
}

/// As [`crate::Administration::is_under_first_key`].
pub(super) async fn is_under_first(store: &SqlStore) -> Result<bool, StoreError> {
    notice(store).await?;
    let keys = store.vault.keys().await?;
    let first = keys.first().ok_or(StoreError::BadKey)?;
    Ok(vault::opens(first, store.vault.master()?.check()))
}
