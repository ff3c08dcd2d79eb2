//! OAuth apps, consents under way, and grants: everything but names is sealed.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::Row;
use uuid::Uuid;

use super::tokens::hash;
use super::{DbRow, SqlStore, row};
use crate::oauth::Oauth;
use crate::time::{now, now_and};
use crate::vault::{DataKey, Place};
use crate::{Authorization, NewAuthorization, NewOauthApp, OauthApp, StoreError, StoredGrant};

/// What of an app is sealed.
#[derive(Serialize, Deserialize)]
struct Secrets {
    client_secret: Option<String>,
    fields: Map<String, Value>,
}

#[async_trait]
impl Oauth for SqlStore {
    async fn set_oauth_app(&self, app: NewOauthApp) -> Result<OauthApp, StoreError> {
        let key = self.data_key(app.environment_id).await?;
        let known = self.find_oauth_app(app.environment_id, &app.connector).await?;
        let (id, at) = (known.map_or_else(Uuid::now_v7, |known| known.id), now());
        let secrets = Secrets { client_secret: app.client_secret, fields: app.fields };
        // Should two set it at once, the id of one is refused, and nothing is sealed for a row that it is not in.
        let row = sqlx::query(
            "INSERT INTO oauth_apps (id, environment_id, connector, client_id, secrets_sealed, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $6)
             ON CONFLICT (environment_id, connector) DO UPDATE
             SET client_id = excluded.client_id, secrets_sealed = excluded.secrets_sealed,
                 updated_at = excluded.updated_at
             WHERE oauth_apps.id = excluded.id
             RETURNING *",
        )
        .bind(id.to_string())
        .bind(app.environment_id.to_string())
        .bind(app.connector)
        .bind(app.client_id)
        .bind(key.seal_json(app_place(app.environment_id, id), &secrets))
        .bind(at)
        .fetch_optional(&self.write)
        .await?;
        let row =
            row.ok_or_else(|| StoreError::conflict("the app was set by somebody else at this moment"))?;
        read_app(&row, &key)
    }

    async fn find_oauth_app(
        &self,
        environment_id: Uuid,
        connector: &str,
    ) -> Result<Option<OauthApp>, StoreError> {
        let found = sqlx::query("SELECT * FROM oauth_apps WHERE environment_id = $1 AND connector = $2")
            .bind(environment_id.to_string())
            .bind(connector)
            .fetch_optional(&self.read)
            .await?;
        let Some(row) = found else { return Ok(None) };
        let key = self.data_key(environment_id).await?;
        read_app(&row, &key).map(Some)
    }

    async fn list_oauth_apps(&self, environment_id: Uuid) -> Result<Vec<OauthApp>, StoreError> {
        let query = sqlx::query("SELECT * FROM oauth_apps WHERE environment_id = $1 ORDER BY connector");
        let rows = query.bind(environment_id.to_string()).fetch_all(&self.read).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let key = self.data_key(environment_id).await?;
        rows.iter().map(|row| read_app(row, &key)).collect()
    }

