//! `<model>.yaml`: what the vendor's records and methods mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use koine_model::Effect;

use super::{ANSWER_ROOTS, ASK_ROOTS, expressions, parameters, pattern};
use crate::compiled::{Call, Choice, Connector, Lesser, Removal, Resource, Row, Step, Target, Verify, Wait};
use crate::expr::Expr;
use crate::problem::Problems;
use crate::reader::{Reader, compile_expr};
use crate::yaml::{Data, Node};

pub(super) fn compile(node: &Node, problems: &mut Problems) -> BTreeMap<String, Resource> {
    let mut resources = BTreeMap::new();
    let Data::Map(entries) = &node.data else {
        problems.add(&node.place, "a model file must be a map of resources", None);
        return resources;
    };
    for (name, (_, node)) in entries {
        if let Some(resource) = resource(node, problems) {
            resources.insert(name.clone(), resource);
        }
    }
    resources
}

fn resource(node: &Node, problems: &mut Problems) -> Option<Resource> {
    let reader = Reader::new(node, "a resource", problems)?;
    let mut resource = Resource { record: expressions(&reader, "record", problems), ..Resource::default() };
    let Data::Map(entries) = &node.data else { return None };
    for (name, (_, node)) in entries.iter().filter(|(name, _)| *name != "record") {
        if matches!(node.data, Data::Null) {
            continue;
        }
        if let Some(row) = row(node, problems) {
            resource.methods.insert(name.clone(), Arc::new(row));
        }
    }
    Some(resource)
}

fn row(node: &Node, problems: &mut Problems) -> Option<Row> {
    let reader = Reader::new(node, "a method", problems)?;
    let (resource, method) = call_choice(&reader, problems);
    let mapping = reader.expr("response_mapping", &[], problems);
    let whole = reader.text("response_mapping_method", problems) == Some("array");
    let row = Row {
        resource,
        method,
        id_pattern: pattern(&reader, "id_pattern", problems),
        query: reader.template_map("query", problems),
        query_mapping: reader.expr("query_mapping", ASK_ROOTS, problems),
        body: reader.template("body", problems),
        request_body_mapping: reader.expr("request_body_mapping", ASK_ROOTS, problems),
        path_mapping: reader.expr("path_mapping", ASK_ROOTS, problems),
        request_header_mapping: reader.expr("request_header_mapping", ASK_ROOTS, problems),
        query_schema: parameters(&reader, "query_schema", problems),
        request_body_schema: parameters(&reader, "request_body_schema", problems),
        select: reader.expr("select", ANSWER_ROOTS, problems),
        response_mapping: mapping.map(|expr| (expr, whole)),
        record: expressions(&reader, "record", problems),
        response_header_mapping: reader.expr("response_header_mapping", ANSWER_ROOTS, problems),
        error_mapping: reader.expr("error_mapping", &[ANSWER_ROOTS, &["error"]].concat(), problems),
        is_partial: reader.expr("is_partial_expression", ANSWER_ROOTS, problems),
        target: reader.node("target").and_then(|node| target(node, problems)),
        tombstone: reader.node("tombstone").and_then(|node| tombstone(node, problems)),
        before: reader.list("before", problems).iter().filter_map(|node| step(node, problems)).collect(),
        after: reader.list("after", problems).iter().filter_map(|node| step(node, problems)).collect(),
        guard: reader.list("guard", problems).iter().filter_map(|node| guard(node, problems)).collect(),
        removal: reader.node("removal").and_then(|node| removal(node, problems)),
        verify: reader.node("verify").and_then(|node| verify(node, problems)),
        lesser: reader.node("lesser").and_then(|node| lesser(node, problems)),
        already_gone: either(&reader, ["already_gone", "already_done"], problems),
        serialize_on: reader.text_template("serialize_on", problems),
    };
    reader.finish(problems);
    if row.resource.is_none() {
        problems.add(&node.place, "a method needs `call`, or `resource` and `method`", None);
    }
    if row.removal.is_some() && row.verify.is_none() {
        problems.add(&node.place, "a removal needs `verify`: which read proves it", None);
    }
    if row.tombstone.is_some() && (row.removal.is_none() || row.target.is_none()) {
        problems.add(&node.place, "a `tombstone` is for removals that read their `target`", None);
    }
    Some(row)
}

