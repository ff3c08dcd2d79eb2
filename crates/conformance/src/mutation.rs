//! What the check is worth: every exchange of the built-in connectors is made wrong in every simple way, and each
//! must be told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use koine_connector::catalogue;
use koine_model::Body;
use serde_json::json;

use super::*;
use crate::check::Deviation;

/// Mutations tried and those that nothing was said of, by kind.
#[derive(Default)]
struct Tally(BTreeMap<&'static str, (usize, BTreeSet<String>)>);

impl Tally {
    fn note(&mut self, kind: &'static str, told: bool, what: String) {
        let (tried, missed) = self.0.entry(kind).or_default();
        *tried += 1;
        if !told {
            missed.insert(what);
        }
    }
}

struct Bench {
    against: Vec<Against>,
    /// What is told of the exchange as it is.
    before: Vec<Deviation>,
    tally: Tally,
}

impl Bench {
    fn deviations(&self, seen: &Seen) -> Vec<Deviation> {
        check::exchange(&self.against, seen).deviations
    }

    /// Whether something is told of the changed exchange that was not told of it as it is.
    fn is_told(&self, seen: &Seen, change: impl FnOnce(&mut Seen)) -> bool {
        let mut changed = seen.clone();
        change(&mut changed);
        self.deviations(&changed).iter().any(|deviation| !self.before.contains(deviation))
    }

    fn mutate(&mut self, seen: &Seen, operation: &str) {
        self.before = self.deviations(seen);
        self.paths(seen, operation);
        self.parameters(seen, operation);
        if let Some(Body::Json(body)) = &seen.request.body {
            self.body(seen, operation, body);
        }
        if let Some(answer) = seen.answer.as_ref().filter(|_| !seen.tells_error) {
            let told = self.is_told(seen, |seen| seen.answer.as_mut().unwrap().status = 399);
            self.tally.note("status", told, operation.to_owned());
            if let Some(body) = answer.json().filter(|_| answer.status < 400) {
                self.answer(seen, operation, &body);
            }
        }
    }

    /// Every segment that is no parameter gets another name.
    fn paths(&mut self, seen: &Seen, operation: &str) {
        let template: Vec<_> = operation.split('/').skip(1).collect();
        let sent: Vec<_> = seen.request.url.path().split('/').map(ToOwned::to_owned).collect();
        for (from_end, segment) in template.iter().rev().enumerate().filter(|(_, it)| !it.contains('{')) {
            let mut path = sent.clone();
            let at = path.len() - 1 - from_end;
            path[at].push_str("-not");
            let told = self.is_told(seen, |seen| seen.request.url.set_path(&path.join("/")));
            self.tally.note("path", told, format!("{operation}: {segment}"));
        }
    }

    /// A parameter too many, and each that is required left out.
    fn parameters(&mut self, seen: &Seen, operation: &str) {
        let told = self.is_told(seen, |seen| {
            seen.request.url.query_pairs_mut().append_pair("not_this", "1");
        });
        self.tally.note("parameter", told, operation.to_owned());
        let pairs: Vec<(String, String)> = seen.request.url.query_pairs().into_owned().collect();
        for (name, _) in &pairs {
            if !self.is_required(operation, name) {
                continue;
            }
            let rest = pairs.iter().filter(|(other, _)| other != name);
            let told = self.is_told(seen, |seen| {
                seen.request.url.query_pairs_mut().clear().extend_pairs(rest);
            });
            self.tally.note("parameter", told, format!("{operation}: {name}"));
        }
    }

    fn is_required(&self, operation: &str, name: &str) -> bool {
        let mut operations = self.against.iter().flat_map(|against| &against.specification.operations);
        let found = operations.find(|it| it.name() == operation).expect("it was matched");
        found.parameters.iter().any(|it| it.name == name && it.required)
    }

    /// Each property of what is sent gets another name, and another type.
    fn body(&mut self, seen: &Seen, operation: &str, body: &Value) {
        let sent = |body: Value| move |seen: &mut Seen| seen.request.body = Some(Body::Json(body));
        for (pointer, renamed, retyped) in mutants(body) {
            let what = || format!("{operation}: {pointer}");
            if let Some(renamed) = renamed {
                let told = self.is_told(seen, sent(renamed));
                self.tally.note("body renamed", told, what());
            }
            let told = self.is_told(seen, sent(retyped));
            self.tally.note("body retyped", told, what());
        }
    }

    /// Each value of an answer gets another type.
    fn answer(&mut self, seen: &Seen, operation: &str, body: &Value) {
        let given = |body: &Value| {
            let bytes = body.to_string().into_bytes();
            move |seen: &mut Seen| seen.answer.as_mut().unwrap().body = bytes.into()
        };
        for (pointer, renamed, retyped) in mutants(body) {
            let what = || format!("{operation}: {pointer}");
            if let Some(renamed) = renamed {
                let told = self.is_told(seen, given(&renamed));
                self.tally.note("answer renamed", told, what());
            }
            let told = self.is_told(seen, given(&retyped));
            self.tally.note("answer retyped", told, what());
        }
    }
}

/// For every value within (of lists the first item): its pointer, the whole with its name changed, and the whole with
/// its type changed.
fn mutants(value: &Value) -> Vec<(String, Option<Value>, Value)> {
    let mut pointers = Vec::new();
    collect(value, String::new(), &mut pointers);
    pointers
        .into_iter()
        .map(|pointer| {
            let mut retyped = value.clone();
            let at = retyped.pointer_mut(&pointer).unwrap();
            *at = if at.is_array() || at.is_object() { json!(7) } else { json!({"not": [[]]}) };
            let renamed = pointer.rsplit_once('/').and_then(|(parent, name)| {
                let mut renamed = value.clone();
                let map = renamed.pointer_mut(parent).unwrap().as_object_mut()?;
                let inner = map.shift_remove(name)?;
                map.insert(format!("{name}_not"), inner);
                Some(renamed)
            });
            (pointer, renamed, retyped)
        })
        .collect()
}

fn collect(value: &Value, at: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            map.iter()
                .filter(|(name, _)| !name.contains(['/', '~']))
                .for_each(|(name, inner)| collect(inner, format!("{at}/{name}"), pointers));
        }
        Value::Array(items) => {
            items.iter().take(1).for_each(|inner| collect(inner, format!("{at}/0"), pointers));
        }
        _ => {}
    }
    pointers.push(at);
}

