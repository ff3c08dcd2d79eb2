//! What a connector is and can do, for people and forms.

use koine_connector::Connector;
use koine_connector::compiled::{Parameter, Row};
use koine_connector::expr::Expr;
use koine_connector::facts::Confidence;
use koine_connector::pattern::Pattern;
use serde_json::{Map, Value, json};

/// A connector in short: identity, credential fields, resources and methods.
#[must_use]
pub fn describe(connector: &Connector) -> Value {
    let credentials: Map<String, Value> = connector
        .credentials
        .iter()
        .map(|(name, kind)| {
            let fields: Vec<Value> = kind
                .fields
                .iter()
                .map(|(name, field)| {
                    json!({"name": name, "label": field.label, "secret": field.secret, "required": field.required,
                           "pattern": field.pattern.as_ref().map(Pattern::as_str), "example": field.example,
                           "help": field.help})
                })
                .collect();
            (name.clone(), json!({"fields": fields}))
        })
        .collect();
    let models: Map<String, Value> = connector
        .models
        .iter()
        .map(|(model, resources)| {
            let resources: Map<String, Value> = resources
                .iter()
                .map(|(name, resource)| {
                    let methods = resource.methods.keys().filter(|method| *method != "find");
                    (name.clone(), json!(methods.collect::<Vec<_>>()))
                })
                .collect();
            (model.clone(), Value::Object(resources))
        })
        .collect();
    json!({"name": connector.name, "label": connector.label, "category": connector.category, "api": connector.api,
           "credentials": credentials, "models": models})
}

/// The same with what is known of each method: parameters, what a removal does, how sure that is.
#[must_use]
pub fn describe_fully(connector: &Connector) -> Value {
    let mut all = describe(connector);
    let facts = &connector.facts;
    let mut methods = Vec::new();
    for (model, resources) in &connector.models {
        for (resource, meaning) in resources {
            let public = meaning.methods.iter().filter(|(name, _)| *name != "find");
            methods.extend(
                public.map(|(name, row)| method(connector, &format!("{model}.{resource}.{name}"), row)),
            );
        }
    }
    let unsupported = facts.unsupported.iter().map(|item| json!({"what": item.what, "why": item.why}));
    all["methods"] = Value::Array(methods);
    all["unsupported"] = unsupported.collect();
    all["sources"] = json!(facts.sources);
    all["notes"] = json!(facts.notes);
    all
}

fn method(connector: &Connector, name: &str, row: &Row) -> Value {
    let parameters = [("query", &row.query_schema), ("body", &row.request_body_schema)];
    let parameters: Vec<Value> = parameters
        .into_iter()
        .flat_map(|(place, schema)| schema.iter().map(move |one| parameter(place, one)))
        .collect();
    let removal = row.removal.as_ref().map(|removal| {
        json!({"effect": removal.effect, "reversible": removal.reversible, "seat_freed": removal.seat_freed,
               "content": removal.content})
    });
    json!({"method": name, "parameters": parameters, "removal": removal, "confidence": confidence(connector, row),
           "source": connector.facts.of_method(connector, row).map(Confidence::as_str)})
}

/// The word of the method's weakest request; `unverified` when the vendor itself never said it to us.
pub(crate) fn confidence(connector: &Connector, row: &Row) -> &'static str {
    let known = connector.facts.of_method(connector, row);
    known.filter(|confidence| confidence.is_verified()).map_or("unverified", Confidence::as_str)
}

fn parameter(place: &str, (name, parameter): (&String, &Parameter)) -> Value {
    json!({"name": name, "in": place, "type": parameter.kind, "required": parameter.required,
           "required_if": parameter.required_if.as_ref().map(Expr::source),
           "enum": (!parameter.values.is_empty()).then_some(&parameter.values),
           "pattern": parameter.pattern.as_ref().map(Pattern::as_str), "note": parameter.note})
}
