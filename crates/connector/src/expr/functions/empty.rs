//! Empty values and look-ups: the heart of every mapping.

use indexmap::IndexMap;
use jsonata_core::value::{JValue, with_stack};

use super::values::{is_present, items_of, number_text, to_number, to_text, truthy};
use super::{Entry, Outcome, arg, fail};
use crate::expr::{convert, dates};

pub(super) const TABLE: &[Entry] = &[
    ("firstNonEmpty", first_non_empty),
    ("mapValues", map_values),
    ("removeEmpty", remove_empty),
    ("removeEmptyItems", remove_empty_items),
    ("compact", compact),
    ("toNumber", |args| Ok(JValue::from_f64(to_number(arg(args, 0))))),
    ("jsonParse", json_parse),
];

/// The first that is there; `""`, `[]`, `false` and `0` are there.
fn first_non_empty(args: &[JValue]) -> Outcome {
    Ok(args.iter().find(|value| is_present(value)).cloned().unwrap_or(JValue::Undefined))
}

/// `$mapValues(value, mapping, lowerCase, default)`.
pub(super) fn map_values(args: &[JValue]) -> Outcome {
    let (value, mapping, default) = (arg(args, 0), arg(args, 1), arg(args, 3));
    if !is_present(value) && is_present(default) {
        return Ok(default.clone());
    }
    match mapping {
        JValue::Object(mapping) => Ok(mapped(value, mapping, truthy(arg(args, 2)))),
        _ => Ok(value.clone()),
    }
}

/// What the mapping does not know passes through unchanged.
fn mapped(value: &JValue, mapping: &IndexMap<String, JValue>, lower: bool) -> JValue {
    match value {
        JValue::String(text) => look_up(value, text, mapping, lower),
        JValue::Number(number) => look_up(value, &number_text(*number), mapping, lower),
        JValue::Array(items) => {
            with_stack(|| JValue::array(items.iter().map(|item| mapped(item, mapping, lower)).collect()))
        }
        JValue::Object(map) if dates::of(value).is_none() => with_stack(|| {
            JValue::object(
                map.iter().map(|(key, item)| (key.clone(), mapped(item, mapping, lower))).collect(),
            )
        }),
        _ => value.clone(),
    }
}

/// `lower` says that the keys are lower case already: one that is not never matches then.
fn look_up(value: &JValue, text: &str, mapping: &IndexMap<String, JValue>, lower: bool) -> JValue {
    let wanted = text.to_lowercase();
    let found = if lower {
        mapping.get(&wanted)
    } else {
        mapping.iter().rev().find(|(key, _)| key.to_lowercase() == wanted).map(|(_, found)| found)
    };
    found.filter(|found| is_present(found)).unwrap_or(value).clone()
}

/// Judges by length alone, so that an object without a `length` is empty.
fn remove_empty(args: &[JValue]) -> Outcome {
    let value = arg(args, 0);
    let keep = match value {
        JValue::Null | JValue::Undefined => return fail("$removeEmpty needs a value"),
        JValue::String(text) => !text.is_empty(),
        JValue::Array(items) => !items.is_empty(),
        JValue::Object(map) => map.get("length").is_some_and(truthy),
        _ => false,
    };
    Ok(if keep { value.clone() } else { JValue::Undefined })
}

fn remove_empty_items(args: &[JValue]) -> Outcome {
    let JValue::Array(items) = arg(args, 0) else { return Ok(arg(args, 0).clone()) };
    let is_kept = |item: &&JValue| match item {
        JValue::Array(items) => !items.is_empty(),
        JValue::Object(map) => !map.is_empty(),
        other => truthy(other),
    };
    Ok(JValue::array(items.iter().filter(is_kept).cloned().collect()))
}

fn compact(args: &[JValue]) -> Outcome {
    Ok(JValue::array(items_of(arg(args, 0)).into_iter().filter(truthy).collect()))
}

/// Null for what does not parse, never an error.
fn json_parse(args: &[JValue]) -> Outcome {
    let parsed = match arg(args, 0) {
        JValue::Undefined => return Ok(JValue::Null),
        other => serde_json::from_str::<serde_json::Value>(&to_text(other)),
    };
    Ok(parsed.map_or(JValue::Null, |value| convert::to_engine(&value)))
}
