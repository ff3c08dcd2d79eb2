//! Nodes: processes that run calls on one database, each for as long as it lives.

use async_trait::async_trait;
use uuid::Uuid;

use crate::StoreError;

/// The lease that a node holds while it lives, under which its calls are its own.
#[must_use]
pub fn node_lease(node: Uuid) -> String {
    format!("node/{node}")
}

/// Calls belong to a node ([`NewCall::node_id`](crate::NewCall)). When its lease is over, or a call has no node,
/// the call is *abandoned*: it gets no intent any more, and whoever comes across it may settle or release it.
#[async_trait]
pub trait Nodes: Send + Sync {
    /// Ends the lease of a node whose process is known to be dead; `false` when there was none.
    async fn forget_node(&self, node: Uuid) -> Result<bool, StoreError>;
    /// Abandons an unfinished call that its own node does not run any more; `false` when there is no such call.
    async fn abandon_call(&self, call_id: Uuid) -> Result<bool, StoreError>;
    /// Takes what `key` stands for, so that no other call has it while this one runs; `false` while another one has.
    /// It is given back when the call is finished or abandoned.
    async fn lock_for_call(&self, call_id: Uuid, key: &str) -> Result<bool, StoreError>;
    /// Drops what no longer counts: idempotency keys after their 24 hours, leases a day after their end, consents that
    /// took too long.
    async fn tidy(&self) -> Result<(), StoreError>;
}
