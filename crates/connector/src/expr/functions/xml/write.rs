//! `$jsToXml`.

use std::borrow::Cow;

use indexmap::IndexMap;
use jsonata_core::evaluator::EvaluatorError;
use jsonata_core::value::JValue;
use quick_xml::escape;

use super::super::values::{is_present, items_of, to_size, to_text};
use super::super::{LONGEST_TEXT, Outcome, arg, fail, known_options, text};
use super::DEEPEST;
use crate::expr::dates;
use crate::xml::is_name;

/// Widest indentation of one level.
const WIDEST: usize = 8;

type Done = Result<(), EvaluatorError>;

struct Writer {
    indentation: usize,
    out: String,
}

/// `$jsToXml(object, {spaces = 4})`.
pub(super) fn stringify(args: &[JValue]) -> Outcome {
    let options = arg(args, 1);
    known_options(options, &["compact", "spaces"], "$jsToXml has one option, spaces")?;
    let JValue::Object(document) = arg(args, 0) else { return fail("$jsToXml needs an object") };
    let indentation = options.get("spaces").map_or(4, to_size).min(WIDEST);
    let mut writer = Writer { indentation, out: String::new() };
    if let Some(declaration) = document.get("_declaration") {
        writer.out.push_str("<?xml");
        writer.attributes(declaration.get("_attributes"))?;
        writer.out.push_str("?>");
    }
    for (name, value) in document.iter().filter(|(name, _)| *name != "_declaration") {
        writer.element(name, value, 0)?;
    }
    text(writer.out)
}

/// Characters that XML does not allow are left out.
fn allowed(value: &JValue) -> String {
    let is_allowed = |c: &char| {
        (!c.is_control() || matches!(c, '\t' | '\n' | '\r')) && !matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    to_text(value).chars().filter(is_allowed).collect()
}

impl Writer {
    /// A new line, except at the very beginning.
    fn line(&mut self, depth: usize) -> Done {
        if self.out.len() > LONGEST_TEXT {
            return fail("a text grew too long");
        }
        if !self.out.is_empty() && self.indentation > 0 {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', depth * self.indentation));
        }
        Ok(())
    }

    fn element(&mut self, name: &str, value: &JValue, depth: usize) -> Done {
        if depth > DEEPEST {
            return fail("$jsToXml was given an object that is nested too deeply");
        }
        match value {
            JValue::Undefined => Ok(()),
            JValue::Array(items) => items.iter().try_for_each(|item| match item {
                JValue::Array(_) => fail("$jsToXml was given a list in a list"),
                item => self.element(name, item, depth),
            }),
            _ if name == "_comment" => self.comment(value, depth),
            _ if !is_name(name) || name.starts_with('_') => {
                fail("$jsToXml was given a key that names no element")
            }
            JValue::Object(fields) if dates::of(value).is_none() => {
                self.line(depth)?;
                self.fields(name, fields, depth)
            }
            JValue::Null => {
                self.line(depth)?;
                self.push(["<", name, "/>"])
            }
            value => {
                self.line(depth)?;
                let content = allowed(value);
                self.push(["<", name, ">", &escape::partial_escape(&content), "</", name, ">"])
            }
        }
    }

    fn fields(&mut self, name: &str, fields: &IndexMap<String, JValue>, depth: usize) -> Done {
        self.push(["<", name])?;
        self.attributes(fields.get("_attributes"))?;
        let mut content =
            fields.iter().filter(|(key, value)| *key != "_attributes" && !value.is_undefined()).peekable();
        if content.peek().is_none() {
            return self.push(["/>"]);
        }
        self.push([">"])?;
        let mut has_lines = false;
        for (key, value) in content {
            match key.as_str() {
                "_text" | "_cdata" => {
                    items_of(value)
                        .iter()
                        .filter(|item| is_present(item))
                        .try_for_each(|item| self.inline(key, item))?;
                }
                _ => {
                    has_lines = true;
                    self.element(key, value, depth + 1)?;
                }
            }
        }
        if has_lines {
            self.line(depth)?;
        }
        self.push(["</", name, ">"])
    }

    /// Text next to text: no lines, which would be part of it.
    fn inline(&mut self, key: &str, value: &JValue) -> Done {
        let content = allowed(value);
        if key == "_cdata" {
            return self.push(["<![CDATA[", &content.replace("]]>", "]]]]><![CDATA[>"), "]]>"]);
        }
        self.push([&*escape::partial_escape(&content)])
    }

    fn comment(&mut self, value: &JValue, depth: usize) -> Done {
        let content = allowed(value);
        if content.contains("--") || content.ends_with('-') {
            return fail("$jsToXml was given a comment that would end too early");
        }
        self.line(depth)?;
        self.push(["<!--", &content, "-->"])
    }

    fn attributes(&mut self, attributes: Option<&JValue>) -> Done {
        let Some(JValue::Object(attributes)) = attributes else { return Ok(()) };
        for (key, value) in attributes.iter().filter(|(_, value)| is_present(value)) {
            if !is_name(key) {
                return fail("$jsToXml was given a key that names no attribute");
            }
            let content = allowed(value);
            let content: Cow<'_, str> = escape::escape(&content);
            self.push([" ", key, "=\"", &content, "\""])?;
        }
        Ok(())
    }

    fn push<const N: usize>(&mut self, parts: [&str; N]) -> Done {
        if self.out.len() + parts.iter().map(|part| part.len()).sum::<usize>() > LONGEST_TEXT {
            return fail("a text grew too long");
        }
        self.out.extend(parts);
        Ok(())
    }
}
