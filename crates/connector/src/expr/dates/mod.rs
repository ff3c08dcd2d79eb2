//! Dates that expressions can calculate with, as mappings expect them of the Luxon library.
//!
//! The engine has no objects with methods. A date is a plain object with its fields (`year`, `month` …) and one
//! hidden key that holds the instant and the zone; a call `date.toISO()` is routed by the check to
//! `$koine_method('toISO', date)`. When a result leaves, [`super::convert`] turns such objects into their ISO text.
//! The process's own zone is UTC by definition here; it prints `+00:00` where an explicit UTC prints `Z`.

mod fields;
mod format;
mod math;
mod methods;
mod parse;
mod pattern;
mod zone;

use jiff::{Timestamp, Zoned};
use jsonata_core::value::JValue;

pub(super) use methods::{METHODS, call};
pub(super) use zone::Zone;

use super::functions::values::is_present;
use super::functions::{Entry, Outcome, arg};

pub(super) const TABLE: &[Entry] = &[("dtFromIso", from_iso), ("dtFromFormat", from_format)];

/// The hidden key that tells dates from other objects.
const MARK: &str = "\0koine:date";

/// A valid date.
#[derive(Clone, Debug)]
pub(super) struct Date {
    at: Timestamp,
    zone: Zone,
}

impl Date {
    /// Cut to milliseconds, the precision that dates have here.
    fn new(at: Timestamp, zone: Zone) -> Option<Self> {
        Timestamp::from_millisecond(at.as_millisecond()).ok().map(|at| Self { at, zone })
    }

    fn of_zoned(zoned: &Zoned, zone: Zone) -> Option<Self> {
        Self::new(zoned.timestamp(), zone)
    }

    fn zoned(&self) -> Zoned {
        self.at.to_zoned(self.zone.time_zone())
    }

    /// Milliseconds since 1970.
    #[expect(clippy::cast_precision_loss, reason = "a timestamp's milliseconds are below 2^53")]
    pub(super) fn millis(&self) -> f64 {
        self.at.as_millisecond() as f64
    }

    /// Its ISO text: how it leaves in results.
    pub(super) fn iso(&self) -> String {
        format::iso(self)
    }
}

/// The date that a value is: none if it is no date, none inside if it is an invalid one.
pub(super) fn of(value: &JValue) -> Option<Option<Date>> {
    let mark = value.as_object()?.get(MARK)?;
    let date = mark.as_str().and_then(|text| {
        let (millis, zone) = text.split_once(' ')?;
        Date::new(Timestamp::from_millisecond(millis.parse().ok()?).ok()?, Zone::parse(zone)?)
    });
    Some(date)
}

/// The object that expressions see.
fn value(date: Option<&Date>) -> JValue {
    let mark = date.map_or(JValue::Null, |date| {
        JValue::from(format!("{} {}", date.at.as_millisecond(), date.zone.name()))
    });
    JValue::object([(MARK.to_owned(), mark)].into_iter().chain(fields::of(date)).collect())
}

/// An ISO 8601 text in a pattern of tokens, in ISO 8601 again when there is none; nothing when it is no date.
pub(super) fn formatted(text: &str, pattern: &str) -> Option<String> {
    let date = parse::iso(text, &Zone::System)?;
    Some(if pattern.is_empty() { date.iso() } else { format::with_pattern(&date, pattern) })
}

/// `$dtFromIso(text, zone?)`.
fn from_iso(args: &[JValue]) -> Outcome {
    let zone = arg(args, 1);
    let parsed = arg(args, 0).as_str().and_then(|text| parse::iso(text, &Zone::System));
    let date = if is_present(zone) {
        parsed.zip(zone.as_str().and_then(Zone::parse)).map(|(date, zone)| Date { zone, ..date })
    } else {
        parsed
    };
    Ok(value(date.as_ref()))
}

/// `$dtFromFormat(text, format, {zone})`.
fn from_format(args: &[JValue]) -> Outcome {
    let (input, pattern) = (arg(args, 0), arg(args, 1).as_str().unwrap_or_default());
    let zone = match arg(args, 2).get("zone") {
        Some(zone) => zone.as_str().and_then(Zone::parse),
        None => Some(Zone::System),
    };
    let Some(zone) = zone else { return Ok(value(None)) };
    let text = input.as_str();
    let date = match pattern {
        "fromSeconds" => parse::seconds(input).and_then(|at| Date::new(at, zone)),
        "ISO" => text.and_then(|text| parse::iso(text, &zone)),
        "RFC2822" => text.and_then(parse::rfc2822).and_then(|at| Date::new(at, zone)),
        pattern => text.and_then(|text| parse::with_pattern(text, pattern, &zone)),
    };
    Ok(value(date.as_ref()))
}
