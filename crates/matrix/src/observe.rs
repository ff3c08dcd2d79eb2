//! One case after another, through the gateway, with the vendor's own state as the truth.

use std::collections::{BTreeMap, BTreeSet};

use koine_sandbox::{Case, CaseCall, Vendor};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::cells::Need;
use crate::parameters;
use crate::world::{Told, World};

/// What one case came to.
#[derive(Clone, Debug, Serialize)]
pub struct Observed {
    /// The connector's name.
    pub connector: String,
    /// The case's name: `model.resource.method`, and a label.
    pub case: String,
    /// `model.resource.method`.
    pub operation: String,
    /// What a change reported.
    pub outcome: Option<String>,
    /// What a second change reported.
    pub again: Option<String>,
    /// Fields of the record that held something.
    pub fields: BTreeSet<String>,
    /// Parameters that were given, and what happened without them.
    pub parameters: BTreeMap<String, (Section, Need)>,
    /// What was not as it should be.
    pub problems: Vec<String>,
}

/// Where a parameter is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Section {
    /// In the query.
    #[serde(rename = "Query Parameters")]
    Query,
    /// In the body.
    #[serde(rename = "Request Body")]
    Body,
    /// A field of the answer.
    #[serde(rename = "Response Body")]
    Response,
}

/// Makes all calls of a connector's cases. Every case begins with the vendor as it is at the start.
pub async fn observe(world: &World<'_>, connector: &str, account: Uuid) -> Vec<Observed> {
    let Some(vendor) = world.serving.vendor(connector) else { return Vec::new() };
    let mut all = Vec::new();
    for case in vendor.cases().values() {
        // Another kind of account is for the walks.
        if case.context.is_empty() {
            all.push(Trial { world, connector, account, case, noted: noted(connector, case) }.run().await);
        }
    }
    world.serving.reset(connector);
    all
}

fn noted(connector: &str, case: &Case) -> Observed {
    Observed {
        connector: connector.to_owned(),
        case: case.name.clone(),
        operation: format!("{}.{}.{}", case.model, case.resource, case.method),
        outcome: None,
        again: None,
        fields: BTreeSet::new(),
        parameters: BTreeMap::new(),
        problems: Vec::new(),
    }
}

/// A case while it is tried.
pub(crate) struct Trial<'a> {
    pub world: &'a World<'a>,
    pub connector: &'a str,
    pub account: Uuid,
    pub case: &'a Case,
    pub noted: Observed,
}

