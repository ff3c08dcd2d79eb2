//! What is wrong with a value, said for people.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use crate::schema::Schemas;
use crate::strangers::strangers;

/// One thing that is wrong: JSON pointer, and what the specification says.
pub(crate) type Wrong = (String, String);

/// Everything that is wrong with a value.
pub(crate) fn wrongs(schemas: &Schemas, schema: &Value, validator: &Validator, value: &Value) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    for error in validator.iter_errors(value) {
        explain("", &error, &mut wrongs);
    }
    let mut wrongs = missing_as_one(wrongs);
    wrongs.extend(strangers(schemas, schema, value).into_iter().map(stranger));
    wrongs.sort();
    wrongs.dedup();
    wrongs
}

/// All properties that one object lacks are one thing that is wrong.
fn missing_as_one(wrongs: Vec<Wrong>) -> Vec<Wrong> {
    let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut others = Vec::new();
    for (pointer, says) in wrongs {
        match says.strip_prefix(MISSING) {
            Some(name) => drop(missing.entry(pointer).or_default().insert(name.to_owned())),
            None => others.push((pointer, says)),
        }
    }
    for (pointer, names) in missing {
        let names: Vec<_> = names.into_iter().collect();
        others.push((pointer, format!("{MISSING}{}", names.join(", "))));
    }
    others
}

const MISSING: &str = "it must have, and has not: ";
fn stranger(pointer: String) -> Wrong {
    (pointer, "the specification knows no such property".to_owned())
}

fn explain(base: &str, error: &ValidationError<'_>, wrongs: &mut Vec<Wrong>) {
    let pointer = format!("{base}{}", error.instance_path().as_str());
    let value = shown(error.instance());
    let says = match error.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            return match nearest(context) {
                Some(branch) => branch.iter().for_each(|error| explain(base, error, wrongs)),
                None => wrongs.push((pointer, format!("it is none of the alternatives: {value}"))),
            };
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            for name in unexpected {
                let escaped = name.replace('~', "~0").replace('/', "~1");
                wrongs.push(stranger(format!("{pointer}/{escaped}")));
            }
            return;
        }
        Kind::Type { kind } => format!("it must be {}, it is {value}", types(kind)),
        Kind::Required { property } => {
            format!("{MISSING}{}", property.as_str().unwrap_or_default())
        }
        Kind::Enum { options } => format!("it must be one of {}, it is {value}", shown(options)),
        Kind::Constant { expected_value } => format!("it must be {expected_value}, it is {value}"),
        Kind::Format { format } => format!("it must be a {format}, it is {value}"),
        Kind::Pattern { pattern } => format!("it must match {pattern}, it is {value}"),
        Kind::FalseSchema => {
            "the vendor alone sets this (readOnly), or never shows it (writeOnly)".to_owned()
        }
        _ => cut(&error.to_string(), 200),
    };
    wrongs.push((pointer, says));
}

/// The alternative that fits best: whose mistakes lie deepest, then the one with the fewest.
fn nearest<'e>(context: &'e [Vec<ValidationError<'static>>]) -> Option<&'e [ValidationError<'static>]> {
    let depth = |error: &ValidationError<'_>| error.instance_path().as_str().matches('/').count();
    let is_kind = |error: &ValidationError<'_>| matches!(error.kind(), Kind::Type { .. } | Kind::FalseSchema);
    let score = |branch: &[ValidationError<'static>]| {
        let shallowest = branch.iter().map(depth).min().unwrap_or_default();
        let wrong_kind = branch.iter().any(|error| depth(error) == shallowest && is_kind(error));
        (std::cmp::Reverse(shallowest), wrong_kind, branch.len())
    };
    context.iter().map(Vec::as_slice).filter(|branch| !branch.is_empty()).min_by_key(|branch| score(branch))
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => kind.to_string(),
        TypeKind::Multiple(kinds) => {
            kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or ")
        }
    }
}

fn shown(value: &Value) -> String {
    cut(&value.to_string(), 80)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
