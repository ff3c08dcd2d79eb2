//! Calls that show a method at work, and how the vendor's own state shows what it did.

use koine_connector::expr::{EvalError, Expr, Scope};
use serde_json::{Map, Value, json};

use crate::Vendor;
use crate::spec::Computed;

/// One call of a unified method, by one who knows what the vendor holds.
#[derive(Clone, Debug)]
pub struct Case {
    /// `model.resource.method`, followed by a label where a method has several cases.
    pub name: String,
    /// The unified model.
    pub model: String,
    /// The resource.
    pub resource: String,
    /// The method.
    pub method: String,
    /// The case that goes before.
    pub after: Option<String>,
    /// Credential fields of the account that differ from the sandbox's own.
    pub context: Map<String, Value>,
    /// How many of 250 people a list shows.
    pub people: usize,
    /// An id of the right shape that nobody has; where the vendor cannot tell, there is none.
    pub unknown: Option<String>,
    /// What a change reports.
    pub outcome: String,
    /// Whether the list shows the person after the removal, too.
    pub listed: bool,
    /// The most faults at once that the walks try: expressions that take long leave time for one.
    pub most_faults: usize,
    pub(crate) id: Option<Expr>,
    pub(crate) query: Computed,
    pub(crate) body: Computed,
    pub(crate) done: Option<Expr>,
}

/// What a case is called with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseCall {
    /// The id in the path.
    pub id: Option<String>,
    /// The query.
    pub query: Map<String, Value>,
    /// The body.
    pub body: Map<String, Value>,
}

impl CaseCall {
    /// The same call about somebody whom the vendor does not know.
    #[must_use]
    pub fn about(&self, unknown: &str) -> Self {
        let mut call = self.clone();
        match &mut call.id {
            Some(id) => unknown.clone_into(id),
            None => drop(call.body.insert("user_id".to_owned(), unknown.into())),
        }
        call
    }
}

impl Case {
    /// Whether it changes something.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.done.is_some()
    }

    /// The call, from what the vendor holds now.
    ///
    /// # Errors
    /// An expression that fails.
    pub fn call(&self, vendor: &Vendor) -> Result<CaseCall, EvalError> {
        let root = json!({"state": vendor.state().root()});
        let scope = Scope::new(&root);
        let id = self.id.as_ref().map(|id| scope.eval(id)).transpose()?.flatten();
        let fields = |value: Value| match value {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Ok(CaseCall {
            id: id.map(|id| id.as_str().map_or_else(|| id.to_string(), ToOwned::to_owned)),
            query: fields(self.query.eval(&scope)?),
            body: fields(self.body.eval(&scope)?),
        })
    }

    /// Whether the vendor's state shows the effect of the call. A method that changes nothing has none.
    ///
    /// # Errors
    /// An expression that fails.
    pub fn is_done(&self, vendor: &Vendor, call: &CaseCall) -> Result<bool, EvalError> {
        let Some(done) = &self.done else { return Ok(false) };
        done.test(
            &json!({"state": vendor.state().root(), "id": call.id, "query": call.query, "body": call.body}),
        )
    }
}
