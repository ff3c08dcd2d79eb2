//! The administrative audit log: who did what to Koine itself, and from where.

use std::fmt;

use serde_json::{Map, Value};
use uuid::Uuid;

/// Who does something, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `operator`, `token:ID`, ….
    pub name: String,
    /// An address, or `command line`.
    pub source: String,
}

impl Actor {
    /// The person at the command line of the machine that holds the master key.
    #[must_use]
    pub fn operator() -> Self {
        Self { name: "operator".to_owned(), source: "command line".to_owned() }
    }
}

/// Something that somebody did to Koine itself.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// The environment it concerns, if one.
    pub environment_id: Option<Uuid>,
    /// Who did it.
    pub actor: Actor,
    /// What they did, as `noun.verb`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What it was like before. Stored readable: never put a secret here.
    pub before: Option<Value>,
    /// What it is like since. Stored readable: never put a secret here.
    pub after: Option<Value>,
}

impl AuditEntry {
    /// An entry without a before and after.
    #[must_use]
    pub fn new(by: &Actor, environment_id: Option<Uuid>, action: &str, subject: &dyn fmt::Display) -> Self {
        Self {
            environment_id,
            actor: by.clone(),
            action: action.to_owned(),
            subject: subject.to_string(),
            before: None,
            after: None,
        }
    }

    /// Says what changed: of two objects only the members that differ.
    #[must_use]
    pub fn changing(mut self, before: &Value, after: &Value) -> Self {
        let differing = |of: &Value, other: &Value| -> Value {
            let members = of.as_object().into_iter().flatten();
            let differing = members.filter(|(name, value)| other.get(name.as_str()) != Some(*value));
            Value::Object(differing.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
        };
        (self.before, self.after) = (Some(differing(before, after)), Some(differing(after, before)));
        self
    }

    /// Says what is there since.
    #[must_use]
    pub fn making(mut self, after: Value) -> Self {
        self.after = Some(after);
        self
    }

    /// Says what was there before.
    #[must_use]
    pub fn ending(mut self, before: Value) -> Self {
        self.before = Some(before);
        self
    }
}

/// An [`AuditEntry`] as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRecord {
    /// Its place in the log, from 1, without gaps.
    pub seq: i64,
    /// Its id.
    pub id: Uuid,
    /// When it was recorded.
    pub created_at: String,
    /// What happened.
    pub entry: AuditEntry,
}

/// Which entries to list; `None` is any.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only those that concern this environment.
    pub environment_id: Option<Uuid>,
    /// Only this actor's.
    pub actor: Option<String>,
    /// Only this action, or all of a noun (`token` for `token.create`, `token.revoke`, …).
    pub action: Option<String>,
    /// Only what was done to this.
    pub subject: Option<String>,
    /// Only those from this time on: ISO 8601 with an offset.
    pub since: Option<String>,
    /// Only those before this time: ISO 8601 with an offset.
    pub until: Option<String>,
}

/// What became of a look at the whole log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCheck {
    /// How many entries are as they were written.
    pub entries: i64,
    /// The end of the chain, in hexadecimal: note it elsewhere to notice when the end is cut off.
    pub head: String,
    /// Where the chain breaks, and how.
    pub broken: Option<String>,
}
