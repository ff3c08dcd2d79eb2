//! `$parseQuery` and `$stringifyQuery`: nested values in query strings, by the rules of the `qs` library that
//! vendors' own gateways use. The API's syntax ([`koine_model::query`]) is a stricter cousin of it: it refuses what
//! is too deep, where these rules keep the rest of the key as it is, and has no limit on lists.

mod merge;
mod write;

use indexmap::IndexMap;
use jsonata_core::value::JValue;
use percent_encoding::percent_decode_str;

use super::values::truthy;
use super::{Entry, Outcome, arg, known_options};
use merge::{combined, compacted, listed, merged};

pub(super) const TABLE: &[Entry] = &[("parseQuery", parse), ("stringifyQuery", write::stringify)];

/// Pairs after these are not read.
const MOST_PAIRS: usize = 1000;
/// Brackets after these are one key.
const DEEPEST: usize = 5;

/// Names that JavaScript objects have of their own; whoever sends one wants to do harm.
const FORBIDDEN: &[&str] = &[
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
];

/// `$parseQuery(text, {ignoreQueryPrefix})`; what is no text gives `{}`.
fn parse(args: &[JValue]) -> Outcome {
    let options = arg(args, 1);
    known_options(options, &["ignoreQueryPrefix"], "$parseQuery has one option, ignoreQueryPrefix")?;
    let Some(mut text) = arg(args, 0).as_str() else { return Ok(JValue::object(IndexMap::new())) };
    if options.get("ignoreQueryPrefix").is_some_and(truthy) {
        text = text.strip_prefix('?').unwrap_or(text);
    }
    let mut root = JValue::object(IndexMap::new());
    for (key, value) in pairs(text) {
        if let Some(segments) = segments(&key) {
            root = merged(root, nested(&segments, value));
        }
    }
    Ok(compacted(root))
}

/// The pairs of the text, those with the same key as a list.
fn pairs(text: &str) -> IndexMap<String, JValue> {
    let mut pairs: IndexMap<String, JValue> = IndexMap::new();
    for part in text.split('&').take(MOST_PAIRS) {
        // A key with brackets may hold a `=`.
        let part = part.replace("%5B", "[").replace("%5b", "[").replace("%5D", "]").replace("%5d", "]");
        let at = part.find("]=").map(|at| at + 1).or_else(|| part.find('='));
        let (key, value) = at.map_or((part.as_str(), ""), |at| (&part[..at], &part[at + 1..]));
        let (key, value) = (decoded(key), JValue::from(decoded(value)));
        let value = match pairs.shift_remove(&key) {
            Some(earlier) => combined(earlier, value),
            None => value,
        };
        pairs.insert(key, value);
    }
    pairs
}

/// A text with a wrong escape stays as it is.
fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    let is_escape =
        |rest: &str| rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if !text.split('%').skip(1).all(is_escape) {
        return text;
    }
    match percent_decode_str(&text).decode_utf8() {
        Ok(decoded) => decoded.into_owned(),
        Err(_) => text,
    }
}

/// `a[b][c]` as `a`, `[b]`, `[c]`; brackets within brackets belong to the name. None for what is left out.
fn segments(key: &str) -> Option<Vec<String>> {
    let first = key.find('[').unwrap_or(key.len());
    let mut segments = Vec::new();
    if first > 0 {
        segments.push(key[..first].to_owned());
    }
    let mut rest = &key[first..];
    for _ in 0..DEEPEST {
        let Some(end) = closing(rest) else { break };
        segments.push(rest[..=end].to_owned());
        let next = rest[end + 1..].find('[').map(|at| end + 1 + at);
        rest = &rest[next.unwrap_or(rest.len())..];
    }
    if !rest.is_empty() {
        segments.push(format!("[{rest}]"));
    }
    let is_forbidden = |segment: &String| FORBIDDEN.contains(&inner(segment));
    (!segments.is_empty() && !segments.iter().any(is_forbidden)).then_some(segments)
}

/// Where the bracket that opens the text is closed.
fn closing(text: &str) -> Option<usize> {
    let mut level = 0_usize;
    for (at, letter) in text.bytes().enumerate() {
        match letter {
            b'[' => level += 1,
            b']' if level == 1 => return Some(at),
            b']' => level -= 1,
            _ => {}
        }
    }
    None
}

/// A segment without its brackets.
fn inner(segment: &str) -> &str {
    segment.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(segment)
}

/// The value inside its brackets, from the last to the first.
fn nested(segments: &[String], value: JValue) -> JValue {
    segments.iter().rev().fold(value, |leaf, segment| match segment.as_str() {
        "[]" => listed(leaf),
        _ => merge::keyed(inner(segment), segment.starts_with('['), leaf),
    })
}
