//! Link tokens and their sessions: secrets are hashed at once and never stored.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sqlx::Row;
use uuid::Uuid;

use super::audit::Audited;
use super::{DbConnection, DbRow, SqlStore, accounts, events, managed_accounts, oauth, row, tokens};
use crate::link_tokens::{LinkAnnounce, MOST_LINK_ATTEMPTS};
use crate::time::{in_days, in_hours, now};
use crate::vault::{self, DataKey, Place};
use crate::{
    Account, Actor, AuditEntry, GrantChange, LinkSession, LinkTokens, Linked, LinkedAccount, NewAccount,
    NewLinkToken, StoreError,
};

/// Makes a leaked link recognisable to secret scanners.
const PREFIX: &str = "koine_link_";
/// Days for which a link can be used.
const LINK_DAYS: i64 = 7;
/// Hours for which a browser may keep the page open.
const SESSION_HOURS: i64 = 2;
/// The status of an account whose credentials were saved and not tried yet.
const CONNECTING: &str = "connecting";

#[async_trait]
impl LinkTokens for SqlStore {
    async fn create_link_token(&self, new: NewLinkToken, by: &Actor) -> Result<(Uuid, String), StoreError> {
        let key = self.data_key(new.environment_id).await?;
        let (id, secret) = (Uuid::now_v7(), format!("{PREFIX}{}", random_text()));
        let old = sqlx::query("DELETE FROM link_tokens WHERE expires_at <= $1");
        old.bind(in_days(-LINK_DAYS)).execute(&self.write).await?;
        let entry =
            AuditEntry::new(by, Some(new.environment_id), "link_token.create", &id).making(state(&new));
        let mut audited = Audited::begin(self).await?;
        sqlx::query(
            "INSERT INTO link_tokens (id, environment_id, secret_sha256, tenant_id, account_id, options,
                                      context_sealed, created_by, created_at, expires_at, attempts)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)",
        )
        .bind(id.to_string())
        .bind(new.environment_id.to_string())
        .bind(tokens::hash(&secret))
        .bind(new.tenant_id)
        .bind(new.account_id.map(|id| id.to_string()))
        .bind(new.options.to_string())
        .bind(key.seal_json(place(new.environment_id, id), &new.context))
        .bind(&by.name)
        .bind(now())
        .bind(in_days(LINK_DAYS))
        .execute(audited.connection())
        .await?;
        audited.commit(entry).await?;
        Ok((id, secret))
    }

    async fn open_link(&self, secret: &str, options: Value) -> Result<Option<(Uuid, String)>, StoreError> {
        let (id, session_secret) = (Uuid::now_v7(), random_text());
        let old = sqlx::query("DELETE FROM link_sessions WHERE expires_at <= $1");
        old.bind(now()).execute(&self.write).await?;
        let made = sqlx::query(
            "INSERT INTO link_sessions (id, link_token_id, secret_sha256, options, created_at, expires_at)
             SELECT $1, id, $2, $3, $4, $5 FROM link_tokens
             WHERE secret_sha256 = $6 AND expires_at > $4 AND used_at IS NULL",
        )
        .bind(id.to_string())
        .bind(tokens::hash(&session_secret))
        .bind(options.to_string())
        .bind(now())
        .bind(in_hours(SESSION_HOURS))
        .bind(tokens::hash(secret))
        .execute(&self.write)
        .await?;
        Ok((made.rows_affected() > 0).then_some((id, session_secret)))
    }

    async fn link_session(&self, id: Uuid, secret: &str) -> Result<Option<LinkSession>, StoreError> {
        let found = sqlx::query(
            "SELECT s.id, s.options, t.id AS link_id, t.environment_id, t.tenant_id, t.account_id,
                    t.options AS link_options, t.context_sealed, t.used_by, t.saved_account_id
             FROM link_sessions s JOIN link_tokens t ON t.id = s.link_token_id
             WHERE s.id = $1 AND s.secret_sha256 = $2 AND s.expires_at > $3",
        )
        .bind(id.to_string())
        .bind(tokens::hash(secret))
        .bind(now())
        .fetch_optional(&self.read)
        .await?;
        let Some(row) = found else { return Ok(None) };
        let key = self.data_key(row::id(&row, "environment_id")?).await?;
        read(&row, &key).map(Some)
    }

    async fn save_linked_account(
        &self,
        session: &LinkSession,
        account: LinkedAccount,
        by: &Actor,
        announce: LinkAnnounce<'_>,
    ) -> Result<Linked, StoreError> {
        let key = self.data_key(session.environment_id).await?;
        let _changed = self.changes.change();
        let mut audited = Audited::begin(self).await?;
        let connection = audited.connection();
        let new_id = session.account_id.unwrap_or_else(Uuid::now_v7);
        let Some((id, attempts)) = use_up(connection, session.id, new_id).await? else {
            audited.rollback().await?;
            return Ok(Linked::Spent);
        };
        let grant = account.grant.clone();
        let (linked, entry, told) = if attempts == 1 && session.account_id.is_none() {
            let made = begun(session, id, account);
            accounts::insert(connection, &made, &key).await?;
            let entry = managed_accounts::created(by, &made);
            let told = (announce.created)(&made);
            (Linked::Created(made), entry, told)
        } else {
            let before = accounts::select(connection, session.environment_id, id, &key).await?;
            let after = renew(connection, &key, session, id, account, attempts > 1).await?;
            let (Some(before), Some(after)) = (before, after) else {
                audited.rollback().await?; // what was used up is not, as nothing was saved
                return Ok(Linked::Settled);
            };
            let entry = managed_accounts::updated(by, &before, &after);
            let told = (announce.updated)(&after);
            (Linked::Updated(after), entry, told)
        };
        change_grant(connection, &key, session.environment_id, id, grant).await?;
        events::record_all(connection, &key, &told).await?;
        audited.commit(entry).await?;
        Ok(linked)
    }
}

