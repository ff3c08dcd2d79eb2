//! The audit log: appended, never changed. Each entry's MAC covers the entry and the MAC before it.

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use sqlx::{QueryBuilder, Row, Transaction};
use uuid::Uuid;

use super::{Db, DbConnection, DbRow, SqlStore, begin, keys, row};
use crate::time::{normalise, now};
use crate::{Actor, AuditCheck, AuditEntry, AuditFilter, AuditRecord, StoreError};

/// The installation's key that the MACs are made with.
const KEY: &str = "audit";
/// Entries that are verified at a time.
const PAGE: i64 = 500;

/// A transaction for a change and its entry. It holds the end of the log, so that two do not append at once.
pub(super) struct Audited {
    transaction: Transaction<'static, Db>,
    key: hmac::Key,
    seq: i64,
    previous: Vec<u8>,
}

impl Audited {
    pub(super) async fn begin(store: &SqlStore) -> Result<Self, StoreError> {
        let key = mac_key(store).await?;
        let mut transaction = begin(&store.write).await?;
        // The first statement writes: that takes the lock before anything is looked at.
        let head = sqlx::query("UPDATE audit_head SET seq = seq + 1 WHERE id = 1 RETURNING seq, mac")
            .fetch_one(&mut *transaction)
            .await?;
        let (seq, previous) = (head.try_get("seq")?, head.try_get("mac")?);
        Ok(Self { transaction, key, seq, previous })
    }

    pub(super) fn connection(&mut self) -> &mut DbConnection {
        &mut self.transaction
    }

    /// Gives the change up.
    pub(super) async fn rollback(self) -> Result<(), StoreError> {
        Ok(self.transaction.rollback().await?)
    }

    /// Appends the entry and commits both. Dropped without it, nothing has happened.
    pub(super) async fn commit(mut self, entry: AuditEntry) -> Result<(), StoreError> {
        let line = Line::new(self.seq, entry);
        let mac = hmac::sign(&self.key, &line.covered(&self.previous)).as_ref().to_vec();
        line.insert(&mut self.transaction, &mac).await?;
        sqlx::query("UPDATE audit_head SET mac = $1 WHERE id = 1")
            .bind(mac)
            .execute(&mut *self.transaction)
            .await?;
        self.transaction.commit().await?;
        Ok(())
    }
}

async fn mac_key(store: &SqlStore) -> Result<hmac::Key, StoreError> {
    let key = keys::installation_key(store, KEY).await?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()))
}

/// A row of the log, as its MAC sees it.
struct Line {
    seq: i64,
    id: String,
    environment_id: Option<String>,
    actor: Actor,
    action: String,
    subject: String,
    before: Option<String>,
    after: Option<String>,
    created_at: String,
}

impl Line {
    fn new(seq: i64, entry: AuditEntry) -> Self {
        Self {
            seq,
            id: Uuid::now_v7().to_string(),
            environment_id: entry.environment_id.map(|id| id.to_string()),
            actor: entry.actor,
            action: entry.action,
            subject: entry.subject,
            before: entry.before.map(|value| value.to_string()),
            after: entry.after.map(|value| value.to_string()),
            created_at: now(),
        }
    }

    fn read(row: &DbRow) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.try_get("seq")?,
            id: row::text(row, "id")?,
            environment_id: row::optional_text(row, "environment_id")?,
            actor: Actor { name: row::text(row, "actor")?, source: row::text(row, "source")? },
            action: row::text(row, "action")?,
            subject: row::text(row, "subject")?,
            before: row::optional_text(row, "state_before")?,
            after: row::optional_text(row, "state_after")?,
            created_at: row::text(row, "created_at")?,
        })
    }

    /// JSON keeps the parts apart, whatever is in them.
    fn covered(&self, previous: &[u8]) -> Vec<u8> {
        let Self { seq, id, environment_id, actor, action, subject, before, after, created_at } = self;
        let Actor { name, source } = actor;
        let line = json!([seq, id, environment_id, name, source, action, subject, before, after, created_at]);
        [previous, line.to_string().as_bytes()].concat()
    }

    async fn insert(&self, connection: &mut DbConnection, mac: &[u8]) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO audit_log (seq, id, environment_id, actor, source, action, subject, state_before,
                                    state_after, created_at, mac)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(self.seq)
        .bind(&self.id)
        .bind(&self.environment_id)
        .bind(&self.actor.name)
        .bind(&self.actor.source)
        .bind(&self.action)
        .bind(&self.subject)
        .bind(&self.before)
        .bind(&self.after)
        .bind(&self.created_at)
        .bind(mac.to_vec())
        .execute(connection)
        .await?;
        Ok(())
    }

    fn record(self) -> Result<AuditRecord, StoreError> {
        let parsed = |text: Option<String>| -> Result<Option<Value>, StoreError> {
            let parsed = text.map(|text| serde_json::from_str(&text)).transpose();
            parsed.map_err(|_| StoreError::corrupt(format!("audit_log {}", self.seq)))
        };
        let (before, after) = (parsed(self.before)?, parsed(self.after)?);
        let id = |text: &str| {
            Uuid::try_parse(text).map_err(|_| StoreError::corrupt(format!("audit_log {}", self.seq)))
        };
        Ok(AuditRecord {
            seq: self.seq,
            id: id(&self.id)?,
            created_at: self.created_at,
            entry: AuditEntry {
                environment_id: self.environment_id.as_deref().map(id).transpose()?,
                actor: self.actor,
                action: self.action,
                subject: self.subject,
                before,
                after,
            },
        })
    }
}

