//! The roots that expressions and placeholders of a plan see.

use std::borrow::Cow;

use koine_model::{CredentialFields, Response};
use serde_json::{Map, Value};

use super::types::Ask;
use super::{Failure, Plan, Step, broken};
use crate::compiled::{RequestSpec, ResponseFormat};
use crate::expr::{Expr, Roots, Scope};

/// What of a call is shown, in the form in which it is shown.
pub(super) struct Seen {
    context: CredentialFields,
    id: Option<Value>,
    query: Value,
    raw_query: Value,
    pub(super) body: Value,
}

impl Seen {
    /// Takes it out of the question.
    pub(super) fn of(ask: &mut Ask) -> Self {
        let object = |map: &mut Map<String, Value>| Value::Object(std::mem::take(map));
        Self {
            context: ask.context.clone(),
            id: ask.id.clone().map(Value::String),
            query: object(&mut ask.query),
            raw_query: object(&mut ask.raw_query),
            body: object(&mut ask.body),
        }
    }

    pub(super) fn query(&self) -> &Value {
        &self.query
    }
}

impl Plan {
    /// Roots before an answer; with `secrets`, credential fields are complete and also at the top.
    pub(super) fn scope(&self, secrets: bool) -> Scope<'_> {
        Scope::new(self.roots(secrets))
    }

    fn roots(&self, secrets: bool) -> Roots<'_> {
        let Seen { context, id, query, raw_query, body } = &self.seen;
        let fields = if secrets { context.all() } else { context.shown() };
        let shown = [
            ("credentials", fields),
            ("context", fields),
            ("query", query),
            ("rawQuery", raw_query),
            ("body", body),
            ("before", &self.before),
        ];
        let shown = shown.into_iter().chain(self.target.as_ref().map(|target| ("target", target)));
        // Room for those of an answer too.
        let mut over = Vec::with_capacity(16);
        over.extend(shown.map(|(name, value)| (name, Some(Cow::Borrowed(value)))));
        over.extend(self.page_values().map(|values| ("pagination", Some(values))));
        // Without an id there is none, whatever credential field may have that name.
        over.push(("id", id.as_ref().map(Cow::Borrowed)));
        Roots::layered(over, if secrets { fields } else { &Value::Null }, Vec::new())
    }

    /// Roots over an answer: no secrets.
    pub(super) fn answer_scope(&self, response: &Response, record: Value, not_found: bool) -> Scope<'_> {
        let mut roots = self.roots(false);
        roots.set("data", Cow::Owned(response.json().unwrap_or(Value::Null)));
        roots.set("response", Cow::Owned(record));
        roots.set("status", Cow::Owned(response.status.into()));
        roots.set("headers", Cow::Owned(super::judge::headers(response)));
        roots.set("not_found", Cow::Owned(Value::Bool(not_found)));
        Scope::new(roots)
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
