//! When tokens were last used: often enough to be of use, seldom enough to cost nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

/// How long a use is not noted again.
const PAUSE: Duration = Duration::from_secs(60);
/// Most tokens that are remembered; beyond, all are forgotten and the store decides.
const MOST: usize = 4096;

/// The tokens whose use was noted by this process, and when.
#[derive(Clone, Default)]
pub(crate) struct Uses(Arc<Mutex<HashMap<Uuid, Instant>>>);

impl Uses {
    /// Whether a use now is to be noted; if so, others within a minute are not.
    pub(crate) fn is_due(&self, token: Uuid) -> bool {
        let now = Instant::now();
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&token).is_some_and(|at| now.duration_since(*at) < PAUSE) {
            return false;
        }
        if noted.len() >= MOST {
            noted.clear();
        }
        noted.insert(token, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Uses};
    use uuid::Uuid;

    #[test]
    fn a_token_is_due_once_and_memory_is_bounded() {
        let uses = Uses::default();
        for id in 0..=MOST as u128 {
            assert!(uses.is_due(Uuid::from_u128(id)));
            assert!(!uses.is_due(Uuid::from_u128(id)));
        }
        assert!(uses.0.lock().unwrap().len() <= MOST);
    }
}
