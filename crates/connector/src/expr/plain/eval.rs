//! Plain expressions over JSON as it is.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::Plain;
use crate::expr::roots::field;
use crate::expr::{Roots, convert, truthy};

/// The engine has to be asked.
#[derive(Debug)]
pub(in crate::expr) struct Ask;

type Found<T> = Result<Option<T>, Ask>;

/// What the engine would give.
pub(in crate::expr) fn eval(plain: &Plain, roots: &Roots<'_>) -> Found<Value> {
    let test = |plain: &Plain| holds(plain, roots);
    let truth = |value: bool| Ok(Some(Value::Bool(value)));
    match plain {
        Plain::Literal(value) => Ok(Some(value.clone())),
        Plain::Path(..) => match seen(plain, roots)? {
            Some(value) => convert::through_engine(&value).map_err(|_| Ask),
            None => Ok(None),
        },
        Plain::If { test: condition, then, other } => match (test(condition)?, other) {
            (true, _) => eval(then, roots),
            (false, Some(other)) => eval(other, roots),
            (false, None) => Ok(None),
        },
        Plain::List(items) => list(items, roots),
        Plain::Record(pairs) => record(pairs, roots),
        Plain::Words(of, words) => match eval(of, roots)? {
            // Other spellings of a word count too; that is the function's affair.
            Some(Value::String(text)) => field(words, &text).cloned().map(Some).ok_or(Ask),
            _ => Err(Ask),
        },
        Plain::Equal(sides) => truth(compared(sides, roots)? == Some(true)),
        // To be different, both must be there.
        Plain::Unequal(sides) => truth(compared(sides, roots)? == Some(false)),
        Plain::Both(sides) => truth(test(&sides[0])? && test(&sides[1])?),
        Plain::Either(sides) => truth(test(&sides[0])? || test(&sides[1])?),
        Plain::Exists(of) => truth(seen(of, roots)?.is_some()),
        Plain::Engine => Err(Ask),
    }
}

/// A value to look at: of a path, without a copy.
fn seen<'a>(plain: &Plain, roots: &'a Roots<'_>) -> Found<Cow<'a, Value>> {
    let Plain::Path(root, rest) = plain else { return Ok(eval(plain, roots)?.map(Cow::Owned)) };
    let Some(mut at) = roots.get(root) else { return Ok(None) };
    for name in rest {
        at = match at {
            Value::Object(map) => match field(map, name) {
                Some(value) => value,
                None => return Ok(None),
            },
            // The name is looked up in every item.
            Value::Array(_) => return Err(Ask),
            _ => return Ok(None),
        };
    }
    Ok(Some(Cow::Borrowed(at)))
}

fn holds(plain: &Plain, roots: &Roots<'_>) -> Result<bool, Ask> {
    match seen(plain, roots)?.as_deref() {
        Some(Value::Array(_)) => Err(Ask),
        Some(value) => Ok(truthy(value)),
        None => Ok(false),
    }
}

/// Whether two scalars are equal; `None` when one is not there.
fn compared(sides: &[Plain; 2], roots: &Roots<'_>) -> Result<Option<bool>, Ask> {
    let [one, other] = sides;
    let (Some(one), Some(other)) = (seen(one, roots)?, seen(other, roots)?) else { return Ok(None) };
    Ok(Some(match (&*one, &*other) {
        (Value::String(one), Value::String(other)) => one == other,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Null, Value::Null) => true,
        (
            Value::String(_) | Value::Bool(_) | Value::Null,
            Value::String(_) | Value::Bool(_) | Value::Null,
        ) => false,
        // Numbers and what is made of parts are compared as the engine has them.
        _ => return Err(Ask),
    }))
}

/// Items that are not there leave no gap.
fn list(items: &[Plain], roots: &Roots<'_>) -> Found<Value> {
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        match eval(item, roots)? {
            // The items of some lists become items of this one, and others are items themselves.
            Some(Value::Array(_)) => return Err(Ask),
            item => list.extend(item),
        }
    }
    Ok(Some(Value::Array(list)))
}

/// Fields that are not there are left out.
fn record(pairs: &[(String, Plain)], roots: &Roots<'_>) -> Found<Value> {
    let mut record = Map::with_capacity(pairs.len());
    for (name, value) in pairs {
        if let Some(value) = eval(value, roots)? {
            record.insert(name.clone(), value);
        }
    }
    Ok(Some(Value::Object(record)))
}
