//! Leases: what only one may do at a time, on whichever node, ends by itself when that one dies.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::StoreError;

/// A name that somebody holds for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is held, e.g. `refresh/<account id>`.
    pub name: String,
    /// Who holds it, for people.
    pub owner: String,
    /// When it ends unless it is renewed.
    pub expires_at: String,
    /// Tells this acquisition from every other one, also from the same owner's.
    pub(crate) token: Uuid,
}

/// Names that one holds at a time.
///
/// A lease is a promise about time: it ends while its holder still works when that one is slow, or when the clock of
/// another node is ahead by more than what is left of it. So take it for much longer than the work and the clocks'
/// differences, renew it in time, and let whatever must not happen twice be checked where it is written as well.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Takes the lease for `ttl`; `None` while anybody holds it, be it the same owner. Of several who ask at once, one
    /// gets it. Should the answer be lost, nobody knows that it is held, and it ends by itself.
    async fn acquire_lease(
        &self,
        name: &str,
        owner: &str,
        ttl: Duration,
    ) -> Result<Option<Lease>, StoreError>;
    /// Holds the lease for `ttl` from now; `None` when its time was over, for somebody may have relied on that, even
    /// if nobody took it.
    async fn renew_lease(&self, lease: &Lease, ttl: Duration) -> Result<Option<Lease>, StoreError>;
    /// Gives the lease back; `false` when it was no longer this one's to give.
    async fn release_lease(&self, lease: &Lease) -> Result<bool, StoreError>;
}
