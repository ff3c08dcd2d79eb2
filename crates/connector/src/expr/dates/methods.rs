//! What can be called on a date.

use jsonata_core::value::JValue;

use super::format::{http, iso_date, iso_time, iso_week, with_pattern};
use super::math::{distance, end_of, plus, set, start_of, unit};
use super::zone::Zone;
use super::{Date, value};
use crate::expr::functions::{Outcome, arg, fail, text};

/// The names of all methods.
pub(in crate::expr) const METHODS: &[&str] = &[
    "plus",
    "minus",
    "set",
    "startOf",
    "endOf",
    "setZone",
    "setLocale",
    "reconfigure",
    "toUTC",
    "toLocal",
    "toFormat",
    "toISO",
    "toISODate",
    "toISOTime",
    "toISOWeekDate",
    "toRFC2822",
    "toHTTP",
    "toSQL",
    "toSQLDate",
    "toSQLTime",
    "toJSDate",
    "toJSON",
    "toString",
    "toMillis",
    "toSeconds",
    "toUnixInteger",
    "valueOf",
    "hasSame",
    "equals",
    "diff",
];

/// Calls a method; an invalid date gives invalid dates, null texts and numbers that are none.
pub(in crate::expr) fn call(method: &str, date: Option<&Date>, args: &[JValue]) -> Outcome {
    match method {
        "plus" | "minus" | "set" | "startOf" | "endOf" | "setZone" | "setLocale" | "reconfigure"
        | "toUTC" | "toLocal" | "toJSDate" => {
            Ok(value(date.and_then(|date| moved(method, date, args)).as_ref()))
        }
        "toMillis" | "toSeconds" | "toUnixInteger" | "valueOf" => {
            Ok(JValue::from_f64(date.map_or(f64::NAN, |date| number(method, date))))
        }
        "hasSame" | "equals" => Ok(JValue::Bool(date.is_some_and(|date| compare(method, date, args)))),
        "diff" => diff(date, args),
        _ => match date {
            Some(date) => written(method, date, args),
            None => Ok(JValue::Null),
        },
    }
}

/// A unit given as the argument at `index`.
fn unit_at(args: &[JValue], index: usize) -> Option<&'static str> {
    arg(args, index).as_str().and_then(unit)
}

fn moved(method: &str, date: &Date, args: &[JValue]) -> Option<Date> {
    let to = |zone| Some(Date { zone, ..date.clone() });
    match method {
        "plus" => plus(date, arg(args, 0), 1.0),
        "minus" => plus(date, arg(args, 0), -1.0),
        "set" => set(date, arg(args, 0)),
        "startOf" => start_of(date, unit_at(args, 0)?),
        "endOf" => end_of(date, unit_at(args, 0)?),
        "setZone" => to(Zone::parse(arg(args, 0).as_str()?)?),
        "toUTC" | "toJSDate" => to(Zone::UTC),
        "toLocal" => to(Zone::System),
        // English is the only language here.
        _ => Some(date.clone()),
    }
}

fn number(method: &str, date: &Date) -> f64 {
    match method {
        "toSeconds" => date.millis() / 1000.0,
        "toUnixInteger" => (date.millis() / 1000.0).floor(),
        _ => date.millis(),
    }
}

fn compare(method: &str, date: &Date, args: &[JValue]) -> bool {
    let Some(other) = super::of(arg(args, 0)).flatten() else { return false };
    if method == "equals" {
        return date.at == other.at && date.zone.name() == other.zone.name();
    }
    let other = Date { zone: date.zone.clone(), ..other };
    let start = |date: &Date| unit_at(args, 1).and_then(|unit| start_of(date, unit)).map(|date| date.at);
    start(date).is_some_and(|at| Some(at) == start(&other))
}

/// `diff(other, unit or units = 'milliseconds')`: an object of the units; the last one has the fraction.
fn diff(date: Option<&Date>, args: &[JValue]) -> Outcome {
    let other = super::of(arg(args, 0)).flatten();
    let names: Vec<&JValue> = match arg(args, 1) {
        JValue::Array(items) => items.iter().collect(),
        other => vec![other],
    };
    let mut from = other;
    let mut out = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let name = name.as_str().unwrap_or("milliseconds");
        let Some(unit) = unit(name) else { return fail("diff: there is no such unit") };
        let found = from.as_ref().zip(date).and_then(|(from, to)| distance(from, to, unit));
        let mut amount = found.unwrap_or(f64::NAN);
        if index + 1 < names.len() {
            amount = amount.trunc();
            let step = JValue::object([(unit.to_owned(), JValue::from_f64(amount))].into_iter().collect());
            from = from.and_then(|from| plus(&from, &step, 1.0));
        }
        out.push((format!("{unit}s"), JValue::from_f64(amount)));
    }
    Ok(JValue::object(out.into_iter().collect()))
}

fn written(method: &str, date: &Date, args: &[JValue]) -> Outcome {
    let zoned = date.zoned();
    text(match method {
        "toFormat" => with_pattern(date, arg(args, 0).as_str().unwrap_or_default()),
        "toISODate" | "toSQLDate" => iso_date(&zoned),
        "toISOTime" => iso_time(date),
        "toISOWeekDate" => iso_week(&zoned),
        "toRFC2822" => with_pattern(date, "EEE, dd LLL yyyy HH:mm:ss ZZZ"),
        "toHTTP" => http(date),
        "toSQL" => with_pattern(date, "yyyy-MM-dd HH:mm:ss.SSS ZZ"),
        "toSQLTime" => with_pattern(date, "HH:mm:ss.SSS ZZ"),
        "toISO" | "toJSON" | "toString" => date.iso(),
        _ => return fail("dates have no such method"),
    })
}
