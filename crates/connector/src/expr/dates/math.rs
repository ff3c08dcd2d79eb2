//! Calculating with dates. What leaves the range of the calendar is an invalid date.

use jiff::civil::Weekday;
use jiff::{SignedDuration, Span, ToSpan, Zoned};
use jsonata_core::value::JValue;

use super::Date;
use crate::expr::functions::values::to_number;

/// A unit by its name, singular or plural.
pub(super) fn unit(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix('s').unwrap_or(&name);
    ["year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond"]
        .into_iter()
        .find(|unit| *unit == name)
}

/// Milliseconds of a unit that has a fixed length.
fn length(unit: &str) -> Option<f64> {
    Some(match unit {
        "millisecond" => 1.0,
        "second" => 1e3,
        "minute" => 6e4,
        "hour" => 3.6e6,
        "day" => 8.64e7,
        "week" => 6.048e8,
        _ => return None,
    })
}

/// Adds `{days: 1, …}`, or a number of milliseconds. Days and longer keep the time on the clock.
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates and the calendar refuses what is out of range"
)]
pub(super) fn plus(date: &Date, amount: &JValue, sign: f64) -> Option<Date> {
    let (mut months, mut days, mut millis) = (0.0, 0.0, 0.0);
    match amount {
        JValue::Object(map) => {
            for (key, value) in map.iter() {
                let value = to_number(value) * sign;
                match unit(key)? {
                    "year" => months += value * 12.0,
                    "quarter" => months += value * 3.0,
                    "month" => months += value,
                    "week" => days += value * 7.0,
                    "day" => days += value,
                    other => millis += value * length(other)?,
                }
            }
        }
        other => millis = to_number(other) * sign,
    }
    if !(months.is_finite() && days.is_finite() && millis.is_finite()) {
        return None;
    }
    millis += days.fract() * 8.64e7;
    let span = Span::new().try_months(months as i64).ok()?.try_days(days as i64).ok()?;
    let moved = date.zoned().checked_add(span).ok()?;
    let moved = moved.checked_add(SignedDuration::from_millis(millis as i64)).ok()?;
    Date::of_zoned(&moved, date.zone.clone())
}

/// The beginning of the year, month, … that the date is in; weeks begin on Monday.
pub(super) fn start_of(date: &Date, unit: &str) -> Option<Date> {
    let zoned = date.zoned();
    let first = |month: i8| zoned.with().month(month).day(1).build().ok()?.start_of_day().ok();
    let start: Zoned = match unit {
        "year" => first(1)?,
        "quarter" => first((zoned.month() - 1) / 3 * 3 + 1)?,
        "month" => first(zoned.month())?,
        "week" => {
            let back = i64::from(zoned.weekday().since(Weekday::Monday));
            zoned.checked_sub(back.days()).ok()?.start_of_day().ok()?
        }
        "day" => zoned.start_of_day().ok()?,
        "hour" => zoned.with().minute(0).second(0).subsec_nanosecond(0).build().ok()?,
        "minute" => zoned.with().second(0).subsec_nanosecond(0).build().ok()?,
        "second" => zoned.with().subsec_nanosecond(0).build().ok()?,
        _ => zoned,
    };
    Date::of_zoned(&start, date.zone.clone())
}

/// The last millisecond of the unit.
pub(super) fn end_of(date: &Date, unit: &str) -> Option<Date> {
    let next = shifted(&start_of(date, unit)?, unit, 1.0)?;
    plus(&next, &JValue::from_f64(-1.0), 1.0)
}

fn shifted(date: &Date, unit: &str, count: f64) -> Option<Date> {
    let amount = [(unit.to_owned(), JValue::from_f64(count))];
    plus(date, &JValue::object(amount.into_iter().collect()), 1.0)
}

/// Sets `{year: 2024, …}`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates and the calendar refuses what is out of range"
)]
pub(super) fn set(date: &Date, changes: &JValue) -> Option<Date> {
    let zoned = date.zoned();
    let mut with = zoned.with();
    for (key, value) in changes.as_object()? {
        let number = to_number(value);
        let small = number as i8;
        with = match unit(key)? {
            "year" => with.year(number as i16),
            "month" => with.month(small),
            "day" => with.day(small),
            "hour" => with.hour(small),
            "minute" => with.minute(small),
            "second" => with.second(small),
            "millisecond" => with.millisecond(number as i16),
            _ => return None,
        };
    }
    Date::of_zoned(&with.build().ok()?, date.zone.clone())
}

/// How far `to` is from `from`, in one unit, with a fraction.
pub(super) fn distance(from: &Date, to: &Date, unit: &str) -> Option<f64> {
    if let Some(length) = length(unit) {
        // Whole days are told by the clock on the wall, which summer time may shift.
        let shift = f64::from(to.zoned().offset().seconds() - from.zoned().offset().seconds()) * 1e3;
        let millis = to.millis() - from.millis() + if matches!(unit, "day" | "week") { shift } else { 0.0 };
        return Some(millis / length);
    }
    let per = match unit {
        "year" => 12,
        "quarter" => 3,
        _ => 1,
    };
    let (a, b) = (from.zoned(), to.zoned());
    let months =
        (i32::from(b.year()) - i32::from(a.year())) * 12 + i32::from(b.month()) - i32::from(a.month());
    let mut whole = f64::from(months.div_euclid(per));
    if shifted(from, unit, whole)?.millis() > to.millis() {
        whole -= 1.0;
    }
    let (low, high) = (shifted(from, unit, whole)?.millis(), shifted(from, unit, whole + 1.0)?.millis());
    Some(whole + (to.millis() - low) / (high - low))
}
