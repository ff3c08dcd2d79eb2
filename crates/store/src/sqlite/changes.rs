//! Whether what was read still holds: changes by this process, and by others on the same file.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::Mutex;

use crate::StoreError;
use crate::changes::{Change, Count};
use crate::store::NOTICED_WITHIN;

/// Counts the changes that were noticed.
pub(super) struct Changes {
    count: Count,
    began: Instant,
    /// When others were last asked about, in microseconds after `began`; 0 for never.
    asked: AtomicU64,
    /// `None` in memory, where there are no others.
    others: Option<Mutex<Others>>,
}

/// A connection that never writes: SQLite tells it when somebody else has.
struct Others {
    /// `None` once closed.
    connection: Option<SqliteConnection>,
    data_version: i64,
}

impl Changes {
    pub(super) async fn new(connection: Option<SqliteConnection>) -> Result<Self, StoreError> {
        let others = match connection {
            Some(mut connection) => {
                let data_version = data_version(&mut connection).await?;
                Some(Mutex::new(Others { connection: Some(connection), data_version }))
            }
            None => None,
        };
        Ok(Self { count: Count::default(), began: Instant::now(), asked: AtomicU64::new(0), others })
    }

    /// As [`crate::Store::version`].
    pub(super) async fn version(&self) -> Option<u64> {
        let Some(others) = self.others.as_ref().filter(|_| self.is_due()) else {
            return Some(self.count.get());
        };
        let mut others = others.lock().await;
        // Whoever held the lock may have asked.
        if self.is_due() {
            let now = self.now();
            let found = data_version(others.connection.as_mut()?).await.ok()?;
            if std::mem::replace(&mut others.data_version, found) != found {
                self.count.note();
            }
            self.asked.store(now, Ordering::Release);
        }
        Some(self.count.get())
    }

    pub(super) fn change(&self) -> Change<'_> {
        self.count.change()
    }

    fn is_due(&self) -> bool {
        let asked = self.asked.load(Ordering::Acquire);
        asked == 0 || self.now().saturating_sub(asked) >= micros(NOTICED_WITHIN)
    }

    /// Never 0.
    fn now(&self) -> u64 {
        micros(self.began.elapsed()).max(1)
    }

    pub(super) async fn close(&self) {
        let Some(others) = &self.others else { return };
        if let Some(connection) = others.lock().await.connection.take() {
            // What is closed has nothing left to lose.
            let _ = connection.close().await;
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// SQLite's own count of commits by other connections, in this process or another.
async fn data_version(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await?)
}
