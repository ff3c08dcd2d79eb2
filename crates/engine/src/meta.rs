//! What a method takes and gives, for programs that build forms and documentation from it.

use koine_connector::Connector;
use koine_connector::compiled::{Parameter, Resource, Row};
use koine_connector::template::Template;
use koine_model::NameMap;
use koine_model::{Error, Field, FieldType, ResourceSpec};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::account::connect_to;
use crate::{Caller, Engine, Operation};

/// Which method is meant.
#[derive(Clone, Debug)]
pub struct MetaCall {
    /// Model name as in the path.
    pub model: String,
    /// Resource name as in the path.
    pub resource: String,
    /// Method name as in the path.
    pub method: String,
    /// The connector's name; `None` for that of the account.
    pub connector: Option<String>,
    /// The account, which may be left out where the connector is named.
    pub account: Option<Uuid>,
}

impl Engine {
    /// One method of one connector: `{method, schema, response_schema, query_schema, request_body_schema,
    /// response_mapping, default_query, default_body, documentation_link}`. The schemas are JSON Schema.
    ///
    /// # Errors
    /// 400 when neither connector nor account is named, 404 for what does not exist.
    pub async fn method_meta(&self, caller: &Caller, call: &MetaCall) -> Result<Value, Error> {
        let account = match call.account {
            Some(id) => Some(connect_to(self, caller, id).await?.connector.name.clone()),
            None => None,
        };
        let name = call.connector.as_ref().or(account.as_ref());
        let name = name.ok_or_else(|| Error::invalid("`integrated_account_id` is required"))?;
        if account.as_ref().is_some_and(|account| account != name) {
            return Err(Error::invalid(format!("the integrated account is not one of `{name}`")));
        }
        let catalogue = &self.parts.catalogue;
        let connector = catalogue.connector(name).ok_or_else(|| Self::unknown("connector", name))?;
        let model = catalogue.model(&call.model).ok_or_else(|| Self::unknown("model", &call.model))?;
        let resource = call.resource.replace('_', "-");
        let spec = model.resources.get(&resource);
        let spec =
            spec.ok_or_else(|| Self::unknown(&format!("resource of {}", model.name), &call.resource))?;
        let operation = Operation::named(&call.method.replace('_', "-"));
        if !spec.methods.contains_key(operation.name()) {
            return Err(Self::unknown(&format!("method of {}/{resource}", model.name), &call.method));
        }
        let meaning = connector.models.get(&model.name).and_then(|resources| resources.get(&resource));
        let found = meaning.and_then(|meaning| Some((meaning, meaning.methods.get(operation.name())?)));
        let (meaning, row) = found.ok_or_else(|| {
            let method = operation.name();
            Error::not_found(format!(
                "{} does not support `{method}` on {}/{resource}",
                connector.label, model.name
            ))
        })?;
        Ok(method(connector, spec, meaning, &operation, row))
    }

    /// What a customer needs before a connector works: `{pricing_plan, user_role, scopes, instructions}`, the
    /// instructions in Markdown.
    ///
    /// # Errors
    /// 404 for a model or connector that does not exist, or a connector without that model.
    pub fn connector_meta(&self, model: &str, name: &str) -> Result<Value, Error> {
        let catalogue = &self.parts.catalogue;
        let model = catalogue.model(model).ok_or_else(|| Self::unknown("model", model))?;
        let connector = catalogue.connector(name).ok_or_else(|| Self::unknown("connector", name))?;
        if !connector.models.contains_key(&model.name) {
            return Err(Error::not_found(format!("{} has no {}", connector.label, model.name)));
        }
        let requires = &connector.facts.requires;
        Ok(json!({"pricing_plan": requires.plans, "user_role": requires.roles, "scopes": requires.scopes,
                  "instructions": connector.setup}))
    }
}

