//! `$convertQueryToSql`: filters as a condition in a language that looks like SQL.
//!
//! The texts are those that mappings in the field expect. Three differences keep a caller's value from becoming part
//! of the condition: a quote within a quoted value is doubled (or, with `escapeSingleQuotes`, gets a backslash, and
//! so do backslashes), a column that `rename` does not give must be a plain name, and a date that cannot be read is
//! an error. What has no type is written as it is: there, the author of the mapping decides.

use jsonata_core::evaluator::EvaluatorError;
use jsonata_core::value::JValue;

use super::values::{is_present, items_of, to_text, truthy};
use super::{Entry, LONGEST_TEXT, Outcome, arg, empty, fail, text};
use crate::expr::dates;

pub(super) const TABLE: &[Entry] = &[("convertQueryToSql", convert)];

/// A part of the condition, or why there is none.
type Part = Result<String, EvaluatorError>;

/// `$convertQueryToSql(query, keys = [], rename = {}, types = {}, operators = {}, options = {})`.
fn convert(args: &[JValue]) -> Outcome {
    let JValue::Object(query) = arg(args, 0) else { return text(String::new()) };
    let writer =
        Writer { rename: arg(args, 2), types: arg(args, 3), operators: arg(args, 4), options: arg(args, 5) };
    let wanted: Vec<String> = match arg(args, 1) {
        JValue::Array(keys) if !keys.is_empty() => keys.iter().map(to_text).collect(),
        JValue::String(key) => vec![key.to_string()],
        _ => query.keys().cloned().collect(),
    };
    let mut conditions = Conditions::default();
    for key in wanted {
        if let Some(comparison) = query.get(&key).filter(|comparison| is_present(comparison)) {
            writer.compare(&key, comparison, &mut conditions)?;
        }
    }
    let conjunction = writer.options.get("conjunction").filter(|word| truthy(word));
    let conjunction = conjunction.map_or_else(|| "AND".to_owned(), to_text);
    text(conditions.joined(&conjunction, writer.has("groupComparisonInBrackets")))
}

#[derive(Default)]
struct Conditions {
    all: Vec<String>,
    size: usize,
}

impl Conditions {
    fn push(&mut self, condition: String) -> Result<(), EvaluatorError> {
        self.size += condition.len();
        if self.size > LONGEST_TEXT {
            return fail("a text grew too long");
        }
        self.all.push(condition);
        Ok(())
    }

    /// In brackets: `((a = 1 AND b = 2) AND c = 3)`.
    fn joined(&self, conjunction: &str, in_brackets: bool) -> String {
        if !in_brackets {
            return self.all.join(&format!(" {conjunction} "));
        }
        let mut out = "(".repeat(self.all.len().saturating_sub(1));
        for (index, condition) in self.all.iter().enumerate() {
            match index {
                0 => out.push_str(condition),
                _ => out.push_str(&format!(" {conjunction} {condition})")),
            }
        }
        out
    }
}

struct Writer<'a> {
    rename: &'a JValue,
    types: &'a JValue,
    operators: &'a JValue,
    options: &'a JValue,
}

impl Writer<'_> {
    fn has(&self, option: &str) -> bool {
        self.options.get(option).is_some_and(truthy)
    }

    /// One value means equal, a list means any of them, an object has a condition for each operator.
    fn compare(&self, key: &str, comparison: &JValue, into: &mut Conditions) -> Result<(), EvaluatorError> {
        let column = self.column(key)?;
        match comparison {
            JValue::Array(_) => into.push(self.any_of(key, &column, "in", comparison)?),
            JValue::Object(by_operator) if dates::of(comparison).is_none() => {
                for (operator, value) in by_operator.iter().filter(|(_, value)| is_present(value)) {
                    into.push(match operator.as_str() {
                        "in" | "nin" => self.any_of(key, &column, operator, value)?,
                        _ => self.one(key, &column, operator, value)?,
                    })?;
                }
                Ok(())
            }
            value => into.push(self.one(key, &column, "eq", value)?),
        }
    }

    fn column(&self, key: &str) -> Part {
        if let Some(renamed) = self.rename.get(key).filter(|renamed| truthy(renamed)) {
            return Ok(to_text(renamed));
        }
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '$' | '@');
        if key == "or" || !key.chars().all(is_plain) {
            return fail("$convertQueryToSql needs a plain name for this column in its third argument");
        }
        Ok(key.to_owned())
    }

    fn operator(&self, name: &str) -> Part {
        if let Some(own) = self.operators.get(name).filter(|own| truthy(own)) {
            return Ok(to_text(own));
        }
        let known = match name {
            "eq" => "=",
            "ne" => "<>",
            "gt" => ">",
            "gte" => ">=",
            "lt" => "<",
            "lte" => "<=",
            "in" => "in",
            "nin" => "not in",
            "like" => "like",
            _ => return fail("$convertQueryToSql does not know this operator"),
        };
        Ok(known.to_owned())
    }

    fn one(&self, key: &str, column: &str, operator: &str, value: &JValue) -> Part {
        let (operator, value) = (self.operator(operator)?, self.value(key, value)?);
        let space = if self.has("noSpaceBetweenOperator") { "" } else { " " };
        Ok(format!("{column}{space}{operator}{space}{value}"))
    }

    /// `nin` in brackets stays `(k = a OR k = b)`, as mappings have it.
    fn any_of(&self, key: &str, column: &str, operator: &str, values: &JValue) -> Part {
        let values = items_of(values).into_iter().filter(is_present);
        if self.has("useOrForIn") {
            let each: Result<Vec<_>, _> = values.map(|value| self.one(key, column, "eq", &value)).collect();
            return Ok(format!("({})", each?.join(" OR ")));
        }
        let each: Result<Vec<_>, _> = values.map(|value| self.value(key, &value)).collect();
        let space = if self.has("noSpaceBetweenOperator") { "" } else { " " };
        Ok(format!("{column}{space}{}{space}({})", self.operator(operator)?, each?.join(",")))
    }

    /// As its type has it; a value without a type as it is.
    fn value(&self, key: &str, value: &JValue) -> Part {
        match self.types.get(key) {
            Some(JValue::String(kind)) => match (&**kind, kind.split_once('|')) {
                ("string", _) => Ok(self.quoted(&to_text(value), false)),
                ("dotnetdate", _) => Ok(format!("DateTime({})", date(value, "yyyy,MM,dd")?)),
                ("date", _) => Ok(self.quoted(&date(value, "")?, true)),
                (_, Some(("date", format))) => Ok(self.quoted(&date(value, format)?, true)),
                _ => Ok(to_text(value)),
            },
            Some(mapping @ JValue::Object(_)) => {
                match empty::map_values(&[value.clone(), mapping.clone()])? {
                    JValue::String(mapped) => Ok(self.quoted(&mapped, false)),
                    mapped => Ok(to_text(&mapped)),
                }
            }
            _ => Ok(to_text(value)),
        }
    }

    fn quoted(&self, value: &str, is_date: bool) -> String {
        if self.has("noQuotes") || (is_date && self.has("noQuotesForDate")) {
            value.to_owned()
        } else if self.has("useDoubleQuotes") {
            format!("\"{}\"", value.replace('"', "\"\""))
        } else if self.has("escapeSingleQuotes") {
            format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
        } else {
            format!("'{}'", value.replace('\'', "''"))
        }
    }
}

/// A date in a pattern of tokens; without one, in ISO 8601.
fn date(value: &JValue, format: &str) -> Part {
    dates::formatted(&to_text(value), format)
        .map_or_else(|| fail("$convertQueryToSql was given a date that it cannot read"), Ok)
}
