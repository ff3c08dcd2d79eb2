//! The calls of fixtures, for people that the fixtures do not know.

use std::collections::{BTreeMap, BTreeSet};

use koine_connector::Connector;
use koine_fixtures::{Call, Report};
use serde_json::{Map, Value};

/// What is called of the sandbox, each sort in the order of the fixtures.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    pub lists: Vec<Call>,
    pub reads: Vec<Call>,
    /// Of somebody who does not exist.
    pub unknown: Vec<Call>,
    pub writes: Vec<Call>,
}

impl Planned {
    /// Calls that succeed or find nothing; calls that differ in ids only are one.
    pub(crate) fn of(connector: &Connector, reports: &[Report]) -> Self {
        let mut planned = Self::default();
        let mut known = BTreeSet::new();
        for report in reports {
            let Some(call) = &report.call else { continue };
            let call = Call { context: choices(connector, call), ..call.clone() };
            let status = report.answer["status"].as_u64().unwrap_or_default();
            let is_plan = call.query.contains_key("koine_plan");
            let shape = format!("{} {}", shape(&call), status);
            if is_plan || !(status < 400 || status == 404) || !known.insert(shape) {
                continue;
            }
            let sort = match (status, call.method.as_str()) {
                (404, _) if call.id.is_some() => &mut planned.unknown,
                (404, _) => continue,
                (_, "list") => &mut planned.lists,
                (_, "get") => &mut planned.reads,
                _ => &mut planned.writes,
            };
            sort.push(call);
        }
        // last of all who is removed for good
        planned.writes.sort_by_key(|call| call.method == "delete");
        planned
    }
}

/// What the account of a fixture chooses, such as the version of an API. The rest is as the sandbox wants it.
fn choices(connector: &Connector, call: &Call) -> Map<String, Value> {
    let fields = connector.credentials.values().flat_map(|kind| &kind.fields);
    let chosen = fields.filter(|(_, field)| field.default.is_some() && !field.secret);
    chosen.filter_map(|(name, _)| Some((name.clone(), call.context.get(name)?.clone()))).collect()
}

fn shape(call: &Call) -> String {
    let names = |map: &Map<String, Value>| map.keys().cloned().collect::<Vec<_>>().join(",");
    let fields = [&call.query, &call.body].map(names).join(" ");
    format!(
        "{} {} {} {fields} {}",
        call.model,
        call.resource,
        call.method,
        Value::Object(call.context.clone())
    )
}

/// Who lives in the sandbox: the ids of each resource, and everybody's addresses.
#[derive(Debug, Default)]
pub(crate) struct Residents {
    ids: BTreeMap<String, Vec<String>>,
    emails: BTreeMap<String, String>,
}

impl Residents {
    /// From the answer to a list.
    pub(crate) fn learn(&mut self, call: &Call, body: &Value) {
        for record in body["result"].as_array().into_iter().flatten() {
            let Some(id) = record["id"].as_str() else { continue };
            let ids = self.ids.entry(call.resource.clone()).or_default();
            if !ids.iter().any(|known| known == id) {
                ids.push(id.to_owned());
            }
            if let Some(email) = record["emails"][0]["email"].as_str() {
                self.emails.insert(id.to_owned(), email.to_owned());
            }
        }
    }

    /// The call with ids that exist: those of users, and of everything else, by their number.
    pub(crate) fn inhabit(&self, call: &Call, user: usize, other: usize) -> Call {
        let mut call = self.but_its_id(call);
        let pick = |resource: &str| self.pick(resource, if resource == "users" { user } else { other });
        if call.id.as_deref().is_some_and(|id| id != "-") {
            call.id = pick(&call.resource).or(call.id);
        }
        for (name, value) in &mut call.body {
            if let Some(id) = name.strip_suffix("_id").and_then(|resource| pick(&format!("{resource}s"))) {
                *value = Value::String(id);
            }
        }
        let user = self.pick("users", user);
        match user.and_then(|id| self.emails.get(&id)) {
            Some(email) if call.query.contains_key("emails") => {
                call.query.insert("emails".to_owned(), Value::String(email.clone()));
            }
            _ => {}
        }
        call
    }

    /// The call with ids that exist in its query, and with its own id.
    pub(crate) fn but_its_id(&self, call: &Call) -> Call {
        let mut call = call.clone();
        call.query.shift_remove("next_cursor");
        for (name, value) in &mut call.query {
            let resource = name.strip_suffix("_id").map(|resource| format!("{resource}s"));
            if let Some(id) = resource.and_then(|resource| self.pick(&resource, 0)) {
                *value = Value::String(id);
            } else if !value.is_string() && !value.is_object() && !value.is_array() {
                *value = Value::String(value.to_string());
            }
        }
        call
    }

    fn pick(&self, resource: &str, at: usize) -> Option<String> {
        self.ids.get(resource)?.get(at).cloned()
    }
}
