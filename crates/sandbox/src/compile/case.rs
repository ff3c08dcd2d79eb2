//! The cases of a `sandbox.yaml`.

use indexmap::IndexMap;
use koine_connector::Problems;
use koine_connector::problem::Place;
use koine_connector::reader::Reader;
use koine_connector::yaml::Node;
use serde_json::Value;

use super::{computed, object};
use crate::case::Case;
use crate::people;
use crate::spec::Computed;

pub(super) fn cases(reader: &Reader<'_>, problems: &mut Problems) -> IndexMap<String, Case> {
    let mut cases = IndexMap::new();
    for (name, place, node) in reader.entries("cases", problems) {
        cases.extend(case(name, place, node, problems).map(|case| (name.to_owned(), case)));
    }
    for case in cases.values() {
        if let Some(after) = case.after.as_ref().filter(|after| !cases.contains_key(*after)) {
            let message = format!("`{}` comes after `{after}`, which is no case", case.name);
            problems.add(reader.place(), message, None);
        }
    }
    cases
}

fn case(name: &str, place: &Place, node: &Node, problems: &mut Problems) -> Option<Case> {
    let keys = Reader::new(node, "a case", problems)?;
    let literal = Computed::Literal(Value::Null);
    let part = |key: &'static str, problems: &mut Problems| {
        keys.node(key).and_then(|node| computed(node, problems)).unwrap_or_else(|| literal.clone())
    };
    let mut case = Case {
        name: name.to_owned(),
        model: String::new(),
        resource: String::new(),
        method: String::new(),
        after: keys.text("after", problems).map(ToOwned::to_owned),
        context: object(keys.node("context")),
        people: keys.number("people", problems).map_or(people::HOW_MANY, |count| count as usize),
        unknown: keys.text("unknown", problems).map(ToOwned::to_owned),
        outcome: keys.text("outcome", problems).unwrap_or_default().to_owned(),
        listed: keys.boolean("listed", problems).unwrap_or(false),
        most_faults: keys.number("faults", problems).map_or(usize::MAX, |count| count as usize),
        id: keys.expr("id", &["state"], problems),
        query: part("query", problems),
        body: part("body", problems),
        done: keys.expr("done", &["state", "id", "query", "body"], problems),
    };
    keys.finish(problems);
    let method = name.split(' ').next().unwrap_or_default();
    let [model, resource, method] = method.split('.').collect::<Vec<_>>()[..] else {
        let hint = "write `user-directory.users.delete`, and a label after a space if there are several";
        problems.add(place, format!("`{name}` is not a case"), Some(hint.to_owned()));
        return None;
    };
    (case.model, case.resource, case.method) = (model.to_owned(), resource.to_owned(), method.to_owned());
    if case.outcome.is_empty() {
        case.outcome = match method {
            "deactivate" => "deactivated",
            "reactivate" => "reactivated",
            _ => "removed",
        }
        .to_owned();
    }
    if !matches!(method, "list" | "get") && case.done.is_none() {
        problems.add(place, format!("`{name}` needs `done`: how the vendor's state shows the effect"), None);
    }
    Some(case)
}
