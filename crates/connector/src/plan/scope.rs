//! The roots that expressions and placeholders of a plan see.

use koine_model::Response;
use serde_json::{Map, Value};

use super::{Failure, Plan, Step, broken};
use crate::compiled::{RequestSpec, ResponseFormat};
use crate::expr::Expr;

impl Plan {
    /// Roots before an answer; with `secrets`, credential fields are complete and also at the top.
    pub(super) fn scope(&self, secrets: bool) -> Value {
        let ask = &self.ask;
        let mut context = ask.context.clone();
        if !secrets {
            context.retain(|name, _| !ask.secret_fields.contains(name));
        }
        let mut scope = if secrets { context.clone() } else { Map::new() };
        scope.insert("credentials".to_owned(), Value::Object(context.clone()));
        scope.insert("context".to_owned(), Value::Object(context));
        scope.insert("query".to_owned(), Value::Object(ask.query.clone()));
        scope.insert("rawQuery".to_owned(), Value::Object(ask.raw_query.clone()));
        scope.insert("body".to_owned(), Value::Object(ask.body.clone()));
        scope.insert("before".to_owned(), Value::Object(self.before.clone()));
        if let Some(target) = &self.target {
            scope.insert("target".to_owned(), target.clone());
        }
        if let Some(values) = self.page_values() {
            scope.insert("pagination".to_owned(), values);
        }
        match &ask.id {
            Some(id) => scope.insert("id".to_owned(), Value::String(id.clone())),
            None => scope.remove("id"),
        };
        Value::Object(scope)
    }

    /// Roots over an answer: no secrets.
    pub(super) fn answer_scope(&self, response: &Response, record: Value, not_found: bool) -> Value {
        let mut scope = self.scope(false);
        if let (Value::Object(scope), Value::Object(wire)) = (&mut scope, super::judge::wire_scope(response))
        {
            scope.extend(wire);
            scope.insert("response".to_owned(), record);
            scope.insert("not_found".to_owned(), Value::Bool(not_found));
        }
        scope
    }

    /// What the request's `response_path` points at.
    pub(super) fn at_path(&self, spec: &RequestSpec, response: &Response) -> Step<Option<Value>> {
        let data = if spec.response_format == ResponseFormat::Binary { None } else { body_of(response)? };
        match (&spec.response_path, data) {
            (Some(path), Some(data)) => path.eval(&data).map_err(|error| broken("response_path", &error)),
            (_, data) => Ok(data),
        }
    }

    /// What `select` picks of it.
    pub(super) fn selected(
        &self,
        select: Option<&Expr>,
        response: &Response,
        at: Option<Value>,
    ) -> Step<Option<Value>> {
        let Some(select) = select else { return Ok(at) };
        let scope = self.answer_scope(response, at.unwrap_or(Value::Null), false);
        select.eval(&scope).map_err(|error| broken("select", &error))
    }
}

/// The parsed body; an answer that promises JSON and is not is the vendor's failure.
pub(super) fn body_of(response: &Response) -> Step<Option<Value>> {
    if response.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    response.json().map(Some).ok_or_else(|| {
        let kind = response.header("content-type").unwrap_or("unknown type");
        Failure::Unreachable(format!(
            "the vendor answered {} with something that is not JSON ({kind})",
            response.status
        ))
    })
}
