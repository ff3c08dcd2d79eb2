//! API tokens: the secret is hashed at once and never stored.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sqlx::Row;
use uuid::Uuid;

use super::audit::Audited;
use super::{DbConnection, DbRow, SqlStore, begin, events, row};
use crate::time::{minute_ago, normalise, now};
use crate::{Actor, ApiToken, AuditEntry, NewAccountToken, NewEvent, NewToken, StoreError, vault};

/// Makes a leaked token recognisable to secret scanners.
const PREFIX: &str = "koine_";
/// Tokens with their last use.
const SELECT: &str = "SELECT api_tokens.*, api_token_uses.last_used_at FROM api_tokens
                      LEFT JOIN api_token_uses ON api_token_uses.token_id = api_tokens.id";

pub(super) async fn create(
    store: &SqlStore,
    new: NewToken,
    by: &Actor,
) -> Result<(ApiToken, String), StoreError> {
    let expires_at = new.expires_at.map(|text| normalise("expires_at", &text)).transpose()?;
    let key = store.data_key(new.environment_id).await?;
    let at = now();
    let token = ApiToken {
        id: Uuid::now_v7(),
        environment_id: new.environment_id,
        name: new.name,
        account_ids: new.account_ids,
        read_only: new.read_only,
        administrator: new.administrator,
        created_by: by.name.clone(),
        own_account_id: None,
        expires_at,
        last_used_at: None,
        created_at: at.clone(),
        updated_at: at,
        revoked_at: None,
    };
    let secret = new_secret();
    let mut audited = Audited::begin(store).await?;
    insert(audited.connection(), &token, &secret, None).await?;
    events::record(audited.connection(), &key, &event("api_token:created", &token)).await?;
    let entry = AuditEntry::new(by, Some(token.environment_id), "token.create", &token.id);
    audited.commit(entry.making(scopes(&token))).await?;
    Ok((token, secret.to_string()))
}

pub(super) async fn issue(store: &SqlStore, new: NewAccountToken) -> Result<(ApiToken, String), StoreError> {
    let expires_at = normalise("expires_at", &new.expires_at)?;
    let account = new.account_id;
    let at = now();
    let token = ApiToken {
        id: Uuid::now_v7(),
        environment_id: new.environment_id,
        name: format!("account {account}"),
        account_ids: Some(vec![account]),
        read_only: new.read_only,
        administrator: false,
        created_by: new.issued_by.map_or_else(|| "operator".to_owned(), |id| format!("token:{id}")),
        own_account_id: Some(account),
        expires_at: Some(expires_at),
        last_used_at: None,
        created_at: at.clone(),
        updated_at: at.clone(),
        revoked_at: None,
    };
    let secret = new_secret();
    let mut transaction = begin(&store.write).await?;
    forget_expired(&mut transaction, at).await?;
    let known: Option<i32> =
        sqlx::query_scalar("SELECT 1 FROM accounts WHERE environment_id = $1 AND id = $2")
            .bind(token.environment_id.to_string())
            .bind(account.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
    if known.is_none() {
        return Err(StoreError::not_found(format!("account {account}")));
    }
    insert(&mut transaction, &token, &secret, new.issued_by).await?;
    transaction.commit().await?;
    Ok((token, secret.to_string()))
}

/// Forgets the accounts' tokens whose time is over. Looked for first: a deletion makes all nodes read their tokens anew.
async fn forget_expired(connection: &mut DbConnection, at: String) -> Result<(), StoreError> {
    const EXPIRED: &str = "FROM api_tokens WHERE own_account_id IS NOT NULL AND expires_at < $1";
    let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) {EXPIRED}")))
        .bind(at.clone())
        .fetch_one(&mut *connection)
        .await?;
    if found > 0 {
        sqlx::query(sqlx::AssertSqlSafe(format!("DELETE {EXPIRED}"))).bind(at).execute(connection).await?;
    }
    Ok(())
}

fn new_secret() -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(vault::random().as_slice())))
}

