//! JSONata with limits: the only place that knows the engine.
//!
//! An [`Expr`] is parsed and checked once, when its connector is loaded: functions that do not exist and root
//! names that its place does not offer fail there, not during a call. Evaluation is bounded in time, depth and
//! size of output. Integers that a double cannot hold go in as text, so that every digit of an id is kept.

mod check;
mod convert;
mod dates;
mod functions;
mod pool;

use std::sync::Arc;

use jsonata_core::ast::AstNode;
use jsonata_core::value::JValue;
use serde_json::Value;

/// A compiled expression; cheap to clone.
#[derive(Clone)]
pub struct Expr(Arc<Inner>);

struct Inner {
    source: String,
    ast: AstNode,
}

/// Why an expression cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// Why an evaluation failed. The text never holds input data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// What went wrong.
    pub message: String,
}

impl std::fmt::Debug for Expr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expr({:?})", self.0.source)
    }
}

impl Expr {
    /// Parses and checks. `roots` are the names that the root object offers; empty means any.
    ///
    /// # Errors
    /// Syntax, unknown functions, unknown root names.
    pub fn compile(source: &str, roots: &[&str]) -> Result<Self, ExprError> {
        let ast = check::parsed(source, roots)?;
        Ok(Self(Arc::new(Inner { source: source.to_owned(), ast })))
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Evaluates against a root object; `None` is JSONata's "nothing".
    ///
    /// # Errors
    /// A failing function, or a limit reached.
    pub fn eval(&self, input: &Value) -> Result<Option<Value>, EvalError> {
        Scope::new(input).eval(self)
    }

    /// Truthiness by JSONata's own rules; nothing is false.
    ///
    /// # Errors
    /// As [`Expr::eval`].
    pub fn test(&self, input: &Value) -> Result<bool, EvalError> {
        Ok(self.eval(input)?.is_some_and(|value| truthy(&value)))
    }
}

/// The functions that expressions may call beyond the standard ones, those that replace a standard one included.
pub fn functions() -> impl Iterator<Item = &'static str> {
    functions::names().chain(functions::OVERRIDES.iter().copied())
}

/// The methods of dates.
#[must_use]
pub fn date_methods() -> &'static [&'static str] {
    dates::METHODS
}

/// The methods of the `searchParams` of a parsed URL.
#[must_use]
pub fn search_methods() -> &'static [&'static str] {
    functions::urls::METHODS
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(truthy),
        Value::Object(map) => !map.is_empty(),
    }
}

/// A root object, converted once and evaluated many times. Not `Send`: use it within one synchronous block.
pub struct Scope(JValue);

impl Scope {
    /// Converts the root object.
    #[must_use]
    pub fn new(input: &Value) -> Self {
        Self(convert::to_engine(input))
    }

    /// Evaluates one expression.
    ///
    /// # Errors
    /// As [`Expr::eval`].
    pub fn eval(&self, expr: &Expr) -> Result<Option<Value>, EvalError> {
        let value = pool::evaluate(&expr.0.source, &expr.0.ast, &self.0)?;
        convert::from_engine(&value)
    }
}

#[cfg(test)]
mod tests;
