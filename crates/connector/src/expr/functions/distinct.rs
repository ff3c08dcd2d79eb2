//! Lists without what is in them twice, or in another list. The engine compares every item with every other one, and
//! looks at no clock meanwhile: a vendor's long list would keep a thread for hours.

use std::collections::HashSet;

use jsonata_core::value::{JValue, with_stack};

use super::values::{is_present, items_of};
use super::{Entry, Outcome, arg};

pub(super) const TABLE: &[Entry] = &[("koine_distinct", distinct), ("difference", difference)];

/// As the standard one: the first of equal items stays, and a sequence stays one.
fn distinct(args: &[JValue]) -> Outcome {
    let JValue::Array(items) = arg(args, 0) else { return Ok(arg(args, 0).clone()) };
    if items.len() <= 1 {
        return Ok(arg(args, 0).clone());
    }
    let mut seen = HashSet::new();
    let kept = items.iter().filter(|item| key_of(item).is_none_or(|key| seen.insert(key)));
    let mut kept = JValue::array(kept.cloned().collect());
    if items.sequence {
        kept.mark_sequence();
    }
    Ok(kept)
}

/// `$difference(list, others)`: what is in the list and not among the others.
fn difference(args: &[JValue]) -> Outcome {
    if !is_present(arg(args, 0)) {
        return Ok(JValue::array(Vec::new()));
    }
    let others = items_of(arg(args, 1));
    let known: HashSet<String> = others.iter().filter_map(key_of).collect();
    let stays = |item: &JValue| match key_of(item) {
        Some(key) => !known.contains(&key),
        None => !others.contains(item),
    };
    Ok(JValue::array(items_of(arg(args, 0)).into_iter().filter(stays).collect()))
}

/// A text that equal values share and others do not; `None` for what equals nothing, such as a function.
fn key_of(value: &JValue) -> Option<String> {
    let mut key = String::new();
    write(value, &mut key)?;
    Some(key)
}

fn write(value: &JValue, key: &mut String) -> Option<()> {
    match value {
        JValue::Null => key.push('n'),
        JValue::Bool(value) => key.push(if *value { 't' } else { 'f' }),
        JValue::Number(number) if number.is_nan() => return None,
        // Adding zero turns the negative zero into zero.
        JValue::Number(number) => key.push_str(&format!("#{:x};", (number + 0.0).to_bits())),
        JValue::String(text) => text_into(text, key),
        JValue::Array(items) => {
            key.push_str(&format!("[{};", items.len()));
            with_stack(|| items.iter().try_for_each(|item| write(item, key)))?;
        }
        JValue::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(name, _)| *name);
            key.push_str(&format!("{{{};", entries.len()));
            with_stack(|| {
                entries.into_iter().try_for_each(|(name, item)| {
                    text_into(name, key);
                    write(item, key)
                })
            })?;
        }
        _ => return None,
    }
    Some(())
}

/// With its length, so that no text can look like the end of one and the beginning of another.
fn text_into(text: &str, key: &mut String) {
    key.push_str(&format!("\"{};{text}", text.len()));
}
