//! `$stringifyQuery`.

use jsonata_core::evaluator::EvaluatorError;
use jsonata_core::value::{JValue, with_stack};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::values::{is_present, joined, to_text, truthy};
use super::super::{LONGEST_TEXT, Outcome, arg, fail, known_options, text};
use crate::expr::dates;

/// What stays as it is, by RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How the items of a list are told.
#[derive(Clone, Copy)]
enum Lists {
    Indices,
    Brackets,
    Repeat,
    Comma,
}

struct Writer {
    lists: Lists,
    encode: bool,
    out: String,
}

/// `$stringifyQuery(object, {arrayFormat, encode})`; what is no object gives the empty text.
pub(super) fn stringify(args: &[JValue]) -> Outcome {
    let options = arg(args, 1);
    let known = "$stringifyQuery has the options arrayFormat and encode";
    known_options(options, &["arrayFormat", "encode"], known)?;
    let lists = match options.get("arrayFormat").map(to_text).as_deref() {
        None | Some("indices") => Lists::Indices,
        Some("brackets") => Lists::Brackets,
        Some("repeat") => Lists::Repeat,
        Some("comma") => Lists::Comma,
        Some(_) => return fail("arrayFormat is indices, brackets, repeat or comma"),
    };
    let mut writer = Writer { lists, encode: options.get("encode").is_none_or(truthy), out: String::new() };
    let object = arg(args, 0);
    match object {
        JValue::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                writer.write(&mut position.to_string(), item)?;
            }
        }
        JValue::Object(map) if dates::of(object).is_none() => {
            for (key, value) in map.iter() {
                writer.write(&mut key.clone(), value)?;
            }
        }
        _ => {}
    }
    text(writer.out)
}

impl Writer {
    fn write(&mut self, key: &mut String, value: &JValue) -> Result<(), EvaluatorError> {
        match (value, self.lists) {
            (JValue::Undefined, _) => Ok(()),
            (JValue::Array(items), _) if items.is_empty() => Ok(()),
            (JValue::Array(items), Lists::Comma) => self.pair(key, &joined(items, ",")),
            (JValue::Array(items), Lists::Indices) => items
                .iter()
                .enumerate()
                .try_for_each(|(position, item)| self.inside(key, &format!("[{position}]"), item)),
            (JValue::Array(items), Lists::Brackets) => {
                items.iter().try_for_each(|item| self.inside(key, "[]", item))
            }
            (JValue::Array(items), Lists::Repeat) => {
                items.iter().try_for_each(|item| self.inside(key, "", item))
            }
            (JValue::Object(map), _) if dates::of(value).is_none() => {
                map.iter().try_for_each(|(name, item)| self.inside(key, &format!("[{name}]"), item))
            }
            (value, _) if is_present(value) => self.pair(key, &to_text(value)),
            _ => self.pair(key, ""),
        }
    }

    fn inside(&mut self, key: &mut String, step: &str, value: &JValue) -> Result<(), EvaluatorError> {
        let length = key.len();
        key.push_str(step);
        with_stack(|| self.write(key, value))?;
        key.truncate(length);
        Ok(())
    }

    fn pair(&mut self, key: &str, value: &str) -> Result<(), EvaluatorError> {
        if self.out.len() + key.len() + value.len() > LONGEST_TEXT {
            return fail("a text grew too long");
        }
        if !self.out.is_empty() {
            self.out.push('&');
        }
        for (separator, part) in [("", key), ("=", value)] {
            self.out.push_str(separator);
            if self.encode {
                self.out.extend(utf8_percent_encode(part, ENCODED));
            } else {
                self.out.push_str(part);
            }
        }
        Ok(())
    }
}
