//! The file: TOML, each value with its line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A top-level key of the file.
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) line: usize,
    pub(crate) value: Written,
}

/// What stands behind a key, as the text that a variable would hold.
pub(crate) enum Written {
    One(String),
    List(String),
    Map(String),
    /// What cannot be a value of any setting.
    Wrong(&'static str),
}

/// What the file says, in its order, and the lines that are not TOML with what is wrong there.
pub(crate) fn parse(text: &str) -> (Vec<Entry>, Vec<(usize, String)>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let errors: Vec<_> = errors
        .iter()
        .map(|error| (line(text, error.span().map_or(0, |span| span.start)), error.message().to_owned()))
        .collect();
    // What was guessed at on a line that could not be read is no setting.
    let broken = |at: usize| errors.iter().any(|(line, _)| *line == at);
    let mut entries: Vec<Entry> = table
        .get_ref()
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            line: line(text, key.span().start),
            value: written(value),
        })
        .filter(|entry| !broken(entry.line))
        .collect();
    entries.sort_by_key(|entry| entry.line);
    (entries, errors)
}

fn line(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

fn written(value: &Spanned<DeValue<'_>>) -> Written {
    match value.get_ref() {
        DeValue::Array(items) => {
            let texts: Option<Vec<_>> = items.iter().map(|item| single(item.get_ref())).collect();
            texts.map_or(Written::Wrong("an array within an array"), |texts| Written::List(texts.join(",")))
        }
        DeValue::Table(table) => {
            let pair = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                Some((key.to_string(), single(value.get_ref())?.into()))
            };
            let map: Option<serde_json::Map<_, _>> = table.iter().map(pair).collect();
            map.map_or(Written::Wrong("a table within a table"), |map| {
                Written::Map(serde_json::Value::Object(map).to_string())
            })
        }
        one => single(one).map_or(Written::Wrong("a date"), Written::One),
    }
}

fn single(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(yes) => Some(yes.to_string()),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
