//! Values seen the way JavaScript sees them: text, truth, numbers, property paths.

use jsonata_core::value::JValue;

use crate::expr::dates;

/// Neither null nor undefined.
pub(in crate::expr) fn is_present(value: &JValue) -> bool {
    !matches!(value, JValue::Null | JValue::Undefined)
}

/// JavaScript's truth: empty arrays and objects are true.
pub(in crate::expr) fn truthy(value: &JValue) -> bool {
    match value {
        JValue::Null | JValue::Undefined => false,
        JValue::Bool(value) => *value,
        JValue::Number(number) => *number != 0.0 && !number.is_nan(),
        JValue::String(text) => !text.is_empty(),
        _ => true,
    }
}

/// Text of a number, integers without a fraction.
pub(in crate::expr) fn number_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        // Adding zero turns the negative zero into zero.
        format!("{}", number + 0.0)
    }
}

/// `String(value)`.
pub(in crate::expr) fn to_text(value: &JValue) -> String {
    match value {
        JValue::Null => "null".to_owned(),
        JValue::Bool(value) => value.to_string(),
        JValue::Number(number) => number_text(*number),
        JValue::String(text) => text.to_string(),
        JValue::Array(items) => joined(items, ","),
        JValue::Object(_) => dates::of(value)
            .map_or_else(|| "[object Object]".to_owned(), |date| date.map_or("null".to_owned(), |d| d.iso())),
        _ => "undefined".to_owned(),
    }
}

/// `list.join(separator)`: null and undefined are empty.
pub(in crate::expr) fn joined(items: &[JValue], separator: &str) -> String {
    let mut out = String::new();
    for (index, item) in items.iter().enumerate() {
        // The caller refuses a text this long; stop building it.
        if out.len() > super::LONGEST_TEXT {
            break;
        }
        if index > 0 {
            out.push_str(separator);
        }
        if is_present(item) {
            out.push_str(&to_text(item));
        }
    }
    out
}

/// `Number(value)`: not a number is NaN.
pub(in crate::expr) fn to_number(value: &JValue) -> f64 {
    match value {
        JValue::Null => 0.0,
        JValue::Bool(value) => f64::from(u8::from(*value)),
        JValue::Number(number) => *number,
        JValue::String(text) => text_to_number(text),
        JValue::Array(items) => text_to_number(&joined(items, ",")),
        JValue::Object(_) => dates::of(value).flatten().map_or(f64::NAN, |date| date.millis()),
        _ => f64::NAN,
    }
}

fn text_to_number(text: &str) -> f64 {
    let text = text.trim();
    let radix = |radix: u32| u64::from_str_radix(&text[2..], radix).map_or(f64::NAN, precise);
    match text.get(..2).unwrap_or_default() {
        _ if text.is_empty() => 0.0,
        "0x" | "0X" => radix(16),
        "0o" | "0O" => radix(8),
        "0b" | "0B" => radix(2),
        _ => match text.trim_start_matches(['+', '-']) {
            "Infinity" if text.starts_with('-') => f64::NEG_INFINITY,
            "Infinity" => f64::INFINITY,
            // Rust also reads "inf" and "nan".
            digits if digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') => {
                text.parse().unwrap_or(f64::NAN)
            }
            _ => f64::NAN,
        },
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of the language are doubles")]
fn precise(value: u64) -> f64 {
    value as f64
}

/// A whole, non-negative number: an index or a size.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is meant")]
pub(in crate::expr) fn to_size(value: &JValue) -> usize {
    to_number(value) as usize
}

/// The items of a list; another value is a list of itself.
pub(in crate::expr) fn items_of(value: &JValue) -> Vec<JValue> {
    match value {
        JValue::Array(items) => items.to_vec(),
        other => vec![other.clone()],
    }
}

/// The steps of a property path: the whole key when the object has it, else split at dots and brackets.
pub(in crate::expr) fn path_of(object: &JValue, key: &str) -> Vec<String> {
    if object.get(key).is_some() {
        return vec![key.to_owned()];
    }
    key.split(['.', '[', ']']).filter(|step| !step.is_empty()).map(str::to_owned).collect()
}

/// What a property path leads to.
pub(in crate::expr) fn lookup(value: &JValue, key: &str) -> JValue {
    let mut at = value;
    for step in path_of(value, key) {
        let next = match at {
            JValue::Object(map) => map.get(&step),
            JValue::Array(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        let Some(next) = next else { return JValue::Undefined };
        at = next;
    }
    at.clone()
}
