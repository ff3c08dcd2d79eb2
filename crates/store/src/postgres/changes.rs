//! Whether what was read still holds: triggers notify every node of changes to what nodes keep.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::StoreError;
use crate::changes::{Change, Count};

/// What the triggers of `migrations/postgres` notify.
const CHANNEL: &str = "koine_changes";
/// How often a silent connection is asked whether it lives.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long a connection that was not heard of is believed to live.
const PATIENCE: Duration = Duration::from_millis(2500);
/// How long to wait before connecting again.
const PAUSE: Duration = Duration::from_millis(500);

/// Counts the changes that were noticed, as long as there is somebody who would notice them.
pub(super) struct Changes {
    state: Arc<State>,
    pool: PgPool,
    listening: AbortOnDropHandle<()>,
}

struct State {
    count: Count,
    began: Instant,
    /// When the listening connection was last known to live, in milliseconds after `began`; 0 for not at all.
    heard: AtomicU64,
}

impl Changes {
    /// Listens from here on.
    pub(super) async fn new(options: PgConnectOptions) -> Result<Self, StoreError> {
        let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let pool = pool.connect_lazy_with(options);
        let state =
            Arc::new(State { count: Count::default(), began: Instant::now(), heard: AtomicU64::new(0) });
        let first = subscribe(&pool).await?;
        state.hear();
        let listening = tokio::spawn(listen_on(pool.clone(), Arc::clone(&state), first));
        Ok(Self { state, pool, listening: AbortOnDropHandle::new(listening) })
    }

    /// As [`crate::Store::version`].
    pub(super) async fn version(&self) -> Option<u64> {
        self.state.is_heard().then(|| self.state.count.get())
    }

    pub(super) fn change(&self) -> Change<'_> {
        self.state.count.change()
    }

    pub(super) async fn close(&self) {
        self.listening.abort();
        self.state.lose();
        self.pool.close().await;
    }
}

impl State {
    fn hear(&self) {
        self.heard.store(self.now(), Ordering::Release);
    }

    fn lose(&self) {
        self.heard.store(0, Ordering::Release);
    }

    fn is_heard(&self) -> bool {
        let heard = self.heard.load(Ordering::Acquire);
        heard != 0 && self.now().saturating_sub(heard) < millis(PATIENCE)
    }

    /// Never 0.
    fn now(&self) -> u64 {
        millis(self.began.elapsed()).max(1)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

async fn subscribe(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Listens for ever. While the connection is lost nobody may keep anything; what was kept before is forgotten after,
/// for nobody knows what was missed.
async fn listen_on(pool: PgPool, state: Arc<State>, first: PgListener) {
    let mut listener = Some(first);
    loop {
        let heard = match listener.take() {
            Some(listener) => listen(listener, &state).await,
            None => Ok(()),
        };
        state.lose();
        if let Err(error) = heard {
            tracing::warn!(error = %error, "lost the connection that tells of changes");
        }
        match subscribe(&pool).await {
            Ok(again) => {
                state.count.note();
                listener = Some(again);
            }
            Err(error) => {
                tracing::warn!(error = %error, "cannot listen for changes; nothing is kept in memory until then");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Counts notifications until the connection is lost.
async fn listen(mut listener: PgListener, state: &State) -> Result<(), sqlx::Error> {
    loop {
        state.hear();
        match timeout(HEARTBEAT, listener.try_recv()).await {
            Ok(Ok(Some(_))) => state.count.note(),
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_silent) => {
                let asked = timeout(HEARTBEAT, sqlx::query("SELECT 1").execute(&mut listener)).await;
                asked.map_err(|_| sqlx::Error::PoolTimedOut)??;
            }
        }
    }
}