/// Takes the link for this session, or counts one more try of it: the account's id and how many tries there were.
async fn use_up(
    connection: &mut DbConnection,
    session: Uuid,
    account: Uuid,
) -> Result<Option<(Uuid, i64)>, StoreError> {
    let taken = sqlx::query(
        "UPDATE link_tokens SET used_at = COALESCE(used_at, $2), used_by = $1, attempts = attempts + 1,
                                saved_account_id = COALESCE(saved_account_id, $3)
         WHERE id = (SELECT link_token_id FROM link_sessions WHERE id = $1 AND expires_at > $2)
           AND expires_at > $2 AND (used_by IS NULL OR used_by = $1) AND attempts < $4
         RETURNING saved_account_id, attempts",
    )
    .bind(session.to_string())
    .bind(now())
    .bind(account.to_string())
    .bind(i64::from(MOST_LINK_ATTEMPTS))
    .fetch_optional(connection)
    .await?;
    let Some(row) = taken else { return Ok(None) };
    Ok(Some((row::id(&row, "saved_account_id")?, row.try_get("attempts")?)))
}

/// A new account, not stored yet.
fn begun(session: &LinkSession, id: Uuid, new: LinkedAccount) -> Account {
    let account = accounts::begun(NewAccount {
        environment_id: session.environment_id,
        tenant_id: session.tenant_id.clone().unwrap_or_default(),
        connector: new.connector,
        authentication_method: new.authentication_method,
        context: new.context,
    });
    Account { id, status: CONNECTING.to_owned(), ..account }
}

/// `None` when the account is not there, of another connector, or, for a further try, active by now.
async fn renew(
    connection: &mut DbConnection,
    key: &DataKey,
    session: &LinkSession,
    id: Uuid,
    new: LinkedAccount,
    is_further_try: bool,
) -> Result<Option<Account>, StoreError> {
    let sealed = key.seal_json(accounts::place(session.environment_id, id), &new.context);
    // A customer who chose another vendor after a failure changes the account that was made, not that of a reconnect.
    let changed = sqlx::query(
        "UPDATE accounts SET connector = $3, status = $4, authentication_method = $5, context_sealed = $6,
                             last_error = NULL, updated_at = $7
         WHERE environment_id = $1 AND id = $2 AND (connector = $3 OR $8) AND (status <> 'active' OR $9)
         RETURNING *",
    )
    .bind(session.environment_id.to_string())
    .bind(id.to_string())
    .bind(new.connector)
    .bind(CONNECTING)
    .bind(new.authentication_method)
    .bind(sealed)
    .bind(now())
    .bind(session.account_id.is_none())
    .bind(!is_further_try)
    .fetch_optional(connection)
    .await?;
    changed.map(|row| accounts::read(&row, key)).transpose()
}

async fn change_grant(
    connection: &mut DbConnection,
    key: &DataKey,
    environment: Uuid,
    account: Uuid,
    change: GrantChange,
) -> Result<(), StoreError> {
    if matches!(change, GrantChange::Keep) {
        return Ok(());
    }
    sqlx::query("DELETE FROM grants WHERE account_id = $1")
        .bind(account.to_string())
        .execute(&mut *connection)
        .await?;
    if let GrantChange::Set(content) = change {
        sqlx::query("INSERT INTO grants (account_id, version, sealed, updated_at) VALUES ($1, $2, $3, $4)")
            .bind(account.to_string())
            .bind(Uuid::now_v7().to_string())
            .bind(key.seal_json(oauth::grant_place(environment, account), &content))
            .bind(now())
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// What a link is for, for the audit log.
fn state(new: &NewLinkToken) -> Value {
    let fields: Vec<&String> = new.context.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    json!({"tenant_id": new.tenant_id, "account_id": new.account_id, "options": new.options,
           "context_fields": fields})
}

/// 256 bits in base64url.
fn random_text() -> String {
    URL_SAFE_NO_PAD.encode(vault::random().as_slice())
}

fn place(environment: Uuid, row: Uuid) -> Place<'static> {
    Place { environment, row, column: "link_tokens.context_sealed" }
}

fn read(row: &DbRow, key: &DataKey) -> Result<LinkSession, StoreError> {
    let (id, link_id) = (row::id(row, "id")?, row::id(row, "link_id")?);
    let environment_id = row::id(row, "environment_id")?;
    let used_by = row::optional_id(row, "used_by")?;
    let is_ours = used_by == Some(id);
    let sealed: Vec<u8> = row.try_get("context_sealed")?;
    Ok(LinkSession {
        id,
        link_id,
        environment_id,
        tenant_id: row::optional_text(row, "tenant_id")?,
        account_id: row::optional_id(row, "account_id")?,
        link_options: parsed(row, "link_options")?,
        context: key.open_json(place(environment_id, link_id), &sealed)?,
        options: parsed(row, "options")?,
        is_used_elsewhere: used_by.is_some() && !is_ours,
        saved_account_id: row::optional_id(row, "saved_account_id")?.filter(|_| is_ours),
    })
}

fn parsed(row: &DbRow, column: &str) -> Result<Value, StoreError> {
    serde_json::from_str(&row::text(row, column)?).map_err(|_| StoreError::corrupt(column))
}