#[tokio::test]
async fn what_is_made_wrong_is_told() {
    let Some(folder) = std::env::var_os("KOINE_VENDOR_SPECS").map(PathBuf::from) else {
        eprintln!("SKIPPED: KOINE_VENDOR_SPECS names no folder of vendors' specifications");
        return;
    };
    let material = Material {
        catalogue: Arc::new(Catalogue::embedded().unwrap_or_else(|problems| panic!("{problems}"))),
        files: catalogue::files(None).unwrap(),
        fixtures: catalogue::fixtures(None).unwrap(),
    };
    let mut tally = Tally::default();
    for connector in material.catalogue.connectors() {
        let specifications = specifications(connector, &folder).unwrap();
        let against: Vec<_> =
            specifications.into_iter().map(|(it, facts)| Against::new(it, &facts)).collect();
        if against.is_empty() {
            continue;
        }
        let mut bench = Bench { against, tally, before: Vec::new() };
        // one exchange of each operation with each status will do
        let mut done = BTreeSet::new();
        for seen in exchanges(&material, &connector.name).await.unwrap() {
            let operation = check::exchange(&bench.against, &seen).operation;
            let status = seen.answer.as_ref().map(|answer| answer.status);
            if let Some(operation) =
                operation.filter(|it| done.insert((it.clone(), status, seen.tells_error)))
            {
                bench.mutate(&seen, &operation);
            }
        }
        tally = bench.tally;
    }
    for (kind, (tried, missed)) in &tally.0 {
        // Bodies hold parts of which the specification leaves open what is in them, and a specification with a default
        // answer knows every status.
        let most = match *kind {
            "path" | "parameter" => tried / 50,
            "status" => tried / 20,
            _ => tried / 5,
        };
        assert!(*tried > 10 && missed.len() <= most, "{kind}: of {tried}, nothing was told of {missed:#?}");
    }
}