    async fn remove_oauth_app(&self, environment_id: Uuid, connector: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM oauth_apps WHERE environment_id = $1 AND connector = $2")
            .bind(environment_id.to_string())
            .bind(connector)
            .execute(&self.write)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn begin_authorization(&self, new: NewAuthorization) -> Result<(), StoreError> {
        let key = self.data_key(new.environment_id).await?;
        let id = Uuid::now_v7();
        forget_late_consents(self).await?;
        sqlx::query(
            "INSERT INTO authorizations (id, environment_id, connector, state_sha256, browser_sha256,
                                         content_sealed, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id.to_string())
        .bind(new.environment_id.to_string())
        .bind(new.connector)
        .bind(hash(&new.state))
        .bind(hash(&new.browser))
        .bind(key.seal_json(authorization_place(new.environment_id, id), &new.content))
        .bind(now_and(new.lifetime))
        .execute(&self.write)
        .await?;
        Ok(())
    }

    async fn take_authorization(
        &self,
        connector: &str,
        state: &str,
        browser: &str,
    ) -> Result<Option<Authorization>, StoreError> {
        let taken = sqlx::query(
            "DELETE FROM authorizations
             WHERE state_sha256 = $1 AND browser_sha256 = $2 AND connector = $3 AND expires_at > $4
             RETURNING id, environment_id, content_sealed",
        )
        .bind(hash(state))
        .bind(hash(browser))
        .bind(connector)
        .bind(now())
        .fetch_optional(&self.write)
        .await?;
        let Some(row) = taken else { return Ok(None) };
        let (id, environment_id) = (row::id(&row, "id")?, row::id(&row, "environment_id")?);
        let key = self.data_key(environment_id).await?;
        let sealed: Vec<u8> = row.try_get("content_sealed")?;
        let content = key.open_json(authorization_place(environment_id, id), &sealed)?;
        Ok(Some(Authorization { environment_id, content }))
    }

    async fn find_grant(
        &self,
        environment_id: Uuid,
        account_id: Uuid,
    ) -> Result<Option<StoredGrant>, StoreError> {
        let found = sqlx::query(
            "SELECT grants.version, grants.sealed FROM grants
             JOIN accounts ON accounts.id = grants.account_id
             WHERE accounts.environment_id = $1 AND accounts.id = $2",
        )
        .bind(environment_id.to_string())
        .bind(account_id.to_string())
        .fetch_optional(&self.read)
        .await?;
        let Some(row) = found else { return Ok(None) };
        let key = self.data_key(environment_id).await?;
        let sealed: Vec<u8> = row.try_get("sealed")?;
        let content = key.open_json(grant_place(environment_id, account_id), &sealed)?;
        Ok(Some(StoredGrant { version: row::id(&row, "version")?, content }))
    }

    async fn set_grant(
        &self,
        environment_id: Uuid,
        account_id: Uuid,
        content: &Value,
    ) -> Result<bool, StoreError> {
        write_grant(self, environment_id, account_id, "TRUE", None, content).await
    }

    async fn replace_grant(
        &self,
        environment_id: Uuid,
        account_id: Uuid,
        version: Option<Uuid>,
        content: &Value,
    ) -> Result<bool, StoreError> {
        write_grant(self, environment_id, account_id, "grants.version = $6", version, content).await
    }
}

/// Drops what belongs to consents that nobody came back from in time.
pub(super) async fn forget_late_consents(store: &SqlStore) -> Result<(), StoreError> {
    let sql = "DELETE FROM authorizations WHERE expires_at <= $1";
    sqlx::query(sql).bind(now()).execute(&store.write).await?;
    Ok(())
}

/// Writes a grant where there is none, or where the present one meets the condition.
async fn write_grant(
    store: &SqlStore,
    environment: Uuid,
    account: Uuid,
    condition: &str,
    version: Option<Uuid>,
    content: &Value,
) -> Result<bool, StoreError> {
    let key = match store.data_key(environment).await {
        Err(StoreError::NotFound { .. }) => return Ok(false),
        other => other?,
    };
    // The statement differs by a condition of ours alone.
    let statement = sqlx::AssertSqlSafe(format!(
        "INSERT INTO grants (account_id, version, sealed, updated_at)
         SELECT id, $3, $4, $5 FROM accounts WHERE environment_id = $1 AND id = $2
         ON CONFLICT (account_id) DO UPDATE
         SET version = excluded.version, sealed = excluded.sealed, updated_at = excluded.updated_at
         WHERE {condition}"
    ));
    let query = sqlx::query(statement)
        .bind(environment.to_string())
        .bind(account.to_string())
        .bind(Uuid::now_v7().to_string())
        .bind(key.seal_json(grant_place(environment, account), content))
        .bind(now());
    let query = if condition == "TRUE" { query } else { query.bind(version.map(|id| id.to_string())) };
    Ok(query.execute(&store.write).await?.rows_affected() > 0)
}

fn app_place(environment: Uuid, row: Uuid) -> Place<'static> {
    Place { environment, row, column: "oauth_apps.secrets_sealed" }
}

fn authorization_place(environment: Uuid, row: Uuid) -> Place<'static> {
    Place { environment, row, column: "authorizations.content_sealed" }
}

pub(super) fn grant_place(environment: Uuid, row: Uuid) -> Place<'static> {
    Place { environment, row, column: "grants.sealed" }
}

fn read_app(row: &DbRow, key: &DataKey) -> Result<OauthApp, StoreError> {
    let (id, environment_id) = (row::id(row, "id")?, row::id(row, "environment_id")?);
    let sealed: Vec<u8> = row.try_get("secrets_sealed")?;
    let secrets: Secrets = key.open_json(app_place(environment_id, id), &sealed)?;
    Ok(OauthApp {
        id,
        environment_id,
        connector: row::text(row, "connector")?,
        client_id: row::text(row, "client_id")?,
        client_secret: secrets.client_secret,
        fields: secrets.fields,
        created_at: row::text(row, "created_at")?,
        updated_at: row::text(row, "updated_at")?,
    })
}
