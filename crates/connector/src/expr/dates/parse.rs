//! Text to dates. What does not parse is no error but an invalid date.

use jiff::Timestamp;
use jiff::civil::{Date as Day, DateTime, ISOWeekDate, Time, Weekday};
use jiff::tz::Offset;
use jsonata_core::value::JValue;

use super::Date;
use super::format::{MONTHS, WEEKDAYS, short};
use super::pattern::{Token, tokens};
use super::zone::{Zone, offset};
use crate::expr::functions::values::to_number;

/// Seconds since 1970, a number or its text.
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates and the timestamp refuses what is out of range"
)]
pub(super) fn seconds(value: &JValue) -> Option<Timestamp> {
    let number = match value {
        JValue::Number(_) | JValue::String(_) => to_number(value),
        _ => return None,
    };
    number.is_finite().then(|| Timestamp::from_millisecond((number * 1000.0) as i64).ok()).flatten()
}

pub(super) fn rfc2822(text: &str) -> Option<Timestamp> {
    // "GMT" and a wrong weekday are common; the parser knows the first and is told to take the second.
    jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text.trim()).ok()
}

/// An ISO 8601 text. Without an offset it is a time of `zone`; the result is in `zone` either way.
pub(super) fn iso(text: &str, zone: &Zone) -> Option<Date> {
    let text = text.trim();
    let (day, time) = text.split_once('T').map_or((text, None), |(day, time)| (day, Some(time)));
    let mut day = iso_day(day)?;
    let (mut time, shift) = time.map_or(Some((Time::midnight(), None)), iso_time)?;
    if time.nanosecond() == 1 {
        // 24:00 is the next day's midnight, marked so by `iso_time`.
        (day, time) = (day.tomorrow().ok()?, Time::midnight());
    }
    at(DateTime::from_parts(day, time), shift, zone)
}

/// A local time with its own offset, or else in the zone.
fn at(local: DateTime, shift: Option<Offset>, zone: &Zone) -> Option<Date> {
    let instant = match shift {
        Some(shift) => shift.to_timestamp(local).ok()?,
        None => local.to_zoned(zone.time_zone()).ok()?.timestamp(),
    };
    Date::new(instant, zone.clone())
}

fn number(text: &str) -> Option<i16> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn small(text: &str) -> Option<i8> {
    number(text).and_then(|number| i8::try_from(number).ok())
}

/// `2024-03-05`, `20240305`, `2024-03`, `2024`, `2024-065`, `2024-W10-2`.
fn iso_day(text: &str) -> Option<Day> {
    if !text.is_ascii() || text.len() < 4 {
        return None;
    }
    let year = number(&text[..4])?;
    let rest = &text[4..];
    let dashed = rest.starts_with('-');
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    if let Some(week) = rest.strip_prefix('W') {
        let week = week.replace('-', "");
        let weekday = if week.len() == 3 { small(&week[2..])? } else { 1 };
        let weekday = Weekday::from_monday_one_offset(weekday).ok()?;
        return Some(ISOWeekDate::new(year, small(week.get(..2)?)?, weekday).ok()?.date());
    }
    match (rest.len(), dashed) {
        (0, false) => Day::new(year, 1, 1).ok(),
        (2, true) => Day::new(year, small(rest)?, 1).ok(),
        (3, _) => Day::new(year, 1, 1).ok()?.with().day_of_year(number(rest)?).build().ok(),
        (4, false) => Day::new(year, small(&rest[..2])?, small(&rest[2..])?).ok(),
        (5, true) if rest.as_bytes()[2] == b'-' => {
            Day::new(year, small(&rest[..2])?, small(&rest[3..])?).ok()
        }
        _ => None,
    }
}

/// `10`, `10:00`, `10:00:00.123`, `100000`, each with `Z`, `+02`, `+0200` or `+02:00`.
fn iso_time(text: &str) -> Option<(Time, Option<Offset>)> {
    if !text.is_ascii() {
        return None;
    }
    let cut = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, shift) = text.split_at(cut);
    let shift = match shift {
        "" => None,
        "Z" | "z" => Some(Offset::UTC),
        other => Some(offset(other)?),
    };
    let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
    let digits = clock.replace(':', "");
    let part = |index: usize| digits.get(index..index + 2).map_or(Some(0), small);
    if !matches!(digits.len(), 2 | 4 | 6) || (!fraction.is_empty() && digits.len() != 6) {
        return None;
    }
    let (hour, minute, second) = (part(0)?, part(2)?, part(4)?);
    if (hour, minute, second) == (24, 0, 0) {
        return Time::new(0, 0, 0, 1).ok().map(|time| (time, shift));
    }
    Some((Time::new(hour, minute, second, milliseconds(fraction)? * 1_000_000).ok()?, shift))
}

/// The first three digits of a fraction.
fn milliseconds(fraction: &str) -> Option<i32> {
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    number(&digits).map(i32::from)
}

/// What a pattern has found so far.
struct Found {
    year: i16,
    month: i8,
    day: i8,
    ordinal: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    millisecond: i32,
    afternoon: Option<bool>,
    shift: Option<Offset>,
    instant: Option<Timestamp>,
}

