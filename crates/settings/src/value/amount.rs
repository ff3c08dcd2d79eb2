//! Times and sizes.

use std::time::Duration;

use super::Value;

/// A time within bounds, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds<const LEAST: u64, const MOST: u64>(Duration);

impl<const LEAST: u64, const MOST: u64> Seconds<LEAST, MOST> {
    /// The time.
    #[must_use]
    pub fn get(self) -> Duration {
        self.0
    }
}

impl<const LEAST: u64, const MOST: u64> Value for Seconds<LEAST, MOST> {
    fn form() -> String {
        format!("seconds, {LEAST} to {MOST}")
    }

    fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(seconds) if (LEAST..=MOST).contains(&seconds) => Ok(Self(Duration::from_secs(seconds))),
            _ => Err(format!("`{text}` is not {LEAST} to {MOST} (seconds)")),
        }
    }

    fn shown(&self) -> String {
        self.0.as_secs().to_string()
    }
}

/// A number of bytes, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(usize);

const UNITS: [(&str, usize); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl Size {
    /// The bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        self.0
    }
}

impl Value for Size {
    fn form() -> String {
        "bytes, or with `KiB`, `MiB`, `GiB`".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let unit = UNITS.iter().find_map(|(name, bytes)| Some((text.strip_suffix(name)?, *bytes)));
        let (number, bytes) = unit.unwrap_or((text, 1));
        let size = number.trim_end().parse::<usize>().ok().and_then(|number| number.checked_mul(bytes));
        size.filter(|size| *size > 0)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a number of bytes such as 10MiB"))
    }

    fn shown(&self) -> String {
        let whole = UNITS.iter().rev().find(|(_, bytes)| self.0.is_multiple_of(*bytes));
        whole.map_or_else(|| self.0.to_string(), |(name, bytes)| format!("{}{name}", self.0 / bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_shown_alike() {
        for (text, bytes) in [("1", 1), ("10MiB", 10 << 20), ("1025KiB", 1025 << 10), ("2GiB", 2 << 30)] {
            let size = Size::parse(text).unwrap();
            assert_eq!((size.bytes(), size.shown().as_str()), (bytes, text));
        }
        for text in ["", "0", "10MB", "-1", "1.5MiB", "99999999999GiB"] {
            assert!(Size::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn seconds_keep_their_bounds() {
        assert_eq!(Seconds::<1, 3>::parse("3").unwrap().get(), Duration::from_secs(3));
        for text in ["0", "4", "-1", "1s", ""] {
            assert!(Seconds::<1, 3>::parse(text).is_err(), "{text}");
        }
    }
}
