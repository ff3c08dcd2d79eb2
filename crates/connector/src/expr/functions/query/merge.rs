//! Values that meet under one key. A list longer than [`LONGEST_LIST`] is an object from its positions, so that
//! `a[1000000]=x` costs nothing; holes in lists are undefined until the end.

use indexmap::IndexMap;
use jsonata_core::value::JValue;

use super::super::values::items_of;

/// Lists have at most as many items, and positions below this.
const LONGEST_LIST: usize = 20;

/// The position that a key stands for.
fn position(key: &str) -> Option<usize> {
    key.parse::<usize>().ok().filter(|position| position.to_string() == key)
}

/// `key: value`, in a list when the key is a position in brackets.
pub(super) fn keyed(key: &str, in_brackets: bool, value: JValue) -> JValue {
    match position(key).filter(|position| in_brackets && *position < LONGEST_LIST) {
        Some(position) => {
            let mut items = vec![JValue::Undefined; position];
            items.push(value);
            JValue::array(items)
        }
        None => JValue::object([(key.to_owned(), value)].into_iter().collect()),
    }
}

/// A list, or the object that stands for one too long.
fn list(items: Vec<JValue>) -> JValue {
    if items.len() <= LONGEST_LIST { JValue::array(items) } else { JValue::object(by_position(&items)) }
}

fn by_position(items: &[JValue]) -> IndexMap<String, JValue> {
    let numbered = items.iter().enumerate().filter(|(_, item)| !item.is_undefined());
    numbered.map(|(position, item)| (position.to_string(), item.clone())).collect()
}

/// The last position of an object that stands for a list.
fn last_position(map: &IndexMap<String, JValue>) -> Option<usize> {
    let positions: Option<Vec<usize>> = map.keys().map(|key| position(key)).collect();
    positions?.into_iter().max()
}

/// `key[]=value`.
pub(super) fn listed(value: JValue) -> JValue {
    match value {
        JValue::Object(ref map) if last_position(map).is_some() => value,
        value => combined(JValue::array(Vec::new()), value),
    }
}

/// Both as one list, lists opened.
pub(super) fn combined(mut a: JValue, b: JValue) -> JValue {
    if let Some(map) = a.as_object_mut()
        && let Some(last) = last_position(map)
    {
        map.insert(last.saturating_add(1).to_string(), b);
        return a;
    }
    let mut items = items_of(&a);
    items.extend(items_of(&b));
    list(items)
}

/// Two readings of one place as one.
pub(super) fn merged(mut target: JValue, source: JValue) -> JValue {
    match (&target, &source) {
        (_, JValue::String(text)) if text.is_empty() => target,
        (JValue::Array(_), JValue::Array(items)) => merged_lists(&target, items),
        (JValue::Array(items), JValue::Object(map)) => with_keys(by_position(items), map),
        (JValue::Object(_), JValue::Object(map)) => with_keys(taken(&mut target), map),
        (JValue::Object(_), JValue::Array(items)) => with_keys(taken(&mut target), &by_position(items)),
        (JValue::Object(own), _) if last_position(own).is_none() => JValue::array(vec![target, source]),
        (_, JValue::Object(map)) if last_position(map).is_some() => {
            let later = map.iter().map(|(key, value)| {
                (position(key).map_or(0, |at| at.saturating_add(1)).to_string(), value.clone())
            });
            let later: Vec<_> = later.collect();
            JValue::object([("0".to_owned(), target)].into_iter().chain(later).collect())
        }
        _ => combined(target, source),
    }
}

fn taken(object: &mut JValue) -> IndexMap<String, JValue> {
    object.as_object_mut().map(std::mem::take).unwrap_or_default()
}

fn with_keys(mut into: IndexMap<String, JValue>, from: &IndexMap<String, JValue>) -> JValue {
    for (key, value) in from {
        let value = match into.get_mut(key) {
            Some(own) => merged(std::mem::replace(own, JValue::Null), value.clone()),
            None => value.clone(),
        };
        into.insert(key.clone(), value);
    }
    JValue::object(into)
}

fn merged_lists(target: &JValue, source: &[JValue]) -> JValue {
    let mut items = items_of(target);
    for (position, item) in source.iter().enumerate().filter(|(_, item)| !item.is_undefined()) {
        let is_container = |value: &JValue| matches!(value, JValue::Object(_) | JValue::Array(_));
        match items.get_mut(position) {
            Some(own) if own.is_undefined() => *own = item.clone(),
            Some(own) if is_container(own) && is_container(item) => {
                *own = merged(std::mem::replace(own, JValue::Null), item.clone());
            }
            Some(_) => items.push(item.clone()),
            None => {
                items.resize(position, JValue::Undefined);
                items.push(item.clone());
            }
        }
    }
    JValue::array(items)
}

/// Without the holes.
pub(super) fn compacted(value: JValue) -> JValue {
    match value {
        JValue::Array(items) => {
            let present = items.iter().filter(|item| !item.is_undefined());
            JValue::array(present.cloned().map(compacted).collect())
        }
        JValue::Object(map) => {
            JValue::object(map.iter().map(|(key, value)| (key.clone(), compacted(value.clone()))).collect())
        }
        value => value,
    }
}
