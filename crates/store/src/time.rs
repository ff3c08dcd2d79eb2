//! The one format for times, so that comparing text compares times.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};

use crate::StoreError;

/// Hours for which an idempotency key counts.
const KEY_HOURS: i64 = 24;

/// The present, as stored.
pub(crate) fn now() -> String {
    format(Timestamp::now())
}

/// This long from now; the end of time for what is too long.
pub(crate) fn now_and(time: Duration) -> String {
    format(Timestamp::now().checked_add(time).unwrap_or(Timestamp::MAX))
}

/// A minute before the present.
pub(crate) fn minute_ago() -> String {
    format(Timestamp::now() - 1.minute())
}

/// This long before now; the beginning of time for what is too long.
pub(crate) fn ago(time: Duration) -> String {
    format(Timestamp::now().checked_sub(time).unwrap_or(Timestamp::MIN))
}

/// How long until a stored time; nothing when it has passed.
pub(crate) fn until(at: &str) -> Result<Duration, StoreError> {
    let at: Timestamp = at.parse().map_err(|_| StoreError::corrupt("a time"))?;
    Ok(Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default())
}

/// Keys made before this moment no longer count.
pub(crate) fn key_cutoff() -> String {
    format(Timestamp::now() - KEY_HOURS.hours())
}

/// The moment so many days from now, as stored; a negative number is in the past.
pub(crate) fn in_days(days: i64) -> String {
    in_hours(days * 24)
}

/// The moment so many hours from now, as stored.
pub(crate) fn in_hours(hours: i64) -> String {
    format(Timestamp::now() + hours.hours())
}

/// Brings any ISO 8601 time with an offset into the stored format.
pub(crate) fn normalise(field: &str, text: &str) -> Result<String, StoreError> {
    text.parse()
        .map(format)
        .map_err(|_| StoreError::Invalid { what: format!("{field} is not an ISO 8601 time with an offset") })
}

fn format(at: Timestamp) -> String {
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_width() {
        assert_eq!(normalise("at", "2026-01-31T13:00:00+01:00").unwrap(), "2026-01-31T12:00:00.000Z");
        assert_eq!(normalise("at", "2026-01-31T12:00:00.1239Z").unwrap(), "2026-01-31T12:00:00.123Z");
        assert_eq!(now().len(), "2026-01-31T12:00:00.000Z".len());
        assert!(matches!(normalise("at", "tomorrow"), Err(StoreError::Invalid { .. })));
    }
}
