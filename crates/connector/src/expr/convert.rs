//! JSON to the engine's values and back.

use jsonata_core::value::JValue;
use serde_json::{Number, Value};

use super::{EvalError, dates};

/// Largest integer that a double holds exactly.
const EXACT: u64 = 1 << 53;
/// Most bytes of text in one result.
const MOST_OUTPUT: usize = 8 << 20;
/// Deepest nesting of a result.
const DEEPEST: usize = 128;

/// Keys that mark values with methods begin so; they never leave.
const HIDDEN: &str = "\0koine:";

pub(super) fn to_engine(value: &Value) -> JValue {
    match value {
        Value::Null => JValue::Null,
        Value::Bool(value) => JValue::Bool(*value),
        Value::Number(number) => number_to_engine(number),
        Value::String(text) => JValue::string(text.as_str()),
        Value::Array(items) => JValue::array(items.iter().map(to_engine).collect()),
        Value::Object(map) => {
            JValue::object(map.iter().map(|(key, value)| (key.clone(), to_engine(value))).collect())
        }
    }
}

/// What becomes of a value that the engine hands on as it is.
pub(super) fn through_engine(value: &Value) -> Result<Option<Value>, EvalError> {
    match value {
        Value::Null | Value::Bool(_) => Ok(Some(value.clone())),
        Value::String(text) if text.len() <= MOST_OUTPUT => Ok(Some(value.clone())),
        other => from_engine(&to_engine(other)),
    }
}

/// An integer beyond 2^53 becomes text: every digit counts when it is an id.
fn number_to_engine(number: &Number) -> JValue {
    let text = number.to_string();
    let is_integer = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let fits = text.trim_start_matches('-').parse::<u64>().is_ok_and(|size| size <= EXACT);
    match number.as_f64() {
        Some(value) if !is_integer || fits => JValue::from_f64(value),
        _ => JValue::string(text),
    }
}

pub(super) fn from_engine(value: &JValue) -> Result<Option<Value>, EvalError> {
    let mut budget = MOST_OUTPUT;
    convert(value, 0, &mut budget)
}

fn convert(value: &JValue, depth: usize, budget: &mut usize) -> Result<Option<Value>, EvalError> {
    let fail = |message: &str| EvalError { message: message.to_owned() };
    if depth > DEEPEST {
        return Err(fail("the result is nested too deeply"));
    }
    let cost = value.as_str().map_or(8, str::len);
    *budget = budget.checked_sub(cost).ok_or_else(|| fail("the result is too large"))?;
    Ok(Some(match value {
        JValue::Null => Value::Null,
        JValue::Bool(value) => Value::Bool(*value),
        JValue::Number(number) => number_from_engine(*number),
        JValue::String(text) => Value::String(text.to_string()),
        JValue::Array(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items.iter() {
                list.extend(convert(item, depth + 1, budget)?);
            }
            Value::Array(list)
        }
        JValue::Object(map) => {
            if let Some(date) = dates::of(value) {
                return Ok(Some(date.map_or(Value::Null, |date| Value::String(date.iso()))));
            }
            let mut object = serde_json::Map::new();
            for (key, item) in map.iter().filter(|(key, _)| !key.starts_with(HIDDEN)) {
                *budget = budget.checked_sub(key.len()).ok_or_else(|| fail("the result is too large"))?;
                if let Some(item) = convert(item, depth + 1, budget)? {
                    object.insert(key.clone(), item);
                }
            }
            Value::Object(object)
        }
        _ => return Ok(None),
    }))
}

fn number_from_engine(number: f64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "2^53 is exact")]
    if number.fract() == 0.0 && number.abs() <= EXACT as f64 {
        #[expect(clippy::cast_possible_truncation, reason = "an integer within 2^53")]
        return Value::Number((number as i64).into());
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}
