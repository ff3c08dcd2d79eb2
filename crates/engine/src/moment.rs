//! When something ends, as people say it.

use jiff::{Span, Timestamp, tz::TimeZone};
use koine_model::Error;

/// A moment to come: in ISO 8601, or so much time from now, such as `90d`, `12h`, `1y`.
///
/// # Errors
/// A text that is neither, or a moment that has passed.
pub fn moment(text: &str) -> Result<String, Error> {
    moment_after(text, Timestamp::now()).map(|at| at.to_string())
}

pub(crate) fn moment_after(text: &str, now: Timestamp) -> Result<Timestamp, Error> {
    let from_now = || {
        let span: Span = text.trim().parse().ok()?;
        now.to_zoned(TimeZone::UTC).checked_add(span).ok().map(|at| at.timestamp())
    };
    let at = text.trim().parse().ok().or_else(from_now).ok_or_else(|| {
        Error::invalid(format!(
            "`{text}` is no time: give one with an offset, such as 2027-01-31T12:00:00Z, or from now, such as 90d"
        ))
    })?;
    if at <= now {
        return Err(Error::invalid(format!("`{text}` has passed already")));
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::moment_after;

    #[test]
    fn moments_are_absolute_or_from_now() {
        let now = "2026-01-31T12:00:00Z".parse().unwrap();
        for (text, at) in [
            ("90d", "2026-05-01T12:00:00Z"),
            ("12h", "2026-02-01T00:00:00Z"),
            ("2w", "2026-02-14T12:00:00Z"),
            ("1y", "2027-01-31T12:00:00Z"),
            ("2026-03-01T00:00:00+01:00", "2026-02-28T23:00:00Z"),
        ] {
            assert_eq!(moment_after(text, now).unwrap().to_string(), at, "{text}");
        }
        for text in ["", "soon", "-1d", "0d", "2026-01-31", "2020-01-01T00:00:00Z", "99999999y"] {
            assert!(moment_after(text, now).is_err(), "{text}");
        }
    }
}
