//! Leases: every change is one statement that compares and sets.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use super::SqlStore;
use crate::StoreError;
use crate::leases::{Lease, Leases};
use crate::time::{now, now_and};

#[async_trait]
impl Leases for SqlStore {
    async fn acquire_lease(
        &self,
        name: &str,
        owner: &str,
        ttl: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let lease = Lease {
            name: name.to_owned(),
            owner: owner.to_owned(),
            expires_at: now_and(ttl),
            token: Uuid::now_v7(),
        };
        let taken = sqlx::query(
            "INSERT INTO leases (name, owner, token, expires_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO UPDATE
             SET owner = excluded.owner, token = excluded.token, expires_at = excluded.expires_at
             WHERE leases.expires_at <= $5",
        )
        .bind(&lease.name)
        .bind(&lease.owner)
        .bind(lease.token.to_string())
        .bind(&lease.expires_at)
        .bind(now())
        .execute(&self.write)
        .await?;
        Ok((taken.rows_affected() > 0).then_some(lease))
    }

    async fn renew_lease(&self, lease: &Lease, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        let renewed = Lease { expires_at: now_and(ttl), ..lease.clone() };
        let done = sqlx::query(
            "UPDATE leases SET expires_at = $3 WHERE name = $1 AND token = $2 AND expires_at > $4",
        )
        .bind(&lease.name)
        .bind(lease.token.to_string())
        .bind(&renewed.expires_at)
        .bind(now())
        .execute(&self.write)
        .await?;
        Ok((done.rows_affected() > 0).then_some(renewed))
    }

    async fn release_lease(&self, lease: &Lease) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM leases WHERE name = $1 AND token = $2 AND expires_at > $3")
            .bind(&lease.name)
            .bind(lease.token.to_string())
            .bind(now())
            .execute(&self.write)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