pub(super) async fn record(store: &SqlStore, entry: AuditEntry) -> Result<(), StoreError> {
    Audited::begin(store).await?.commit(entry).await
}

pub(super) async fn list(
    store: &SqlStore,
    filter: AuditFilter,
    limit: u32,
    before: Option<i64>,
) -> Result<Vec<AuditRecord>, StoreError> {
    let time = |field: &str, text: Option<String>| text.map(|text| normalise(field, &text)).transpose();
    let mut query = QueryBuilder::<Db>::new("SELECT * FROM audit_log WHERE seq < ");
    query.push_bind(before.unwrap_or(i64::MAX));
    let wanted = [
        (" AND environment_id = ", filter.environment_id.map(|id| id.to_string())),
        (" AND actor = ", filter.actor),
        (" AND subject = ", filter.subject),
        (" AND created_at >= ", time("since", filter.since)?),
        (" AND created_at < ", time("until", filter.until)?),
    ];
    for (condition, value) in wanted {
        if let Some(value) = value {
            query.push(condition).push_bind(value);
        }
    }
    if let Some(action) = filter.action {
        // A noun has no dot, so it is a prefix of nothing but its own verbs.
        let noun = format!("{action}.");
        query.push(" AND (action = ").push_bind(action);
        query
            .push(" OR substr(action, 1, ")
            .push_bind(i32::try_from(noun.chars().count()).unwrap_or(i32::MAX));
        query.push(") = ").push_bind(noun).push(")");
    }
    query.push(" ORDER BY seq DESC LIMIT ").push_bind(i64::from(limit));
    let rows = query.build().fetch_all(&store.read).await?;
    rows.iter().map(|row| Line::read(row)?.record()).collect()
}

/// As [`crate::Administration::verify_audit`].
pub(super) async fn verify(store: &SqlStore, expected: Option<String>) -> Result<AuditCheck, StoreError> {
    let mut walk = Walk {
        key: mac_key(store).await?,
        seq: 0,
        previous: Vec::new(),
        expected: expected.map(of_head).transpose()?,
    };
    // Read first: what is appended meanwhile is looked at too.
    let head =
        sqlx::query("SELECT seq, mac FROM audit_head WHERE id = 1").fetch_optional(&store.read).await?;
    let last: i64 = head.map(|row| row.try_get("seq")).transpose()?.unwrap_or(i64::MAX);
    let mut broken = None;
    while broken.is_none() {
        let rows = sqlx::query("SELECT * FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(walk.seq)
            .bind(PAGE)
            .fetch_all(&store.read)
            .await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            broken = walk.step(row)?;
            if broken.is_some() {
                break;
            }
        }
    }
    let Walk { seq, previous, expected, .. } = walk;
    if broken.is_none() && (seq < last || expected.is_some_and(|(expected, _)| seq < expected)) {
        broken = Some(format!("it ends with entry {seq}, and there were more"));
    }
    Ok(AuditCheck { entries: seq, head: head_of(seq, &previous), broken })
}

/// A walk along the chain.
struct Walk {
    key: hmac::Key,
    seq: i64,
    previous: Vec<u8>,
    expected: Option<(i64, String)>,
}

impl Walk {
    /// What is wrong with the next entry.
    fn step(&mut self, row: &DbRow) -> Result<Option<String>, StoreError> {
        let (line, mac): (_, Vec<u8>) = (Line::read(row)?, row.try_get("mac")?);
        if line.seq != self.seq + 1 {
            return Ok(Some(format!("entry {} is missing", self.seq + 1)));
        }
        if hmac::verify(&self.key, &line.covered(&self.previous), &mac).is_err() {
            return Ok(Some(format!("entry {} is not as it was written", line.seq)));
        }
        (self.seq, self.previous) = (line.seq, mac);
        let head = head_of(self.seq, &self.previous);
        let differs = self.expected.as_ref().is_some_and(|(seq, wanted)| *seq == self.seq && *wanted != head);
        Ok(differs.then(|| format!("entry {} is another one than was expected", self.seq)))
    }
}

/// An end of the chain, for people to note.
fn head_of(seq: i64, mac: &[u8]) -> String {
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{seq}:{hex}")
}

fn of_head(text: String) -> Result<(i64, String), StoreError> {
    let seq = text.split_once(':').and_then(|(seq, _)| seq.parse().ok());
    let seq = seq
        .ok_or_else(|| StoreError::Invalid { what: "a head is NUMBER:HEX, as printed before".to_owned() })?;
    Ok((seq, text))
}
