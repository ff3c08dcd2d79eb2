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
mod pool;

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use jsonata_core::ast::AstNode;
use jsonata_core::value::JValue;
use serde_json::{Map, Value};

/// A compiled expression; cheap to clone.
#[derive(Clone)]
pub struct Expr(Arc<Inner>);

struct Inner {
    source: String,
    ast: AstNode,
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
        let needs = needs::of(&mut ast);
        Ok(Self(Arc::new(Inner { source: source.to_owned(), ast, needs })))
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

/// A root object that is evaluated many times; each part is converted once, when an expression first sees it. Not
/// `Send`: use it within one synchronous block.
pub struct Scope<'v> {
    root: Root<'v>,
    parts: RefCell<HashMap<&'v str, JValue>>,
    whole: OnceCell<JValue>,
}

/// Where names are looked up.
enum Root<'v> {
    One(&'v Value),
    /// The names over the object hide its own, and are hidden by none; those under it are hidden by its own.
    Layers {
        over: Vec<(&'v str, &'v Value)>,
        object: &'v Value,
        under: Vec<(&'v str, &'v Map<String, Value>)>,
    },
}

impl<'v> Scope<'v> {
    /// Over this root.
    #[must_use]
    pub fn new(input: &'v Value) -> Self {
        Self::of(Root::One(input))
    }

    /// Over an object with further names: those of `over` win, those of `under` give way.
    #[must_use]
    pub fn layered(
        over: Vec<(&'v str, &'v Value)>,
        object: &'v Value,
        under: Vec<(&'v str, &'v Map<String, Value>)>,
    ) -> Self {
        Self::of(Root::Layers { over, object, under })
    }

    fn of(root: Root<'v>) -> Self {
        Self { root, parts: RefCell::default(), whole: OnceCell::new() }
    }

    /// Evaluates one expression.
    ///
    /// # Errors
    /// As [`Expr::eval`].
    pub fn eval(&self, expr: &Expr) -> Result<Option<Value>, EvalError> {
        let Inner { source, ast, needs } = &*expr.0;
        let value = match needs.as_ref().filter(|_| self.root.has_names()) {
            Some(needs) => pool::evaluate(source, ast, &self.seen(needs))?,
            None => pool::evaluate(source, ast, self.whole.get_or_init(|| self.root.whole()))?,
        };
        convert::from_engine(&value)
    }

    /// The root with only these names.
    fn seen(&self, needs: &[String]) -> JValue {
        let mut parts = self.parts.borrow_mut();
        let found = needs.iter().filter_map(|name| {
            if let Some(part) = parts.get(name.as_str()) {
                return Some((name.clone(), part.clone()));
            }
            let (key, part) = self.root.part(name)?;
            parts.insert(key, part.clone());
            Some((name.clone(), part))
        });
        JValue::object(found.collect())
    }
}

impl<'v> Root<'v> {
    /// Whether it is an object, whose parts can be told apart.
    fn has_names(&self) -> bool {
        !matches!(self, Self::One(value) if !value.is_object())
    }

    fn part(&self, name: &str) -> Option<(&'v str, JValue)> {
        let inside = |value: &'v Value| {
            let (key, value) = value.as_object()?.get_key_value(name)?;
            Some((key.as_str(), convert::to_engine(value)))
        };
        match self {
            Self::One(value) => inside(value),
            Self::Layers { over, object, under } => {
                let over = over.iter().find(|(key, _)| *key == name);
                let over = over.map(|(key, value)| (*key, convert::to_engine(value)));
                let under = || under.iter().find(|(key, _)| *key == name);
                over.or_else(|| inside(object))
                    .or_else(|| under().map(|(key, map)| (*key, convert::object_to_engine(map))))
            }
        }
    }

    fn whole(&self) -> JValue {
        match self {
            Self::One(value) => convert::to_engine(value),
            Self::Layers { over, object, under } => {
                let own = object.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
                let names =
                    under.iter().map(|(key, _)| *key).chain(own).chain(over.iter().map(|(key, _)| *key));
                let parts = names.filter_map(|name| self.part(name));
                JValue::object(parts.map(|(key, part)| (key.to_owned(), part)).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests;
