//! What a vendor holds.

use indexmap::IndexMap;
use koine_connector::expr::{EvalError, Scope};
use koine_connector::problem::Problem;
use serde_json::{Map, Value, json};

use crate::spec::{Spec, Start};

/// The records of every collection.
#[derive(Clone, Debug, Default)]
pub(crate) struct State(pub IndexMap<String, Vec<Value>>);

impl State {
    /// As it is at the start.
    pub(crate) fn begin(spec: &Spec, people: &[Value]) -> Result<Self, Problem> {
        let mut state = Self::default();
        for (name, collection) in &spec.collections {
            let fail = |message: String| Problem { place: collection.place.clone(), message, hint: None };
            let records = match &collection.start {
                Start::Each(value) => people
                    .iter()
                    .map(|person| value.eval(&Scope::new(&json!({"person": person}))))
                    .collect::<Result<Vec<_>, _>>(),
                Start::Items(value) => {
                    let root = json!({"people": people, "state": state.root()});
                    let scope = Scope::new(&root);
                    value.eval(&scope).map(|value| match value {
                        Value::Array(items) => items,
                        Value::Null => Vec::new(),
                        one => vec![one],
                    })
                }
            };
            let records =
                records.map_err(|error: EvalError| fail(format!("collection `{name}`: {error}")))?;
            if records.iter().any(|record| record.get(&collection.key).is_none()) {
                return Err(fail(format!("a record of `{name}` has no `{}`", collection.key)));
            }
            state.0.insert(name.clone(), records);
        }
        Ok(state)
    }

    /// The `state` root.
    pub(crate) fn root(&self) -> Value {
        let collections = self.0.iter().map(|(name, records)| (name.clone(), Value::Array(records.clone())));
        Value::Object(collections.collect::<Map<_, _>>())
    }

    pub(crate) fn records(&self, name: &str) -> &[Value] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn records_mut(&mut self, name: &str) -> &mut Vec<Value> {
        self.0.entry(name.to_owned()).or_default()
    }
}