/// `call: users.list`, or `resource` and `method`.
fn call_choice(reader: &Reader<'_>, problems: &mut Problems) -> (Option<Choice>, Option<Choice>) {
    let call = reader.node("call").map(|node| (node, choice(node, "calls", problems)));
    let resource = reader.node("resource").and_then(|node| choice(node, "resources", problems));
    let method = reader.node("method").and_then(|node| choice(node, "methods", problems));
    match call {
        Some((_, Some(choice))) => (Some(choice), None),
        Some((_, None)) => (None, None),
        None => (resource, method),
    }
}

fn choice(node: &Node, list: &'static str, problems: &mut Problems) -> Option<Choice> {
    if let Data::Text(text) = &node.data {
        return Some(Choice::Fixed(text.clone()));
    }
    let reader = Reader::new(node, "a choice", problems)?;
    let expr = reader.expr("expression", ASK_ROOTS, problems);
    let allowed = reader.texts(list, problems);
    reader.finish(problems);
    if allowed.is_empty() {
        problems.add(&node.place, format!("a choice needs `{list}`, the list of what it may choose"), None);
    }
    Some(Choice::Chosen(expr?, allowed))
}

fn call(reader: &Reader<'_>, problems: &mut Problems) -> Option<Call> {
    let request = reader.node("call").and_then(|node| choice(node, "calls", problems));
    // Every key is asked for, so that a mistake in `call` does not make strangers of the others.
    let id = reader.expr("id", ASK_ROOTS, problems);
    let query = reader.template_map("query", problems);
    let body = reader.template("body", problems);
    let select = reader.expr("select", ANSWER_ROOTS, problems);
    Some(Call { request: request?, id, query, body, select })
}

fn target(node: &Node, problems: &mut Problems) -> Option<Target> {
    let reader = Reader::new(node, "`target`", problems)?;
    let target = match reader.text("get", problems) {
        Some(resource) => Some(Target::Get(resource.to_owned(), reader.expr("id", ASK_ROOTS, problems))),
        None => call(&reader, problems).map(Target::Call),
    };
    if target.is_none() {
        problems.add(&node.place, "`target` needs `get` or `call`", None);
    }
    reader.finish(problems);
    target
}

fn step(node: &Node, problems: &mut Problems) -> Option<Step> {
    let reader = Reader::new(node, "a step", problems)?;
    let step = Step {
        name: reader.text("name", problems).map(ToOwned::to_owned),
        call: call(&reader, problems),
        run_if: reader.expr("run_if", ASK_ROOTS, problems),
        main: reader.boolean("main", problems).unwrap_or(false),
        destructive: reader.boolean("destructive", problems),
        optional: reader.boolean("optional", problems).unwrap_or(false),
        wait: reader.node("wait").and_then(|node| wait(node, problems)),
    };
    if step.call.is_none() {
        problems.add(&node.place, "a step needs `call`", None);
    }
    reader.finish(problems);
    Some(step)
}

fn wait(node: &Node, problems: &mut Problems) -> Option<Wait> {
    let reader = Reader::new(node, "`wait`", problems)?;
    let call = call(&reader, problems);
    let until = reader.expr("until", ANSWER_ROOTS, problems);
    let (tries, delay_ms) = poll(&reader, problems);
    reader.finish(problems);
    Some(Wait { call: call?, until: until?, tries, delay_ms })
}

/// How often and how far apart; bounded so that no file can hold a call for minutes.
fn poll(reader: &Reader<'_>, problems: &mut Problems) -> (u32, u64) {
    let tries = reader.number("tries", problems).unwrap_or(5);
    let delay = reader.number("delay_ms", problems).unwrap_or(500);
    if tries == 0 || tries > 30 || delay > 5_000 {
        problems.add(reader.place(), "polls are bounded: `tries` 1 to 30, `delay_ms` at most 5000", None);
    }
    (u32::try_from(tries).unwrap_or(1), delay)
}

fn guard(node: &Node, problems: &mut Problems) -> Option<(crate::expr::Expr, String)> {
    let reader = Reader::new(node, "a guard", problems)?;
    let expr = reader.node("refuse_if").and_then(|node| compile_expr(node, ASK_ROOTS, problems));
    let message = reader.required("message", problems);
    reader.finish(problems);
    Some((expr?, message))
}

fn effect(reader: &Reader<'_>, problems: &mut Problems) -> Effect {
    let word = reader.required("effect", problems);
    Effect::parse(&word).unwrap_or_else(|| {
        let hint = "deletes, deactivates, reactivates, removes_membership or anonymises".to_owned();
        problems.add(reader.place(), format!("`{word}` is not an effect"), Some(hint));
        Effect::Deletes
    })
}

