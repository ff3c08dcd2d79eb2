//! Pauses between attempts.

use std::time::Duration;

use super::Value;

/// The longest one.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// Pauses, one for each further attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pauses(Vec<Duration>);

impl Pauses {
    /// The pauses, in order; at least one.
    #[must_use]
    pub fn list(&self) -> &[Duration] {
        &self.0
    }
}

impl Value for Pauses {
    fn form() -> String {
        "seconds with commas between, such as `1,3,9`, each at most a week".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let pause = |part: &str| {
            let pause = Duration::try_from_secs_f64(part.trim().parse().ok()?).ok()?;
            (pause <= LONGEST).then_some(pause)
        };
        let pauses = text.split(',').map(pause).collect::<Option<_>>();
        pauses.map(Self).ok_or_else(|| format!("`{text}` is not {}", Self::form()))
    }

    fn shown(&self) -> String {
        let parts: Vec<String> = self.0.iter().map(|pause| pause.as_secs_f64().to_string()).collect();
        parts.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_seconds_and_parts_of_them() {
        let pauses = Pauses::parse("0.05, 3,9").unwrap();
        assert_eq!(
            pauses.list(),
            [Duration::from_millis(50), Duration::from_secs(3), Duration::from_secs(9)]
        );
        assert_eq!(pauses.shown(), "0.05,3,9");
        for wrong in ["", "1,", "-1", "1e9", "NaN", "soon"] {
            assert!(Pauses::parse(wrong).is_err(), "{wrong}");
        }
    }
}