impl Trial<'_> {
    async fn run(mut self) -> Observed {
        match self.begin().await {
            Ok(call) => {
                match self.case.method.as_str() {
                    "list" => self.list(&call).await,
                    "get" => self.get(&call).await,
                    _ => self.change(&call).await,
                }
                parameters::observe(&mut self, &call).await;
            }
            Err(problem) => self.noted.problems.push(problem),
        }
        self.noted
    }

    /// The vendor at the start, or after the case that goes before; then the call.
    pub(crate) async fn begin(&self) -> Result<CaseCall, String> {
        self.world.serving.reset(self.connector);
        if let Some(after) = &self.case.after {
            let vendor = self.vendor();
            let before = &vendor.cases()[after];
            let call = before.call(&vendor).map_err(|error| format!("{after}: {error}"))?;
            let told = self.world.call(self.account, before, &call, &[]).await;
            if told.status != 200 {
                return Err(format!("{after}, which goes before: {}", told.said()));
            }
        }
        self.case.call(&self.vendor()).map_err(|error| format!("the call cannot be computed: {error}"))
    }

    pub(crate) fn vendor(&self) -> Vendor {
        self.world.serving.vendor(self.connector).expect("it was there a moment ago")
    }

    pub(crate) async fn call(&self, call: &CaseCall, special: &[(&str, &str)]) -> Told {
        self.world.call(self.account, self.case, call, special).await
    }

    fn wrong(&mut self, what: &str, told: &Told) {
        self.noted.problems.push(format!("{what}: {}", told.said()));
    }

    async fn list(&mut self, call: &CaseCall) {
        let all = match self.world.all(self.account, self.case, &call.query).await {
            Ok(all) => all,
            Err(told) => return self.wrong("the list", &told),
        };
        let ids: BTreeSet<_> = all.iter().filter_map(|record| record["id"].as_str()).collect();
        if ids.len() != all.len() {
            self.noted.problems.push("a record without an id, or one that comes twice".to_owned());
        }
        if self.case.resource == "users" && all.len() != self.case.people {
            let told = format!("the list shows {} people, and {} are there", all.len(), self.case.people);
            self.noted.problems.push(told);
        }
        if all.is_empty() {
            self.noted.problems.push("the list is empty".to_owned());
        }
        all.iter().for_each(|record| self.note_fields(record));
    }

    async fn get(&mut self, call: &CaseCall) {
        let got = self.call(call, &[]).await;
        if got.status != 200 || got.body["id"].as_str().is_none() {
            self.wrong("reading it", &got);
        }
        self.note_fields(&got.body);
        self.unknown(call).await;
    }

    async fn change(&mut self, call: &CaseCall) {
        self.plan(call).await;
        let done = self.call(call, &[]).await;
        self.noted.outcome = done.outcome.map(ToOwned::to_owned);
        if (done.status, done.outcome) != (200, Some(self.case.outcome.as_str())) {
            return self.wrong(&format!("`{}` was expected", self.case.outcome), &done);
        }
        self.note_fields(&done.body);
        match self.case.is_done(&self.vendor(), call) {
            Ok(true) => {}
            Ok(false) => self.noted.problems.push("the vendor's state does not show the effect".to_owned()),
            Err(error) => self.noted.problems.push(format!("`done` cannot be computed: {error}")),
        }
        self.gone_from_list(call).await;
        let again = self.call(call, &[]).await;
        self.noted.again = again.outcome.map(ToOwned::to_owned);
        let same = again.outcome == Some("already_gone") && self.case.method != "reactivate"
            || matches!(self.case.method.as_str(), "deactivate" | "reactivate")
                && again.outcome == done.outcome;
        if again.status != 200 || !same {
            self.wrong("a second time", &again);
        }
        self.unknown(call).await;
    }

    /// A plan names what it would do, and does nothing.
    async fn plan(&mut self, call: &CaseCall) {
        let before = self.vendor();
        let plan = self.call(call, &[("koine_plan", "true")]).await;
        let steps = plan.body["plan"]["steps"].as_array().map_or(0, Vec::len);
        if plan.status != 200 || plan.outcome.is_some() || steps == 0 {
            self.wrong("the plan", &plan);
        }
        if !self.vendor().holds_the_same_as(&before) {
            self.noted.problems.push("the plan changed something".to_owned());
        }
    }

    async fn gone_from_list(&mut self, call: &CaseCall) {
        let Some(id) = call.id.as_deref().filter(|_| self.case.method == "delete") else { return };
        let vendor = self.vendor();
        let listed = |case: &&Case| {
            (&case.model, &case.resource, case.method.as_str())
                == (&self.case.model, &self.case.resource, "list")
        };
        // Lists may want other parameters than removals.
        let Some(list) = vendor.cases().values().filter(listed).find_map(|case| case.call(&vendor).ok())
        else {
            return self.noted.problems.push("no case shows the list".to_owned());
        };
        // What both know is as the removal had it.
        let mut query = list.query;
        for (name, value) in &mut query {
            if let Some(own) = call.query.get(name) {
                value.clone_from(own);
            }
        }
        match self.world.all(self.account, self.case, &query).await {
            Ok(all) => {
                let there = all.iter().any(|record| record["id"] == id);
                if there != self.case.listed {
                    let told = if there {
                        "the list shows the person still"
                    } else {
                        "the list shows the person no more"
                    };
                    self.noted.problems.push(told.to_owned());
                }
            }
            Err(told) => self.wrong("the list after it", &told),
        }
    }

    /// Somebody whom the vendor does not know is a 404.
    async fn unknown(&mut self, call: &CaseCall) {
        let Some(unknown) = &self.case.unknown else { return };
        let told = self.call(&call.about(unknown), &[]).await;
        if told.status != 404 {
            self.wrong("somebody unknown", &told);
        }
    }

    fn note_fields(&mut self, record: &Value) {
        let fields = record.as_object().into_iter().flatten();
        let fields = fields.filter(|(name, value)| *name != "remote_data" && holds_something(value));
        self.noted.fields.extend(fields.map(|(name, _)| name.clone()));
    }
}

fn holds_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}
