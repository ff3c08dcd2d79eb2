//! The functions beyond the standard ones, and the few standard ones that behave differently here.
//!
//! They follow what mappings in the field were written against, measured, not what reads best: `$compact` of
//! nothing is `[]`, a default of `$mapValues` applies only to a missing value, and so on. Functions of ours that
//! share a standard name are registered under `koine_<name>`; [`super::check`] routes calls to them, because the
//! engine refuses to replace the functions that it compiles.

pub(super) mod collections;
mod distinct;
mod empty;
mod encoding;
mod lodash;
mod markdown;
mod query;
mod similar;
mod sql;
pub(super) mod urls;
pub(super) mod values;
mod xml;

use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError};
use jsonata_core::value::JValue;

use super::dates;

/// What a function gives back.
pub(super) type Outcome = Result<JValue, EvaluatorError>;
/// A function and the name that expressions call it by.
pub(super) type Entry = (&'static str, fn(&[JValue]) -> Outcome);

/// Standard names that mean our function.
pub(super) const OVERRIDES: &[&str] =
    &["join", "each", "sift", "base64encode", "base64decode", "pad", "distinct"];

/// The two that take a lambda: the engine's host functions cannot call one, a lambda of the language can.
const PRELUDE: &[(&str, &str)] = &[
    ("koine_each", "function($object, $apply) { $type($object) = 'object' ? $each($object, $apply) }"),
    ("koine_sift", "function($object, $keep) { $type($object) = 'object' ? $sift($object, $keep) }"),
];

/// Longest text that a function may build.
pub(super) const LONGEST_TEXT: usize = 4 << 20;

/// Marks the errors whose text is ours and free of data.
pub(super) const OURS: &str = "K0001: ";

/// All names that expressions may call, without the standard ones.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    tables().map(|(name, _)| name).filter(|name| !name.starts_with("koine_"))
}

/// The methods that values such as dates have.
pub(super) fn methods() -> impl Iterator<Item = &'static str> {
    dates::METHODS.iter().chain(urls::METHODS).copied()
}

fn tables() -> impl Iterator<Item = Entry> {
    [
        empty::TABLE,
        collections::TABLE,
        distinct::TABLE,
        lodash::TABLE,
        similar::TABLE,
        encoding::TABLE,
        urls::TABLE,
        query::TABLE,
        sql::TABLE,
        xml::TABLE,
        markdown::TABLE,
        dates::TABLE,
    ]
    .into_iter()
    .flatten()
    .copied()
    .chain([("koine_method", method as fn(&[JValue]) -> Outcome), ("koine_bound", bound)])
}

pub(super) fn register(evaluator: &mut Evaluator) {
    for (name, function) in tables() {
        let registered = evaluator.register_fn(name, function);
        debug_assert!(registered.is_ok(), "{name} is a standard name");
    }
}

/// A context in which the functions that are written in the language itself are bound.
pub(super) fn context() -> Context {
    let mut context = Context::new();
    for (name, source) in PRELUDE {
        let lambda = jsonata_core::parser::parse(source)
            .ok()
            .and_then(|ast| Evaluator::new().evaluate(&ast, &JValue::Null).ok());
        debug_assert!(lambda.is_some(), "{name} does not parse");
        context.bind((*name).to_owned(), lambda.unwrap_or(JValue::Undefined));
    }
    context
}

/// An end of `a..b`: the engine counts with 64 bits and would overflow between far ends, before its own limit speaks.
fn bound(args: &[JValue]) -> Outcome {
    const FARTHEST: f64 = 9_007_199_254_740_992.0;
    Ok(match args.first() {
        Some(JValue::Number(number)) => JValue::from_f64(number.clamp(-FARTHEST, FARTHEST)),
        Some(other) => other.clone(),
        None => JValue::Undefined,
    })
}

/// `value.name(…)`: the check turned it into `$koine_method(name, value, …)`.
fn method(args: &[JValue]) -> Outcome {
    let (Some(name), Some(value)) = (args.first().and_then(JValue::as_str), args.get(1)) else {
        return fail("a method needs a value");
    };
    let rest = args.get(2..).unwrap_or_default();
    if let Some(date) = dates::of(value) {
        return dates::call(name, date.as_ref(), rest);
    }
    if let Some(params) = urls::params_of(value) {
        return urls::call(name, params, rest);
    }
    fail("a method was called on a value that has none")
}

/// An error whose text may leave: it must not hold data.
pub(super) fn fail<T>(message: &str) -> Result<T, EvaluatorError> {
    Err(EvaluatorError::EvaluationError(format!("{OURS}{message}")))
}

/// Text as a result, within its bound.
pub(super) fn text(value: String) -> Outcome {
    if value.len() > LONGEST_TEXT {
        return fail("a text grew too long");
    }
    Ok(JValue::from(value))
}

/// An argument; a missing one is undefined.
pub(super) fn arg(args: &[JValue], index: usize) -> &JValue {
    args.get(index).unwrap_or(&JValue::Undefined)
}

/// Fails when there is an option beyond these: one that is silently ignored would be worse.
pub(super) fn known_options(options: &JValue, known: &[&str], message: &str) -> Result<(), EvaluatorError> {
    match options {
        JValue::Object(map) if !map.keys().all(|key| known.contains(&key.as_str())) => fail(message),
        _ => Ok(()),
    }
}
