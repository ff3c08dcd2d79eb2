//! What is read when an account is connected: `post_install` looks up what nobody has to type, `validation` tells whether
//! credentials work.

use super::expressions;
use crate::compiled::{Connector, ListCall, PostInstall};
use crate::problem::{Place, Problems};
use crate::reader::Reader;
use crate::yaml::Node;

pub(super) fn validation(node: &Node, problems: &mut Problems) -> Option<ListCall> {
    let reader = Reader::new(node, "validation", problems)?;
    let call = list_call(&reader, problems);
    reader.finish(problems);
    call
}

pub(super) fn post_install(node: &Node, problems: &mut Problems) -> Option<PostInstall> {
    let reader = Reader::new(node, "a step of `post_install`", problems)?;
    let call = list_call(&reader, problems);
    let context = expressions(&reader, "context", problems);
    if context.is_empty() {
        problems.add(reader.place(), "`context` names no credential field to fill", None);
    }
    reader.finish(problems);
    Some(PostInstall { call: call?, context })
}

fn list_call(reader: &Reader<'_>, problems: &mut Problems) -> Option<ListCall> {
    let call = reader.required("call", problems);
    let query = reader.node("query").map(Node::to_json);
    let mut words = call.split('.').map(ToOwned::to_owned);
    let (Some(model), Some(resource), Some(method), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        let hint = "for example user-directory.groups.list".to_owned();
        problems.add(reader.place(), format!("`{call}` is no `model.resource.method`"), Some(hint));
        return None;
    };
    let query = query.as_ref().and_then(serde_json::Value::as_object).cloned().unwrap_or_default();
    Some(ListCall { model, resource, method, query })
}

/// They are lists that there are, nothing is missing that they need, and what they fill can be done without.
pub(super) fn check(connector: &Connector, place: &Place, problems: &mut Problems) {
    if let Some(call) = &connector.validation {
        check_call("validation", call, connector, place, problems);
    }
    for PostInstall { call, context } in &connector.post_install {
        check_call("post_install", call, connector, place, problems);
        for name in context.keys() {
            let mut fields =
                connector.credentials.values().filter_map(|kind| kind.fields.get(name)).peekable();
            if fields.peek().is_none() {
                problems.add(
                    place,
                    format!("`post_install` fills `{name}`, which is no credential field"),
                    None,
                );
            }
            if fields.any(|field| field.required && field.default.is_none()) {
                let hint = "an account is saved without it first: `required: false`".to_owned();
                problems.add(place, format!("`post_install` fills `{name}`, which is required"), Some(hint));
            }
        }
    }
}

fn check_call(key: &str, call: &ListCall, connector: &Connector, place: &Place, problems: &mut Problems) {
    let ListCall { model, resource, method, query } = call;
    let name = format!("{model}.{resource}.{method}");
    let row = connector.models.get(model).and_then(|all| all.get(resource)?.methods.get(method));
    let Some(row) = row.filter(|_| method == "list") else {
        let hint = "a list needs no id and changes nothing".to_owned();
        return problems.add(place, format!("`{key}` names `{name}`, which is no list"), Some(hint));
    };
    for (parameter, spec) in &row.query_schema {
        if spec.required && !query.contains_key(parameter) {
            problems.add(place, format!("`{key}` calls `{name}` without `{parameter}`"), None);
        }
    }
}
