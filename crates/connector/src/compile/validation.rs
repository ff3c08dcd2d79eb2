//! `validation`: the read that tells whether credentials work.

use crate::compiled::{Connector, Validation};
use crate::problem::{Place, Problems};
use crate::reader::Reader;
use crate::yaml::Node;

pub(super) fn validation(node: &Node, problems: &mut Problems) -> Option<Validation> {
    let reader = Reader::new(node, "validation", problems)?;
    let call = reader.required("call", problems);
    let query = reader.node("query").map(Node::to_json);
    let place = reader.place();
    reader.finish(problems);
    let mut words = call.split('.').map(ToOwned::to_owned);
    let (Some(model), Some(resource), Some(method), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        let hint = "for example user-directory.groups.list".to_owned();
        problems.add(place, format!("`{call}` is no `model.resource.method`"), Some(hint));
        return None;
    };
    let query = query.as_ref().and_then(serde_json::Value::as_object).cloned().unwrap_or_default();
    Some(Validation { model, resource, method, query })
}

/// It is a list that there is, and nothing is missing that it needs.
pub(super) fn check(connector: &Connector, place: &Place, problems: &mut Problems) {
    let Some(Validation { model, resource, method, query }) = &connector.validation else { return };
    let name = format!("{model}.{resource}.{method}");
    let row = connector.models.get(model).and_then(|all| all.get(resource)?.methods.get(method));
    let Some(row) = row.filter(|_| method == "list") else {
        let hint = "a list needs no id and changes nothing".to_owned();
        return problems.add(place, format!("`validation` names `{name}`, which is no list"), Some(hint));
    };
    for (parameter, spec) in &row.query_schema {
        if spec.required && !query.contains_key(parameter) {
            problems.add(place, format!("`validation` calls `{name}` without `{parameter}`"), None);
        }
    }
}
