//! How webhooks are reached, and how patient Koine is with them.

use std::sync::Arc;
use std::time::Duration;

use koine_store::{DueDelivery, Next, Verdict};
use uuid::Uuid;

use crate::Outgoing;

/// Longest time that a receiver which fails is left alone by all deliveries, its new ones included.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The way to receivers, and how patient Koine is with them.
#[derive(Clone)]
pub struct Receivers {
    /// Carries deliveries. Other addresses may be open to it than to vendors' calls: whoever holds a token names them.
    pub outgoing: Arc<dyn Outgoing>,
    /// Longest time for one attempt.
    pub timeout: Duration,
    /// The pause before each further attempt; after the last one a delivery has failed.
    pub retries: Vec<Duration>,
}

impl Receivers {
    /// The three quick retries of the contract, then ever longer pauses: a day in all.
    pub const RETRIES: [Duration; 9] = [
        Duration::from_secs(1),
        Duration::from_secs(3),
        Duration::from_secs(9),
        Duration::from_secs(60),
        Duration::from_secs(5 * 60),
        Duration::from_secs(30 * 60),
        Duration::from_secs(2 * 3600),
        Duration::from_secs(6 * 3600),
        Duration::from_secs(15 * 3600),
    ];

    /// Receivers with the usual patience.
    #[must_use]
    pub fn new(outgoing: Arc<dyn Outgoing>) -> Self {
        Self { outgoing, timeout: Duration::from_secs(10), retries: Self::RETRIES.to_vec() }
    }

    /// What follows an attempt. The receiver rests after a failure as this delivery would, so that a queue behind it is
    /// not a storm; it is turned off when it has failed for as long as one delivery is tried.
    pub(crate) fn judge(&self, due: &DueDelivery, taken: bool) -> Verdict {
        let next = match self.retries.get(due.retries as usize) {
            _ if taken => Next::Done,
            Some(pause) => Next::Again(spread(*pause)),
            None => Next::GiveUp,
        };
        let rest = self.retries.get(due.failures as usize).or(self.retries.last());
        let rest = rest.copied().unwrap_or(LONGEST_REST).min(LONGEST_REST);
        // The pauses are up to a tenth shorter than they are called.
        let patience = self.retries.iter().sum::<Duration>().mul_f64(0.8);
        Verdict { next, rest: spread(rest), patience }
    }
}

/// The pause and up to a tenth less, so that what failed together does not come back together.
fn spread(pause: Duration) -> Duration {
    let part = f64::from(Uuid::new_v4().as_bytes()[0]) / 256.0;
    pause.mul_f64(1.0 - part / 10.0)
}
