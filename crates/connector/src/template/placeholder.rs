//! One `{{…}}`, and the texts that hold some.

use serde_json::Value;

use super::TemplateError;
use crate::expr::Roots;

/// One `{{…}}`.
#[derive(Clone, Debug)]
pub(super) struct Placeholder {
    pub(super) text: String,
    alternatives: Vec<Alternative>,
    pub(super) default: Option<String>,
    pub(super) cast: String,
}

#[derive(Clone, Debug)]
struct Alternative {
    path: Vec<String>,
    ignore_empty: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Piece {
    Literal(String),
    Placeholder(Placeholder),
}

const CASTS: &[&str] = &[
    "str",
    "int",
    "num",
    "bool",
    "json",
    "any",
    "null",
    "undefined",
    "ignore-empty-str",
    "quoted",
    "single-quoted",
];

impl Placeholder {
    /// `None` when the text between the braces is no placeholder.
    fn parse(inner: &str) -> Result<Option<Self>, TemplateError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-./|:? ".contains(c);
        if inner.trim().is_empty() || !inner.chars().all(allowed) {
            return Ok(None);
        }
        let (main, tail) = match inner.split_once('?') {
            Some((main, tail)) => (main, Some(tail.strip_prefix(':').unwrap_or(tail))),
            None => (inner, None),
        };
        let (default, mut cast) = match tail {
            Some(tail) => match tail.rsplit_once(':') {
                Some((default, cast)) => (Some(default.to_owned()), Some(cast.trim().to_owned())),
                None => (Some(tail.to_owned()), None),
            },
            None => (None, None),
        };
        let mut alternatives = Vec::new();
        for part in main.split('|') {
            let mut words = part.trim().split(':').map(str::trim);
            let path = words.next().unwrap_or_default();
            let mut ignore_empty = false;
            for word in words {
                match word {
                    "ignore-empty-str" => ignore_empty = true,
                    other => cast = Some(other.to_owned()),
                }
            }
            alternatives
                .push(Alternative { path: path.split('.').map(ToOwned::to_owned).collect(), ignore_empty });
        }
        let cast = cast.unwrap_or_else(|| "str".to_owned());
        if !CASTS.contains(&cast.as_str()) {
            return Err(TemplateError(format!(
                "`{{{{{inner}}}}}`: unsupported type `{cast}`; one of {}",
                CASTS.join(", ")
            )));
        }
        Ok(Some(Self { text: format!("{{{{{inner}}}}}"), alternatives, default, cast }))
    }

    pub(super) fn find<'a>(&self, data: &'a Roots<'_>) -> Option<&'a Value> {
        self.alternatives.iter().find_map(|alternative| {
            let (first, rest) = alternative.path.split_first()?;
            let root = data.alone().map_or_else(|| data.get(first), |value| below(value, first))?;
            let value = rest.iter().try_fold(root, |at, part| below(at, part))?;
            (!alternative.ignore_empty || value.as_str() != Some("")).then_some(value)
        })
    }

    /// The value when the placeholder is the whole text. `None` removes the key.
    pub(super) fn whole(&self, data: &Roots<'_>) -> Option<Value> {
        let default = self.default.clone().map(Value::String);
        let Some(value) = self.find(data).cloned().or(default) else {
            return match self.cast.as_str() {
                "undefined" => None,
                "null" => Some(Value::Null),
                _ => Some(Value::String(self.text.clone())),
            };
        };
        Some(match self.cast.as_str() {
            "any" | "json" | "undefined" => value,
            "null" if value.as_str() == Some("null") => Value::Null,
            "int" | "num" => number(&value, self.cast == "int").unwrap_or(value),
            "bool" => match text(&value).as_str() {
                "true" | "1" => Value::Bool(true),
                "false" | "0" => Value::Bool(false),
                _ => value,
            },
            "quoted" | "single-quoted" => Value::String(self.quoted(&text(&value))),
            _ if value.is_null() => Value::Null,
            _ => Value::String(text(&value)),
        })
    }

    /// Text as the cast quotes it, or as it is.
    pub(super) fn quoted(&self, text: &str) -> String {
        match self.cast.as_str() {
            "quoted" => double_quoted(text),
            "single-quoted" => single_quoted(text),
            _ => text.to_owned(),
        }
    }

    /// The value inside other text.
    pub(super) fn part(&self, data: &Roots<'_>) -> String {
        match self.find(data) {
            Some(value) => self.quoted(&text(value)),
            None => match &self.default {
                Some(default) => default.clone(),
                None if self.cast == "undefined" => String::new(),
                None => self.text.clone(),
            },
        }
    }
}

fn below<'a>(at: &'a Value, part: &str) -> Option<&'a Value> {
    match at {
        Value::Object(map) => map.get(part),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    }
}

fn number(value: &Value, integer: bool) -> Option<Value> {
    let text = text(value);
    if integer {
        return text.trim().parse::<i64>().ok().map(Value::from);
    }
    text.trim().parse::<serde_json::Number>().ok().map(Value::Number)
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Text in double quotes, as SCIM filters and JSON spell it.
fn double_quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// Text in single quotes, as SOQL and its like spell it.
fn single_quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for character in text.chars() {
        match character {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\\' | '\'' => quoted.extend(['\\', character]),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

pub(super) fn pieces(source: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = source;
    while let Some(at) = rest.find("{{") {
        literal.push_str(&rest[..at]);
        let tail = &rest[at + 2..];
        let parsed = match tail.find("}}") {
            Some(end) => Placeholder::parse(&tail[..end])?.map(|placeholder| (placeholder, &tail[end + 2..])),
            None => None,
        };
        match parsed {
            Some((placeholder, after)) => {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Placeholder(placeholder));
                rest = after;
            }
            None => {
                // One brace only: in `{{{a}}}` the placeholder begins at the second.
                literal.push('{');
                rest = &rest[at + 1..];
            }
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

/// Adds the first name of every path, each once.
pub(super) fn roots_of(pieces: &[Piece], roots: &mut Vec<String>) {
    for piece in pieces {
        let Piece::Placeholder(placeholder) = piece else { continue };
        for root in placeholder.alternatives.iter().filter_map(|alternative| alternative.path.first()) {
            if !roots.contains(root) {
                roots.push(root.clone());
            }
        }
    }
}
