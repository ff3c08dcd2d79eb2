//! The main request of a method: what it is, and what becomes of a whole write.

use std::sync::Arc;

use koine_model::Effect;
use serde_json::{Map, Value};

use super::types::{Failure, Mode, Send, Success};
use super::{Plan, Step, broken};
use crate::build::Additions;
use crate::compiled::{Choice, Connector, Row};
use crate::expr::Scope;

impl Plan {
    /// The main request of any method.
    pub(super) fn send_main(&mut self, connector: &Connector, row: &Row) -> Step<Option<Send>> {
        let name = match (&row.resource, &row.method) {
            (Some(Choice::Fixed(name)), None) => name.clone(),
            _ => self.main_name(row, &self.scope(true))?,
        };
        let spec = self.spec(connector, &name)?;
        self.begin_pages(spec)?;
        let scope = self.scope(true);
        let additions = self.additions(row, &scope, true)?;
        let mut send = self.build(connector, &name, &scope, additions)?;
        if spec.reads {
            let request = Arc::make_mut(&mut send.request);
            match self.is_list() {
                true => self.place_on_page(spec, request)?,
                false => self.place_on_gathered(spec, request)?,
            }
            return Ok(Some(send));
        }
        send.destructive = true;
        if let Some(body) = &self.ask.passthrough {
            // The caller's content type, not the connector's.
            let request = Arc::make_mut(&mut send.request);
            request.headers.retain(|(name, _)| name != "content-type");
            request.body = Some(body.clone());
        }
        if self.ask.mode == Mode::DryRun {
            self.planned.push(send);
            self.plan_verify(connector, row);
            self.end(Ok(Success::Planned), None, None);
            return Ok(None);
        }
        self.main_sends += 1;
        self.read_ok = false;
        Ok(Some(send))
    }

    pub(super) fn main_name(&self, row: &Row, scope: &Scope<'_>) -> Step<String> {
        let resource =
            row.resource.as_ref().ok_or_else(|| Failure::Connector("the method calls nothing".to_owned()))?;
        let first = self.choose(resource, scope)?;
        match &row.method {
            None => Ok(first),
            Some(method) => Ok(format!("{first}.{}", self.choose(method, scope)?)),
        }
    }

    /// Query, body, path and headers as the row maps them; of the main request `remote_query` and `remote_data` win.
    pub(super) fn additions(&self, row: &Row, scope: &Scope<'_>, main: bool) -> Step<Additions> {
        let object = |value: Option<Value>| match value {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        let eval = |what: &str, expr: Option<&crate::expr::Expr>| -> Step<Option<Value>> {
            expr.map_or(Ok(None), |expr| expr.eval(scope).map_err(|error| broken(what, &error)))
        };
        let render = |template: Option<&crate::template::Template>| -> Step<Option<Value>> {
            template
                .map(|template| template.fill(scope.roots()))
                .transpose()
                .map_err(|e| Failure::Input(e.to_string()))
        };
        let mut query = object(render(row.query.as_ref())?);
        query.extend(object(eval("query_mapping", row.query_mapping.as_ref())?));
        if main {
            query.extend(self.ask.remote_query.clone());
        }
        let mut body = render(row.body.as_ref())?;
        if let Some(mapped) = eval("request_body_mapping", row.request_body_mapping.as_ref())? {
            body = Some(match (body, mapped) {
                (Some(Value::Object(mut base)), Value::Object(over)) => {
                    base.extend(over);
                    Value::Object(base)
                }
                (_, mapped) => mapped,
            });
        }
        if main && !self.ask.remote_data.is_empty() {
            let mut merged = object(body);
            merged.extend(self.ask.remote_data.clone());
            body = Some(Value::Object(merged));
        }
        let path =
            eval("path_mapping", row.path_mapping.as_ref())?.and_then(|v| v.as_str().map(ToOwned::to_owned));
        let headers: Map<String, Value> =
            object(eval("request_header_mapping", row.request_header_mapping.as_ref())?);
        Ok(Additions { path, query, body, headers })
    }

    /// A dry run also names the read that would prove the effect.
    fn plan_verify(&mut self, connector: &Connector, row: &Row) {
        let Some(verify) = &row.verify else { return };
        if let Ok(send) = self.build_call(connector, &verify.call) {
            self.planned.push(send);
        }
    }

    pub(super) fn effect(&self) -> Option<Effect> {
        self.row.removal.as_ref().map(|removal| removal.effect)
    }

    /// Every step is done.
    pub(super) fn finish_write(&mut self, row: &Row) {
        let less = row.lesser.as_ref().filter(|_| self.did_less);
        let effect = less.map(|less| less.effect).or(row.removal.as_ref().map(|removal| removal.effect));
        let outcome = effect.map(Effect::achieved);
        let detail = self.aftermath.take().or_else(|| less.map(|less| less.detail.clone()));
        self.end(Ok(Success::Write), outcome, detail);
    }
}
