//! Dates as text.

use jiff::Zoned;

use super::Date;
use super::pattern::{Token, tokens};
use super::zone::{Zone, offset_text};

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// From Monday.
pub(super) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The three-letter form.
pub(super) fn short(name: &str) -> &str {
    name.get(..3).unwrap_or(name)
}

/// `2024-03-05T10:00:00.000+00:00`, with `Z` in an explicit UTC.
pub(super) fn iso(date: &Date) -> String {
    let zoned = date.zoned();
    format!("{}T{}", iso_date(&zoned), iso_time(date))
}

pub(super) fn iso_date(zoned: &Zoned) -> String {
    format!("{:04}-{:02}-{:02}", zoned.year(), zoned.month(), zoned.day())
}

pub(super) fn iso_time(date: &Date) -> String {
    let zoned = date.zoned();
    let clock =
        format!("{:02}:{:02}:{:02}.{:03}", zoned.hour(), zoned.minute(), zoned.second(), zoned.millisecond());
    if date.zone.is_fixed() && zoned.offset().seconds() == 0 {
        return format!("{clock}Z");
    }
    format!("{clock}{}", offset_text(zoned.offset(), true))
}

/// `2024-W10-2`.
pub(super) fn iso_week(zoned: &Zoned) -> String {
    let week = zoned.date().iso_week_date();
    format!("{:04}-W{:02}-{}", week.year(), week.week(), week.weekday().to_monday_one_offset())
}

/// As HTTP headers have it, always in GMT.
pub(super) fn http(date: &Date) -> String {
    let date = Date { zone: Zone::UTC, ..date.clone() };
    with_pattern(&date, "EEE, dd MMM yyyy HH:mm:ss 'GMT'")
}

/// Fills in a pattern; letters that stand for nothing are kept.
pub(super) fn with_pattern(date: &Date, pattern: &str) -> String {
    let zoned = date.zoned();
    let mut out = String::new();
    for token in tokens(pattern) {
        match token {
            Token::Literal(text) => out.push_str(&text),
            Token::Field(letter, count) => out.push_str(&field(date, &zoned, letter, count)),
        }
    }
    out
}

fn field(date: &Date, zoned: &Zoned, letter: char, count: usize) -> String {
    let padded = |number: i64, width: usize| format!("{number:0width$}");
    let numeric = |number: i8| padded(i64::from(number), count.min(2));
    let hour12 = match zoned.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let named = |names: &[&str], number: i8| {
        let name = names[usize::try_from(number - 1).unwrap_or_default() % names.len()];
        match count {
            3 => short(name).to_owned(),
            4 => name.to_owned(),
            _ => name[..1].to_owned(),
        }
    };
    let weekday = zoned.weekday().to_monday_one_offset();
    let week = zoned.date().iso_week_date();
    match (letter, count) {
        ('y', 2) => padded(i64::from(zoned.year().rem_euclid(100)), 2),
        ('y', 1 | 4 | 6) => padded(i64::from(zoned.year()), count),
        ('M' | 'L', 1 | 2) => numeric(zoned.month()),
        ('M' | 'L', 3..=5) => named(&MONTHS, zoned.month()),
        ('d', 1 | 2) => numeric(zoned.day()),
        ('H', 1 | 2) => numeric(zoned.hour()),
        ('h', 1 | 2) => numeric(hour12),
        ('m', 1 | 2) => numeric(zoned.minute()),
        ('s', 1 | 2) => numeric(zoned.second()),
        ('S', 1) => zoned.millisecond().to_string(),
        ('S' | 'u', 3) => padded(i64::from(zoned.millisecond()), 3),
        ('a', 1) => if zoned.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        ('E' | 'c', 1) => weekday.to_string(),
        ('E' | 'c', 3..=5) => named(&WEEKDAYS, weekday),
        ('Z', 1) => narrow_offset(zoned),
        ('Z', 2) => offset_text(zoned.offset(), true),
        ('Z', 3) => offset_text(zoned.offset(), false),
        ('z', 1) => {
            if matches!(date.zone, Zone::System) {
                "UTC".to_owned()
            } else {
                date.zone.name()
            }
        }
        ('k', 4) => padded(i64::from(week.year()), 4),
        ('W', 1 | 2) => numeric(week.week()),
        ('o', 1 | 3) => padded(i64::from(zoned.day_of_year()), count),
        ('q', 1 | 2) => numeric((zoned.month() - 1) / 3 + 1),
        ('X', 1) => date.at.as_millisecond().div_euclid(1000).to_string(),
        ('x', 1) => date.at.as_millisecond().to_string(),
        _ => std::iter::repeat_n(letter, count).collect(),
    }
}

/// `+5`, `+5:30`.
fn narrow_offset(zoned: &Zoned) -> String {
    let minutes = zoned.offset().seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    match minutes % 60 {
        0 => format!("{sign}{}", minutes / 60),
        rest => format!("{sign}{}:{rest:02}", minutes / 60),
    }
}
