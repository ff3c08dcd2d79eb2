//! A root that many expressions see.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};

use jsonata_core::value::JValue;
use serde_json::Value;

use super::{EvalError, Expr, Inner, Roots, convert, plain, pool};

/// Names that are evaluated many times; each part is converted once, when an expression first sees it. Not `Send`: use
/// it within one synchronous block.
pub struct Scope<'v> {
    roots: Roots<'v>,
    parts: RefCell<Vec<(String, JValue)>>,
    whole: OnceCell<JValue>,
}

impl<'v> Scope<'v> {
    /// Over this root.
    #[must_use]
    pub fn new(roots: impl Into<Roots<'v>>) -> Self {
        Self { roots: roots.into(), parts: RefCell::default(), whole: OnceCell::new() }
    }

    /// What is seen.
    #[must_use]
    pub fn roots(&self) -> &Roots<'v> {
        &self.roots
    }

    /// The same with another value for one name.
    #[must_use]
    pub fn with(mut self, name: &'v str, value: Value) -> Self {
        self.roots.set(name, Cow::Owned(value));
        Self::new(self.roots)
    }

    /// Evaluates one expression.
    ///
    /// # Errors
    /// As [`Expr::eval`].
    pub fn eval(&self, expr: &Expr) -> Result<Option<Value>, EvalError> {
        let Inner { source, ast, plain, needs } = &*expr.0;
        let needs = needs.as_ref().filter(|_| self.has_names());
        let plain = plain.as_ref().filter(|_| needs.is_some());
        if let Some(Ok(result)) = plain.map(|plain| plain::eval(plain, &self.roots)) {
            return Ok(result);
        }
        let value = match needs {
            Some(needs) => pool::evaluate(source, ast, &self.seen(needs))?,
            None => pool::evaluate(source, ast, self.whole.get_or_init(|| self.converted()))?,
        };
        convert::from_engine(&value)
    }

    /// Whether there are parts that can be told apart.
    fn has_names(&self) -> bool {
        self.roots.alone().is_none_or(Value::is_object)
    }

    /// The root with only these names.
    fn seen(&self, needs: &[String]) -> JValue {
        JValue::object(needs.iter().filter_map(|name| Some((name.clone(), self.part(name)?))).collect())
    }

    fn part(&self, name: &str) -> Option<JValue> {
        let mut parts = self.parts.borrow_mut();
        if let Some((_, part)) = parts.iter().find(|(known, _)| known == name) {
            return Some(part.clone());
        }
        let part = convert::to_engine(self.roots.get(name)?);
        parts.push((name.to_owned(), part.clone()));
        Some(part)
    }

    fn converted(&self) -> JValue {
        if let Some(value) = self.roots.alone() {
            return convert::to_engine(value);
        }
        let parts = self.roots.names().filter_map(|name| Some((name.to_owned(), self.part(name)?)));
        JValue::object(parts.collect())
    }
}
