//! This process among those that share the database: it lives as long as it holds a lease, and its calls with it.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use koine_model::Error;
use koine_store::{Lease, Store, node_lease};
use tokio::sync::Mutex;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::node_files::{Mark, NodeFiles};

/// How much longer than the longest exchange a lease lasts: for clocks that differ, and renewals that come late.
const SPARE: Duration = Duration::from_secs(30);
/// How often the lease is renewed.
const RENEWED_EVERY: Duration = Duration::from_secs(5);

/// This process's part in the cluster. It joins with its first write, so that whoever only reads leaves no trace.
pub(crate) struct Node {
    member: Mutex<Option<Member>>,
    until: Until,
    longest_exchange: Duration,
    pub(crate) files: Option<NodeFiles>,
}

/// When the lease ends, by this process's own clock; `None` while there is none.
type Until = Arc<RwLock<Option<Instant>>>;

struct Member {
    id: Uuid,
    lease: Arc<Mutex<Lease>>,
    /// Tells others on this machine at once when this process dies.
    mark: Option<Mark>,
    renewing: AbortOnDropHandle<()>,
}

impl Node {
    pub(crate) fn new(longest_exchange: Duration, folder: Option<PathBuf>) -> Self {
        let files = folder.map(NodeFiles::new);
        Self { member: Mutex::default(), until: Until::default(), longest_exchange, files }
    }

    /// The id under which calls begin now. After the lease was lost it is another one: nothing of before goes on.
    pub(crate) async fn id(&self, store: &Arc<dyn Store>) -> Result<Uuid, Error> {
        let mut member = self.member.lock().await;
        if let Some(member) = member.as_ref().filter(|_| self.left() > Duration::ZERO) {
            return Ok(member.id);
        }
        *member = None;
        let joined = self.join(store).await?;
        Ok(member.insert(joined).id)
    }

    async fn join(&self, store: &Arc<dyn Store>) -> Result<Member, Error> {
        let (id, ttl, asked) = (Uuid::now_v7(), self.longest_exchange + SPARE, Instant::now());
        // Before the lease, so that no living node is ever without one.
        let mark = self.files.as_ref().and_then(|files| files.mark(id));
        let lease = store.acquire_lease(&node_lease(id), &owner(), ttl).await.map_err(Error::internal)?;
        let lease = lease.ok_or_else(|| Error::internal("a new node's name was taken"))?;
        set(&self.until, Some(asked + ttl));
        let lease = Arc::new(Mutex::new(lease));
        let renewing = renew(Arc::clone(store), Arc::clone(&lease), ttl, Arc::clone(&self.until));
        Ok(Member { id, lease, mark, renewing: AbortOnDropHandle::new(tokio::spawn(renewing)) })
    }

    /// Whether a request that leaves now has its answer, or none, before others may take this node for dead.
    pub(crate) fn may_send(&self) -> bool {
        self.left() > self.longest_exchange
    }

    fn left(&self) -> Duration {
        let until = *self.until.read().unwrap_or_else(PoisonError::into_inner);
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    /// Gives the lease back; for the end of a process whose calls are over.
    pub(crate) async fn leave(&self, store: &Arc<dyn Store>) {
        let Some(member) = self.member.lock().await.take() else { return };
        set(&self.until, None);
        drop(member.renewing);
        if let Err(error) = store.release_lease(&*member.lease.lock().await).await {
            tracing::warn!(error = %error, "this node's lease could not be given back; it ends by itself");
        }
        if let Some(mark) = member.mark {
            mark.remove();
        }
    }
}

fn set(until: &Until, value: Option<Instant>) {
    *until.write().unwrap_or_else(PoisonError::into_inner) = value;
}

async fn renew(store: Arc<dyn Store>, lease: Arc<Mutex<Lease>>, ttl: Duration, until: Until) {
    loop {
        tokio::time::sleep(RENEWED_EVERY).await;
        let asked = Instant::now();
        let mut lease = lease.lock().await;
        match store.renew_lease(&lease, ttl).await {
            Ok(Some(renewed)) => {
                *lease = renewed;
                set(&until, Some(asked + ttl));
            }
            Ok(None) => {
                set(&until, None);
                tracing::error!("this node was taken for dead: its lease was over before it was renewed");
                return;
            }
            Err(error) => tracing::warn!(error = %error, "this node's lease could not be renewed"),
        }
    }
}

/// For people who look at the leases.
fn owner() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{} process {}", host.trim(), std::process::id()).trim().to_owned()
}