async fn insert(
    connection: &mut DbConnection,
    token: &ApiToken,
    secret: &str,
    issued_by: Option<Uuid>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO api_tokens (id, environment_id, name, secret_sha256, account_ids, read_only, administrator,
                                 created_by, own_account_id, issued_by, expires_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)",
    )
    .bind(token.id.to_string())
    .bind(token.environment_id.to_string())
    .bind(&token.name)
    .bind(hash(secret))
    .bind(token.account_ids.as_ref().map(|ids| json!(ids).to_string()))
    .bind(token.read_only)
    .bind(token.administrator)
    .bind(&token.created_by)
    .bind(token.own_account_id.map(|id| id.to_string()))
    .bind(issued_by.map(|id| id.to_string()))
    .bind(&token.expires_at)
    .bind(&token.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn find(store: &SqlStore, secret: &str) -> Result<Option<ApiToken>, StoreError> {
    let text = format!(
        "{SELECT} WHERE secret_sha256 = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)"
    );
    // The index compares hashes: how far two of them agree tells nothing about a secret.
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(hash(secret)).bind(now());
    query.fetch_optional(&store.read).await?.as_ref().map(read).transpose()
}

pub(super) async fn list(store: &SqlStore, environment: Option<Uuid>) -> Result<Vec<ApiToken>, StoreError> {
    let environment = environment.map(|id| id.to_string());
    let text = format!(
        "{SELECT} WHERE own_account_id IS NULL AND (CAST($1 AS TEXT) IS NULL OR environment_id = $1) ORDER BY id"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(environment);
    query.fetch_all(&store.read).await?.iter().map(read).collect()
}

pub(super) async fn get(
    store: &SqlStore,
    environment: Option<Uuid>,
    id: Uuid,
) -> Result<Option<ApiToken>, StoreError> {
    let text = format!("{SELECT} WHERE own_account_id IS NULL AND id = $1");
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(id.to_string());
    let found = query.fetch_optional(&store.read).await?.as_ref().map(read).transpose()?;
    Ok(found.filter(|token| environment.is_none_or(|id| token.environment_id == id)))
}

pub(super) async fn rename(
    store: &SqlStore,
    environment: Option<Uuid>,
    id: Uuid,
    name: &str,
    by: &Actor,
) -> Result<Option<ApiToken>, StoreError> {
    let Some(token) = get(store, environment, id).await? else { return Ok(None) };
    let mut audited = Audited::begin(store).await?;
    sqlx::query("UPDATE api_tokens SET name = $2, updated_at = $3 WHERE id = $1")
        .bind(id.to_string())
        .bind(name.to_owned())
        .bind(now())
        .execute(audited.connection())
        .await?;
    let entry = AuditEntry::new(by, Some(token.environment_id), "token.rename", &id);
    audited.commit(entry.changing(&json!({"name": token.name}), &json!({"name": name}))).await?;
    get(store, environment, id).await
}

/// With it go the tokens that were issued with it.
pub(super) async fn revoke(
    store: &SqlStore,
    environment: Option<Uuid>,
    id: Uuid,
    by: &Actor,
) -> Result<bool, StoreError> {
    let Some(token) = get(store, environment, id).await? else { return Ok(false) };
    let key = store.data_key(token.environment_id).await?;
    let mut audited = Audited::begin(store).await?;
    let done = sqlx::query(
        "UPDATE api_tokens SET revoked_at = $2, updated_at = $2
         WHERE (id = $1 OR issued_by = $1) AND revoked_at IS NULL",
    )
    .bind(id.to_string())
    .bind(now())
    .execute(audited.connection())
    .await?;
    if done.rows_affected() == 0 {
        audited.rollback().await?;
        return Ok(false);
    }
    events::record(audited.connection(), &key, &event("api_token:deleted", &token)).await?;
    let entry = AuditEntry::new(by, Some(token.environment_id), "token.revoke", &id);
    audited.commit(entry.ending(scopes(&token))).await?;
    Ok(true)
}

pub(super) async fn note_use(store: &SqlStore, id: Uuid) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO api_token_uses (token_id, last_used_at) VALUES ($1, $2)
         ON CONFLICT (token_id) DO UPDATE SET last_used_at = excluded.last_used_at
         WHERE api_token_uses.last_used_at < $3",
    )
    .bind(id.to_string())
    .bind(now())
    .bind(minute_ago())
    .execute(&store.write)
    .await?;
    Ok(())
}

/// What a token may do, for the audit log.
fn scopes(token: &ApiToken) -> Value {
    json!({"name": token.name, "account_ids": token.account_ids, "read_only": token.read_only,
           "administrator": token.administrator, "expires_at": token.expires_at})
}

/// What receivers hear of a token: never its secret.
fn event(name: &str, token: &ApiToken) -> NewEvent {
    let payload = json!({
        "id": token.id, "name": token.name, "environment_id": token.environment_id, "account_ids": token.account_ids,
        "read_only": token.read_only, "administrator": token.administrator, "created_by": token.created_by,
        "expires_at": token.expires_at, "created_at": token.created_at, "updated_at": token.updated_at,
    });
    NewEvent { environment_id: token.environment_id, event: name.to_owned(), payload }
}

/// What is stored of a secret of 256 random bits.
pub(super) fn hash(secret: &str) -> Vec<u8> {
    digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}

fn read(row: &DbRow) -> Result<ApiToken, StoreError> {
    let account_ids = row::optional_text(row, "account_ids")?
        .map(|json| serde_json::from_str(&json).map_err(|_| StoreError::corrupt("api_tokens.account_ids")))
        .transpose()?;
    Ok(ApiToken {
        id: row::id(row, "id")?,
        environment_id: row::id(row, "environment_id")?,
        name: row::text(row, "name")?,
        account_ids,
        read_only: row.try_get("read_only")?,
        administrator: row.try_get("administrator")?,
        created_by: row::text(row, "created_by")?,
        own_account_id: row::optional_id(row, "own_account_id")?,
        expires_at: row::optional_text(row, "expires_at")?,
        last_used_at: row::optional_text(row, "last_used_at")?,
        created_at: row::text(row, "created_at")?,
        updated_at: row::text(row, "updated_at")?,
        revoked_at: row::optional_text(row, "revoked_at")?,
    })
}
