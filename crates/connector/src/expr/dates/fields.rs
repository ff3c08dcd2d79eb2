//! The fields of a date object.

use jiff::civil::ISOWeekDate;
use jsonata_core::value::JValue;

use super::Date;
use super::format::{MONTHS, WEEKDAYS, short};

/// All fields; those of an invalid date are not numbers, which leave as null.
pub(super) fn of(date: Option<&Date>) -> Vec<(String, JValue)> {
    let mut out = vec![("isValid".to_owned(), JValue::Bool(date.is_some()))];
    let mut add = |key: &str, value: JValue| out.push((key.to_owned(), value));
    let Some(date) = date else {
        for key in ["year", "quarter", "month", "day", "hour", "minute", "second", "millisecond", "weekday"] {
            add(key, JValue::from_f64(f64::NAN));
        }
        add("invalidReason", JValue::string("unparsable"));
        return out;
    };
    let zoned = date.zoned();
    let week: ISOWeekDate = zoned.date().iso_week_date();
    let weekday = zoned.weekday().to_monday_one_offset();
    for (key, number) in [
        ("year", i32::from(zoned.year())),
        ("quarter", i32::from((zoned.month() - 1) / 3 + 1)),
        ("month", i32::from(zoned.month())),
        ("day", i32::from(zoned.day())),
        ("hour", i32::from(zoned.hour())),
        ("minute", i32::from(zoned.minute())),
        ("second", i32::from(zoned.second())),
        ("millisecond", i32::from(zoned.millisecond())),
        ("weekYear", i32::from(week.year())),
        ("weekNumber", i32::from(week.week())),
        ("weekday", i32::from(weekday)),
        ("ordinal", i32::from(zoned.day_of_year())),
        ("offset", zoned.offset().seconds() / 60),
        ("daysInMonth", i32::from(zoned.days_in_month())),
        ("daysInYear", i32::from(zoned.days_in_year())),
    ] {
        add(key, JValue::from_f64(f64::from(number)));
    }
    let month = MONTHS[usize::try_from(zoned.month() - 1).unwrap_or_default() % 12];
    let weekday = WEEKDAYS[usize::try_from(weekday - 1).unwrap_or_default() % 7];
    add("monthLong", JValue::string(month));
    add("monthShort", JValue::string(short(month)));
    add("weekdayLong", JValue::string(weekday));
    add("weekdayShort", JValue::string(short(weekday)));
    add(
        "zoneName",
        JValue::from(if date.zone.name() == "system" { "UTC".to_owned() } else { date.zone.name() }),
    );
    add("isInLeapYear", JValue::Bool(zoned.in_leap_year()));
    add("isInDST", JValue::Bool(date.zone.time_zone().to_offset_info(date.at).dst().is_dst()));
    add("invalidReason", JValue::Null);
    out
}