fn method(
    connector: &Connector,
    spec: &ResourceSpec,
    meaning: &Resource,
    operation: &Operation,
    row: &Row,
) -> Value {
    let link = connector.facts.sources.iter().find(|source| source.starts_with("https://"));
    let required_body = spec.methods.get(operation.name()).map_or(&[][..], |method| &method.required_body);
    json!({
        "method": operation.name(),
        "schema": record_schema(spec, |_| true),
        "response_schema": record_schema(spec, |field| fills(meaning, row, field)),
        "query_schema": parameters_schema(&row.query_schema, &[]),
        "request_body_schema": parameters_schema(&row.request_body_schema, required_body),
        "response_mapping": response_mapping(meaning, row),
        "default_query": row.query.as_ref().map(Template::source),
        "default_body": row.body.as_ref().map(Template::source),
        "documentation_link": link,
    })
}

/// Whether the connector gives a field a value; a mapping of the whole answer may give any.
fn fills(meaning: &Resource, row: &Row, field: &str) -> bool {
    row.response_mapping.is_some() || row.record.contains_key(field) || meaning.record.contains_key(field)
}

/// The mapping as one JSONata expression over a vendor record.
fn response_mapping(meaning: &Resource, row: &Row) -> String {
    if let Some((whole, _)) = &row.response_mapping {
        return whole.source().to_owned();
    }
    let fields = meaning.record.iter().filter(|(name, _)| !row.record.contains_key(*name)).chain(&row.record);
    let fields: Vec<String> =
        fields.map(|(name, expr)| format!("  \"{name}\": ({})", expr.source().trim())).collect();
    format!("{{\n{}\n}}", fields.join(",\n"))
}

fn record_schema(spec: &ResourceSpec, is_wanted: impl Fn(&str) -> bool) -> Value {
    let fields = || spec.fields.iter().filter(|(name, _)| is_wanted(name));
    let mut properties: Map<String, Value> =
        fields().map(|(name, field)| (name.clone(), field_schema(field))).collect();
    properties.insert(
        "remote_data".to_owned(),
        json!({"type": "object", "description": "The vendor's own record."}),
    );
    let required: Vec<&String> = fields().filter(|(_, field)| field.required).map(|(name, _)| name).collect();
    json!({"type": "object", "description": spec.description, "properties": properties, "required": required})
}

fn field_schema(field: &Field) -> Value {
    let mut schema = type_schema(&field.kind);
    schema["description"] = json!(field.description);
    if !field.values.is_empty() {
        // Words that the unified model does not know pass through from the vendor, so this is no `enum`.
        schema["examples"] = json!(field.values);
    }
    schema
}

fn type_schema(kind: &FieldType) -> Value {
    match kind {
        FieldType::Text => json!({"type": "string"}),
        FieldType::DateTime => json!({"type": "string", "format": "date-time"}),
        FieldType::Boolean => json!({"type": "boolean"}),
        FieldType::Object => json!({"type": "object"}),
        FieldType::List(inner) => json!({"type": "array", "items": type_schema(inner)}),
        FieldType::Record(fields) => {
            let properties: Map<String, Value> =
                fields.iter().map(|(name, kind)| (name.clone(), type_schema(kind))).collect();
            json!({"type": "object", "properties": properties})
        }
    }
}

fn parameters_schema(parameters: &NameMap<Parameter>, always: &[String]) -> Value {
    let mut properties: Map<String, Value> =
        parameters.iter().map(|(name, parameter)| (name.clone(), parameter_schema(parameter))).collect();
    for name in always {
        properties.entry(name.clone()).or_insert_with(|| json!({"type": "string"}));
    }
    let required: Vec<&String> = properties
        .keys()
        .filter(|name| always.contains(name) || parameters.get(*name).is_some_and(|one| one.required))
        .collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn parameter_schema(parameter: &Parameter) -> Value {
    let mut schema = Map::from_iter([("type".to_owned(), json!(parameter.kind))]);
    let mut add =
        |name: &str, value: Option<Value>| schema.extend(value.map(|value| (name.to_owned(), value)));
    add("description", parameter.note.as_ref().map(|note| json!(note)));
    add("enum", (!parameter.values.is_empty()).then(|| json!(parameter.values)));
    // The pattern is for the whole value, which JSON Schema does not take for granted.
    add("pattern", parameter.pattern.as_ref().map(|pattern| json!(format!("^(?:{})$", pattern.as_str()))));
    add("x-required-if", parameter.required_if.as_ref().map(|expr| json!(expr.source())));
    Value::Object(schema)
}
