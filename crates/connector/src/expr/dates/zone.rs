//! Time zones by the names that mappings use.

use jiff::tz::{Offset, TimeZone};

/// A zone; the process's own counts as UTC.
#[derive(Clone, Debug)]
pub(in crate::expr) enum Zone {
    /// The process's own.
    System,
    /// A fixed offset from UTC.
    Fixed(Offset),
    /// A zone of the time zone database.
    Named(TimeZone, String),
}

impl Zone {
    pub(super) const UTC: Self = Self::Fixed(Offset::UTC);

    /// `local`, `utc`, `UTC+3`, `UTC-03:30`, `Europe/Berlin`.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let lower = name.trim().to_ascii_lowercase();
        match lower.as_str() {
            "local" | "system" | "default" => return Some(Self::System),
            "utc" | "gmt" => return Some(Self::UTC),
            _ => {}
        }
        if let Some(rest) = lower.strip_prefix("utc") {
            return offset(rest).map(Self::Fixed);
        }
        TimeZone::get(name.trim()).ok().map(|zone| Self::Named(zone, name.trim().to_owned()))
    }

    pub(super) fn time_zone(&self) -> TimeZone {
        match self {
            Self::System => TimeZone::UTC,
            Self::Fixed(offset) => TimeZone::fixed(*offset),
            Self::Named(zone, _) => zone.clone(),
        }
    }

    /// A name that [`Zone::parse`] reads back.
    pub(super) fn name(&self) -> String {
        match self {
            Self::System => "system".to_owned(),
            Self::Fixed(offset) if offset.seconds() == 0 => "UTC".to_owned(),
            Self::Fixed(offset) => format!("UTC{}", offset_text(*offset, true)),
            Self::Named(_, name) => name.clone(),
        }
    }

    /// Whether UTC prints as `Z` in it.
    pub(super) fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }
}

/// `+3`, `+03`, `+0330`, `+03:30`.
pub(super) fn offset(text: &str) -> Option<Offset> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) =
        if digits.len() <= 2 { (digits.as_str(), "0") } else { digits.split_at(digits.len() - 2) };
    let minutes: i32 = minutes.parse().ok()?;
    let total = hours.parse::<i32>().ok()? * 3600 + minutes * 60;
    if minutes > 59 { None } else { Offset::from_seconds(sign * total).ok() }
}

/// `+02:00`, or `+0200` without the colon.
pub(super) fn offset_text(offset: Offset, colon: bool) -> String {
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    format!("{sign}{:02}{}{:02}", minutes / 60, if colon { ":" } else { "" }, minutes % 60)
}
