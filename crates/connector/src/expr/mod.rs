//! JSONata with limits: the only place that knows the engine.
//!
//! An [`Expr`] is parsed and checked once, when its connector is loaded: functions that do not exist and root
//! names that its place does not offer fail there, not during a call. Evaluation is bounded in time, depth and
//! size of output. Integers that a double cannot hold go in as text, so that every digit of an id is kept.

mod check;
mod convert;
mod dates;
mod functions;
mod needs;
mod plain;
mod pool;
mod roots;
mod scope;

use std::sync::Arc;

use jsonata_core::ast::AstNode;
use serde_json::Value;

pub use roots::Roots;
pub use scope::Scope;

/// A compiled expression; cheap to clone.
#[derive(Clone)]
pub struct Expr(Arc<Inner>);

struct Inner {
    source: String,
    ast: AstNode,
    /// The same, where it is simple enough to do without the engine.
    plain: Option<plain::Plain>,
    /// What it can see of its root; `None`: all of it.
    needs: Option<Vec<String>>,
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
        let mut ast = check::parsed(source, roots)?;
        let (needs, plain) = (needs::of(&mut ast), plain::of(&ast));
        Ok(Self(Arc::new(Inner { source: source.to_owned(), ast, plain, needs })))
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Evaluates against a root object or a [`Scope`]; `None` is JSONata's "nothing".
    ///
    /// # Errors
    /// A failing function, or a limit reached.
    pub fn eval(&self, input: &(impl Input + ?Sized)) -> Result<Option<Value>, EvalError> {
        input.eval(self)
    }

    /// Truthiness by JSONata's own rules; nothing is false.
    ///
    /// # Errors
    /// As [`Expr::eval`].
    pub fn test(&self, input: &(impl Input + ?Sized)) -> Result<bool, EvalError> {
        Ok(self.eval(input)?.is_some_and(|value| truthy(&value)))
    }
}

/// What an expression can be evaluated against.
pub trait Input {
    /// Evaluates one expression.
    ///
    /// # Errors
    /// As [`Expr::eval`].
    fn eval(&self, expr: &Expr) -> Result<Option<Value>, EvalError>;
}

impl Input for Value {
    fn eval(&self, expr: &Expr) -> Result<Option<Value>, EvalError> {
        Scope::new(self).eval(expr)
    }
}

impl Input for Scope<'_> {
    fn eval(&self, expr: &Expr) -> Result<Option<Value>, EvalError> {
        Scope::eval(self, expr)
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

#[cfg(test)]
mod tests;
