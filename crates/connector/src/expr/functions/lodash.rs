//! Objects: pick, omit, values.

use indexmap::IndexMap;
use jsonata_core::value::JValue;

use super::values::{lookup, path_of, to_text};
use super::{Entry, Outcome, arg};

pub(super) const TABLE: &[Entry] = &[("pick", pick), ("omit", omit), ("values", values)];

/// The keys given, one by one or in lists.
fn keys(args: &[JValue]) -> Vec<String> {
    let mut keys = Vec::new();
    for value in args.get(1..).unwrap_or_default() {
        match value {
            JValue::Array(items) => keys.extend(items.iter().map(to_text)),
            JValue::Undefined | JValue::Null => {}
            other => keys.push(to_text(other)),
        }
    }
    keys
}

fn pick(args: &[JValue]) -> Outcome {
    let object = arg(args, 0);
    let mut out = JValue::object(IndexMap::new());
    for key in keys(args) {
        let found = lookup(object, &key);
        if !found.is_undefined() {
            set(&mut out, &path_of(object, &key), found);
        }
    }
    Ok(out)
}

/// Sets a value at a path that its source has: objects on the way are made, list positions become keys of lists.
fn set(at: &mut JValue, path: &[String], value: JValue) {
    let Some((step, rest)) = path.split_first() else {
        *at = value;
        return;
    };
    if let Some(items) = at.as_array_mut() {
        let Ok(index) = step.parse::<usize>() else { return };
        if items.len() <= index {
            items.resize(index + 1, JValue::Null);
        }
        return set(&mut items[index], rest, value);
    }
    if at.as_object_mut().is_none() {
        let is_index = step.bytes().all(|byte| byte.is_ascii_digit());
        *at = if is_index { JValue::array(Vec::new()) } else { JValue::object(IndexMap::new()) };
        return set(at, path, value);
    }
    if let Some(map) = at.as_object_mut() {
        set(map.entry(step.clone()).or_insert(JValue::Null), rest, value);
    }
}

fn omit(args: &[JValue]) -> Outcome {
    let JValue::Object(_) = arg(args, 0) else { return Ok(JValue::object(IndexMap::new())) };
    let mut out = arg(args, 0).clone();
    for key in keys(args) {
        let path = path_of(&out, &key);
        unset(&mut out, &path);
    }
    Ok(out)
}

fn unset(at: &mut JValue, path: &[String]) {
    let Some((step, rest)) = path.split_first() else { return };
    if let Some(items) = at.as_array_mut() {
        if let Some(item) = step.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
            if rest.is_empty() { *item = JValue::Null } else { unset(item, rest) }
        }
        return;
    }
    let Some(map) = at.as_object_mut() else { return };
    if rest.is_empty() {
        map.shift_remove(step);
    } else if let Some(inner) = map.get_mut(step) {
        unset(inner, rest);
    }
}

fn values(args: &[JValue]) -> Outcome {
    Ok(JValue::array(match arg(args, 0) {
        JValue::Object(map) => map.values().cloned().collect(),
        JValue::Array(items) => items.to_vec(),
        _ => Vec::new(),
    }))
}