fn lesser(node: &Node, problems: &mut Problems) -> Option<Lesser> {
    let reader = Reader::new(node, "`lesser`", problems)?;
    let when = reader.expr("if", ANSWER_ROOTS, problems);
    let shown = reader.expr("shown", ANSWER_ROOTS, problems);
    let effect = effect(&reader, problems);
    let detail = reader.required("detail", problems);
    reader.finish(problems);
    if when.is_none() || shown.is_none() {
        problems.add(&node.place, "`lesser` needs `if` and `shown`", None);
    }
    Some(Lesser { when: when?, effect, shown: shown?, detail })
}

fn removal(node: &Node, problems: &mut Problems) -> Option<Removal> {
    let reader = Reader::new(node, "`removal`", problems)?;
    let removal = Removal {
        effect: effect(&reader, problems),
        reversible: reader.prose("reversible").unwrap_or_else(|| "unknown".to_owned()),
        seat_freed: reader.prose("seat_freed").unwrap_or_else(|| "unknown".to_owned()),
        content: reader.prose("content").unwrap_or_else(|| "unknown".to_owned()),
    };
    reader.finish(problems);
    Some(removal)
}

fn tombstone(node: &Node, problems: &mut Problems) -> Option<Call> {
    let reader = Reader::new(node, "`tombstone`", problems)?;
    let call = call(&reader, problems);
    reader.finish(problems);
    if call.is_none() {
        problems.add(&node.place, "`tombstone` needs `call`", None);
    }
    call
}

/// One expression under either of two names: who is reactivated is not gone, but the method is done.
fn either(reader: &Reader<'_>, names: [&'static str; 2], problems: &mut Problems) -> Option<Expr> {
    let [one, other] = names.map(|name| reader.expr(name, ANSWER_ROOTS, problems));
    if one.is_some() && other.is_some() {
        problems.add(
            reader.place(),
            format!("`{}` and `{}` say the same: write one", names[0], names[1]),
            None,
        );
    }
    one.or(other)
}

fn verify(node: &Node, problems: &mut Problems) -> Option<Verify> {
    let reader = Reader::new(node, "`verify`", problems)?;
    let call = call(&reader, problems);
    let gone = either(&reader, ["gone", "done"], problems);
    let repeat_if = reader.expr("repeat_if", ANSWER_ROOTS, problems);
    let (tries, delay_ms) = poll(&reader, problems);
    reader.finish(problems);
    if call.is_none() || gone.is_none() {
        problems.add(&node.place, "`verify` needs `call` and `gone` (or `done`)", None);
    }
    Some(Verify { call: call?, gone: gone?, repeat_if, tries, delay_ms })
}

/// The names of all requests that a row may send.
pub(super) fn calls_of(row: &Row) -> Vec<String> {
    let mut names = names_of_row(row);
    let steps = row.before.iter().chain(&row.after);
    let waits = steps.clone().filter_map(|step| step.wait.as_ref()).map(|wait| &wait.call);
    let calls = steps.filter_map(|step| step.call.as_ref()).chain(waits);
    let target = match &row.target {
        Some(Target::Call(call)) => Some(call),
        _ => None,
    };
    let proof = row.verify.as_ref().map(|verify| &verify.call);
    for call in calls.chain(target).chain(&row.tombstone).chain(proof) {
        names.extend(words(&call.request));
    }
    names
}

/// The row's own requests, and those of its steps that change something.
pub(crate) fn requests_that_count(connector: &Connector, row: &Row) -> Vec<String> {
    let mut names = names_of_row(row);
    for step in row.before.iter().chain(&row.after) {
        let called = step.call.iter().flat_map(|call| words(&call.request));
        names.extend(called.filter(|name| {
            let reads = connector.requests.get(name).is_some_and(|spec| spec.reads);
            step.destructive.unwrap_or(!reads)
        }));
    }
    names
}

fn names_of_row(row: &Row) -> Vec<String> {
    let Some(resource) = &row.resource else { return Vec::new() };
    let Some(method) = &row.method else { return words(resource) };
    let methods = words(method);
    words(resource)
        .iter()
        .flat_map(|resource| methods.iter().map(move |method| format!("{resource}.{method}")))
        .collect()
}

fn words(choice: &Choice) -> Vec<String> {
    match choice {
        Choice::Fixed(word) => vec![word.clone()],
        Choice::Chosen(_, words) => words.clone(),
    }
}
