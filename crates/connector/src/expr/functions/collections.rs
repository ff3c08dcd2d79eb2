//! Lists: search, grouping, order, flattening.

use std::cmp::Ordering;

use indexmap::IndexMap;
use jsonata_core::value::{JValue, with_stack};

use super::values::{is_present, items_of, joined, lookup, to_number, to_size, to_text, truthy};
use super::{Entry, Outcome, arg, fail, text};

pub(super) const TABLE: &[Entry] = &[
    ("koine_join", join),
    ("koine_pad", pad),
    ("find", find),
    ("lofilter", filter),
    ("groupBy", group_by),
    ("keyBy", key_by),
    ("orderBy", order_by),
    ("chunk", chunk),
    ("flatten", |args| flattened(arg(args, 0), 1)),
    ("flattenDeep", |args| flattened(arg(args, 0), usize::MAX)),
    ("flattenDepth", flatten_depth),
    ("wrap", wrap),
];

/// `$join(list, separator = ",")`: null is empty, nothing is the empty text.
fn join(args: &[JValue]) -> Outcome {
    let separator = match arg(args, 1) {
        JValue::Undefined | JValue::Null => ",".to_owned(),
        other => to_text(other),
    };
    text(joined(&items_of(arg(args, 0)), &separator))
}

/// As the standard one, with a bound on the width.
fn pad(args: &[JValue]) -> Outcome {
    let JValue::String(value) = arg(args, 0) else { return Ok(JValue::Undefined) };
    let width = to_number(arg(args, 1));
    let target = to_size(&JValue::from_f64(width.abs()));
    if target > super::LONGEST_TEXT / 4 {
        return fail("$pad was asked for too wide a text");
    }
    let filler = arg(args, 2).as_str().filter(|filler| !filler.is_empty()).unwrap_or(" ");
    let missing = target.saturating_sub(value.chars().count());
    let padding: String = filler.chars().cycle().take(missing).collect();
    text(if width < 0.0 { format!("{padding}{value}") } else { format!("{value}{padding}") })
}

/// Whether an item passes: a property name, an object of equal properties, or `[property, value]`.
fn passes(item: &JValue, test: &JValue) -> Result<bool, jsonata_core::evaluator::EvaluatorError> {
    Ok(match test {
        JValue::Undefined | JValue::Null => truthy(item),
        JValue::String(key) => truthy(&lookup(item, key)),
        JValue::Array(pair) => {
            let found = lookup(item, &to_text(arg(pair, 0)));
            found == *arg(pair, 1)
        }
        JValue::Object(_) => contains(item, test),
        _ => return fail("this test must be a property name, an object or [property, value]"),
    })
}

/// Whether every property of `part` is in `whole`, deeply.
fn contains(whole: &JValue, part: &JValue) -> bool {
    let (JValue::Object(whole), JValue::Object(part)) = (whole, part) else { return whole == part };
    with_stack(|| part.iter().all(|(key, value)| whole.get(key).is_some_and(|found| contains(found, value))))
}

fn find(args: &[JValue]) -> Outcome {
    for item in items_of(arg(args, 0)) {
        if passes(&item, arg(args, 1))? {
            return Ok(item);
        }
    }
    Ok(JValue::Undefined)
}

fn filter(args: &[JValue]) -> Outcome {
    let mut kept = Vec::new();
    for item in items_of(arg(args, 0)) {
        if passes(&item, arg(args, 1))? {
            kept.push(item);
        }
    }
    Ok(JValue::array(kept))
}

/// The text that an item is grouped under.
fn key_of(item: &JValue, key: &JValue) -> String {
    to_text(&lookup(item, &to_text(key)))
}

/// Undefined inside a list serialises as null.
fn or_null(item: JValue) -> JValue {
    if item.is_undefined() { JValue::Null } else { item }
}

fn group_by(args: &[JValue]) -> Outcome {
    let mut groups: IndexMap<String, Vec<JValue>> = IndexMap::new();
    for item in items_of(arg(args, 0)) {
        groups.entry(key_of(&item, arg(args, 1))).or_default().push(or_null(item));
    }
    Ok(JValue::object(groups.into_iter().map(|(key, items)| (key, JValue::array(items))).collect()))
}

fn key_by(args: &[JValue]) -> Outcome {
    let present = items_of(arg(args, 0)).into_iter().filter(|item| !item.is_undefined());
    Ok(JValue::object(present.map(|item| (key_of(&item, arg(args, 1)), item)).collect()))
}

fn order_by(args: &[JValue]) -> Outcome {
    let present = |value: &JValue| if is_present(value) { items_of(value) } else { Vec::new() };
    let (keys, orders) = (present(arg(args, 1)), present(arg(args, 2)));
    let mut items = items_of(arg(args, 0));
    items.sort_by(|a, b| {
        for (index, key) in keys.iter().enumerate() {
            let key = to_text(key);
            let order = ascending(&lookup(a, &key), &lookup(b, &key));
            let descending = orders.get(index).and_then(JValue::as_str) == Some("desc");
            if order != Ordering::Equal {
                return if descending { order.reverse() } else { order };
            }
        }
        Ordering::Equal
    });
    Ok(JValue::array(items.into_iter().map(or_null).collect()))
}

/// Values before null before nothing. A total order, as sorting demands: numbers, then everything else as text.
fn ascending(a: &JValue, b: &JValue) -> Ordering {
    let rank = |value: &JValue| match value {
        JValue::Undefined => 3,
        JValue::Null => 2,
        JValue::Number(_) | JValue::Bool(_) => 0,
        _ => 1,
    };
    rank(a).cmp(&rank(b)).then_with(|| match rank(a) {
        0 => to_number(a).total_cmp(&to_number(b)),
        _ => to_text(a).cmp(&to_text(b)),
    })
}

fn chunk(args: &[JValue]) -> Outcome {
    let size = if arg(args, 1).is_undefined() { 1 } else { to_size(arg(args, 1)) };
    if size == 0 {
        return Ok(JValue::array(Vec::new()));
    }
    let items: Vec<JValue> = items_of(arg(args, 0)).into_iter().map(or_null).collect();
    Ok(JValue::array(items.chunks(size).map(|chunk| JValue::array(chunk.to_vec())).collect()))
}

fn flatten_depth(args: &[JValue]) -> Outcome {
    let depth = if arg(args, 1).is_undefined() { 1 } else { to_size(arg(args, 1)) };
    flattened(arg(args, 0), depth)
}

fn flattened(value: &JValue, depth: usize) -> Outcome {
    let mut out = Vec::new();
    flatten_into(&items_of(value), depth, &mut out);
    Ok(JValue::array(out))
}

fn flatten_into(items: &[JValue], depth: usize, out: &mut Vec<JValue>) {
    for item in items {
        match item {
            JValue::Array(inner) if depth > 0 => with_stack(|| flatten_into(inner, depth - 1, out)),
            other => out.push(or_null(other.clone())),
        }
    }
}

/// `$wrap(value, start, end = start)`.
fn wrap(args: &[JValue]) -> Outcome {
    let part = |value: &JValue| if is_present(value) { to_text(value) } else { String::new() };
    let start = part(arg(args, 1));
    let end = if arg(args, 2).is_undefined() { start.clone() } else { part(arg(args, 2)) };
    text(format!("{start}{}{end}", part(arg(args, 0))))
}