/// A text after a pattern such as `dd/MM/yyyy`.
pub(super) fn with_pattern(text: &str, pattern: &str, zone: &Zone) -> Option<Date> {
    let mut found = Found {
        year: 1970,
        month: 1,
        day: 1,
        ordinal: None,
        hour: 0,
        minute: 0,
        second: 0,
        millisecond: 0,
        afternoon: None,
        shift: None,
        instant: None,
    };
    let mut rest = text;
    for token in tokens(pattern) {
        rest = match token {
            Token::Literal(literal) => strip(rest, &literal)?,
            Token::Field(letter, count) => found.field(rest, letter, count)?,
        };
    }
    if !rest.is_empty() || pattern.is_empty() {
        return None;
    }
    found.finish(zone)
}

/// Cuts off a text, whatever its case.
fn strip<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let head = text.get(..start.len())?;
    head.eq_ignore_ascii_case(start).then(|| &text[start.len()..])
}

/// Cuts off digits.
fn digits(text: &str, least: usize, most: usize) -> Option<(&str, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    (count >= least).then(|| text.split_at(count))
}

/// Cuts off one of the names, long or short; gives its number from 1.
fn name<'a>(text: &'a str, names: &[&str], long: bool) -> Option<(i8, &'a str)> {
    (1_i8..).zip(names).find_map(|(number, name)| {
        strip(text, if long { name } else { short(name) }).map(|rest| (number, rest))
    })
}

impl Found {
    /// Reads one field; gives what is left.
    fn field<'a>(&mut self, text: &'a str, letter: char, count: usize) -> Option<&'a str> {
        let two = || digits(text, if count == 1 { 1 } else { 2 }, 2);
        let read = |(value, rest): (&str, &'a str)| small(value).map(|value| (value, rest));
        let rest;
        match (letter, count) {
            ('y', 1 | 4) => {
                let (year, left) =
                    digits(text, if count == 4 { 4 } else { 1 }, if count == 4 { 4 } else { 6 })?;
                (self.year, rest) = (number(year)?, left);
            }
            ('y', 2) => {
                let (year, left) = read(digits(text, 2, 2)?)?;
                // The century turns after 60, as mappings know it.
                (self.year, rest) = (i16::from(year) + if year > 60 { 1900 } else { 2000 }, left);
            }
            ('M' | 'L', 1 | 2) => (self.month, rest) = read(two()?)?,
            ('M' | 'L', 3 | 4) => (self.month, rest) = name(text, &MONTHS, count == 4)?,
            ('d', 1 | 2) => (self.day, rest) = read(two()?)?,
            ('H' | 'h', 1 | 2) => (self.hour, rest) = read(two()?)?,
            ('m', 1 | 2) => (self.minute, rest) = read(two()?)?,
            ('s', 1 | 2) => (self.second, rest) = read(two()?)?,
            ('S', 1 | 3) | ('u', 1) => {
                let (value, left) =
                    digits(text, if count == 3 { 3 } else { 1 }, if letter == 'u' { 9 } else { 3 })?;
                let is_fraction = letter == 'u';
                self.millisecond = if is_fraction { milliseconds(value)? } else { i32::from(number(value)?) };
                rest = left;
            }
            ('a', 1) => {
                let (half, left) = name(text, &["AM ", "PM "].map(str::trim_end), true)?;
                (self.afternoon, rest) = (Some(half == 2), left);
            }
            ('E' | 'c', 3 | 4) => rest = name(text, &WEEKDAYS, count == 4)?.1,
            ('Z', 1..=3) => rest = self.offset(text)?,
            ('o', 1 | 3) => {
                let (value, left) = digits(text, count, 3)?;
                (self.ordinal, rest) = (Some(number(value)?), left);
            }
            ('X' | 'x', 1) => {
                let (value, left) = digits(text, 1, 15)?;
                let value: i64 = value.parse().ok()?;
                let millis = if letter == 'X' { value.checked_mul(1000)? } else { value };
                (self.instant, rest) = (Some(Timestamp::from_millisecond(millis).ok()?), left);
            }
            // A letter that stands for nothing must be there itself.
            _ => rest = strip(text, &std::iter::repeat_n(letter, count).collect::<String>())?,
        }
        Some(rest)
    }

    fn offset<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        if let Some(rest) = strip(text, "Z") {
            self.shift = Some(Offset::UTC);
            return Some(rest);
        }
        let length = text.bytes().take_while(|byte| byte.is_ascii_digit() || b"+-:".contains(byte)).count();
        self.shift = Some(offset(&text[..length])?);
        Some(&text[length..])
    }

    fn finish(self, zone: &Zone) -> Option<Date> {
        if let Some(instant) = self.instant {
            return Date::new(instant, zone.clone());
        }
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let day = match self.ordinal {
            Some(ordinal) => Day::new(self.year, 1, 1).ok()?.with().day_of_year(ordinal).build().ok()?,
            None => Day::new(self.year, self.month, self.day).ok()?,
        };
        let time = Time::new(hour, self.minute, self.second, self.millisecond * 1_000_000).ok()?;
        at(DateTime::from_parts(day, time), self.shift, zone)
    }
}
