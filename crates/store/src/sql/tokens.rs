//! API tokens: the secret is hashed at once and never stored.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::Row;
use uuid::Uuid;

use super::{DbRow, SqlStore, row};
use crate::time::{normalise, now};
use crate::{ApiToken, NewToken, StoreError, vault};

/// Makes a leaked token recognisable to secret scanners.
const PREFIX: &str = "koine_";

pub(super) async fn create(store: &SqlStore, new: NewToken) -> Result<(ApiToken, String), StoreError> {
    let expires_at = new.expires_at.map(|text| normalise("expires_at", &text)).transpose()?;
    if super::environments::get(store, new.environment_id).await?.is_none() {
        return Err(StoreError::not_found(format!("environment {}", new.environment_id)));
    }
    let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(vault::random().as_slice()));
    let at = now();
    let token = ApiToken {
        id: Uuid::now_v7(),
        environment_id: new.environment_id,
        name: new.name,
        account_ids: new.account_ids,
        read_only: new.read_only,
        administrator: new.administrator,
        expires_at,
        created_at: at.clone(),
        updated_at: at,
        revoked_at: None,
    };
    sqlx::query(
        "INSERT INTO api_tokens (id, environment_id, name, secret_sha256, account_ids, read_only, expires_at,
                                 created_at, updated_at, administrator)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)",
    )
    .bind(token.id.to_string())
    .bind(token.environment_id.to_string())
    .bind(&token.name)
    .bind(hash(&secret))
    .bind(token.account_ids.as_ref().map(|ids| serde_json::json!(ids).to_string()))
    .bind(token.read_only)
    .bind(&token.expires_at)
    .bind(&token.created_at)
    .bind(token.administrator)
    .execute(&store.write)
    .await?;
    Ok((token, secret))
}

pub(super) async fn find(store: &SqlStore, secret: &str) -> Result<Option<ApiToken>, StoreError> {
    let query = sqlx::query(
        "SELECT * FROM api_tokens
         WHERE secret_sha256 = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind(hash(secret))
    .bind(now());
    query.fetch_optional(&store.read).await?.as_ref().map(read).transpose()
}

pub(super) async fn list(store: &SqlStore, environment: Option<Uuid>) -> Result<Vec<ApiToken>, StoreError> {
    let query = match environment {
        Some(id) => {
            sqlx::query("SELECT * FROM api_tokens WHERE environment_id = $1 ORDER BY id").bind(id.to_string())
        }
        None => sqlx::query("SELECT * FROM api_tokens ORDER BY id"),
    };
    query.fetch_all(&store.read).await?.iter().map(read).collect()
}

pub(super) async fn revoke(store: &SqlStore, id: Uuid) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE api_tokens SET revoked_at = $2, updated_at = $2 WHERE id = $1 AND revoked_at IS NULL",
    )
    .bind(id.to_string())
    .bind(now())
    .execute(&store.write)
    .await?;
    Ok(done.rows_affected() > 0)
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
        expires_at: row::optional_text(row, "expires_at")?,
        created_at: row::text(row, "created_at")?,
        updated_at: row::text(row, "updated_at")?,
        revoked_at: row::optional_text(row, "revoked_at")?,
    })
}
