//! Requests of a plan, from their descriptions.

use std::sync::Arc;

use serde_json::Value;

use super::types::{Failure, Send};
use super::{Plan, Step, broken, from_build, row};
use crate::build::{self, Additions};
use crate::compiled::{Call, Choice, Connector, RequestSpec};
use crate::expr::{Expr, Scope};

impl Plan {
    /// The `get` row of a resource, with an id of its own; its steps are not run.
    pub(super) fn read_target(
        &self,
        connector: &Connector,
        resource: &str,
        id: Option<&Expr>,
    ) -> Step<Option<Send>> {
        let get = row(connector, &self.ask, resource, "get")?;
        let mut scope = self.scope(true);
        if let Some(expr) = id {
            let id = expr.eval(&scope).map_err(|error| broken("target.id", &error))?.unwrap_or(Value::Null);
            scope = scope.with("id", as_text(id));
        }
        let name = self.main_name(get, &scope)?;
        let additions = self.additions(get, &scope, false)?;
        let mut send = self.build(connector, &name, &scope, additions)?;
        self.place_on_gathered(self.spec(connector, &name)?, Arc::make_mut(&mut send.request))?;
        Ok(Some(send))
    }

    pub(super) fn build_call(&self, connector: &Connector, call: &Call) -> Step<Send> {
        let mut scope = self.scope(true);
        let name = self.choose(&call.request, &scope)?;
        if let Some(expr) = &call.id {
            let id = expr.eval(&scope).map_err(|error| broken("id", &error))?.unwrap_or(Value::Null);
            scope = scope.with("id", as_text(id));
        }
        let mut additions = Additions::default();
        if let Some(template) = &call.query {
            let value = template.fill(scope.roots()).map_err(|error| Failure::Input(error.to_string()))?;
            if let Value::Object(query) = value {
                additions.query = query;
            }
        }
        if let Some(template) = &call.body {
            additions.body =
                Some(template.fill(scope.roots()).map_err(|error| Failure::Input(error.to_string()))?);
        }
        let mut send = self.build(connector, &name, &scope, additions)?;
        self.place_on_gathered(self.spec(connector, &name)?, Arc::make_mut(&mut send.request))?;
        Ok(send)
    }

    pub(super) fn build(
        &self,
        connector: &Connector,
        name: &str,
        scope: &Scope<'_>,
        additions: Additions,
    ) -> Step<Send> {
        let spec = self.spec(connector, name)?;
        let request = build::request(connector, spec, &self.base, scope.roots(), additions);
        Ok(Send {
            request: Arc::new(request.map_err(from_build)?),
            delay_ms: self.delay_ms,
            step: name.to_owned(),
            destructive: false,
            no_auth: spec.no_auth,
        })
    }

    pub(super) fn spec<'a>(&self, connector: &'a Connector, name: &str) -> Step<&'a RequestSpec> {
        connector
            .requests
            .get(name)
            .ok_or_else(|| Failure::Connector(format!("{} has no request `{name}`", self.connector.name)))
    }

    pub(super) fn choose(&self, choice: &Choice, scope: &Scope<'_>) -> Step<String> {
        match choice {
            Choice::Fixed(name) => Ok(name.clone()),
            Choice::Chosen(expr, allowed) => {
                let value = expr.eval(scope).map_err(|error| broken("expression", &error))?;
                let name = value.as_ref().and_then(Value::as_str).unwrap_or_default();
                allowed.iter().find(|word| *word == name).cloned().ok_or_else(|| {
                    // What it gave was computed from the call, and may hold anything of it.
                    Failure::Connector(format!("the choice gave none of {}", allowed.join(", ")))
                })
            }
        }
    }
}

/// Ids are text everywhere.
fn as_text(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        other => other,
    }
}
