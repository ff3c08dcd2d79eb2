//! What a customer typed: put together with what the link says and what the account had, and looked through.

use koine_connector::Connector;
use koine_connector::authorize;
use koine_connector::compiled::{CredentialField, CredentialKind, Grant};
use serde_json::{Map, Value};

use super::form::{Choice, Typed, asked, fixed_fields, kept};
use super::visit::Visit;
use crate::accounts;

/// What a form gives.
pub(super) struct Whole {
    /// What to save: what the account had, under what was typed, under what the link says.
    pub context: Map<String, Value>,
    /// Whether the account's refresh token is what it was, and goes where it went.
    pub keeps_grant: bool,
}

/// What the form gives, or what is wrong with which fields.
pub(super) fn whole(
    visit: &Visit,
    choice: &Choice<'_>,
    typed: &Typed,
) -> Result<Whole, Vec<(String, String)>> {
    let Choice { connector, way, kind, .. } = choice;
    let known = |(name, _): &(&String, &Value)| kind.fields.contains_key(*name);
    let preset: Map<String, Value> = visit.preset().into_iter().flatten().filter(known).map(owned).collect();
    let fixed = fixed_fields(visit, choice);
    let had = kept(visit, &connector.name, way);
    let mut context = had.cloned().unwrap_or_default();
    context.retain(|name, _| choice.fields().any(|(field, _)| field == name) && !fixed.contains(name));
    let mut given: Vec<&str> = preset.keys().map(String::as_str).collect();
    for (name, field) in asked(visit, choice) {
        match typed.get(name).and_then(Value::as_str).map(|text| entered(field, text)) {
            Some(text) if !text.is_empty() => {
                given.push(name);
                context.insert(name.clone(), Value::String(text));
            }
            _ if field.secret => {} // an empty one keeps what was there
            _ => drop(context.shift_remove(name)),
        }
    }
    context.extend(preset.clone());
    let is_moved = had.is_some_and(|had| is_moved(connector, kind, had, &context));
    if is_moved {
        // A key that the account has goes nowhere else: whoever has a link need not know it.
        let is_kept = |name: &str| !given.contains(&name);
        let secrets = kind.fields.iter().filter(|(name, field)| field.secret && is_kept(name));
        secrets.for_each(|(name, _)| drop(context.shift_remove(name)));
    }
    let refresh = kind.grant().map(Grant::refresh_field);
    let is_same = |name: &str| had.is_some_and(|had| had.get(name) == context.get(name));
    let keeps_grant = !choice.is_consent && !is_moved && refresh.is_some_and(is_same);
    let problems: Vec<_> = choice
        .fields()
        .filter_map(|(name, field)| {
            let is_set = preset.contains_key(name) || fixed.contains(name);
            problem(field, context.get(name), is_set).map(|words| (name.clone(), words))
        })
        .collect();
    if problems.is_empty() { Ok(Whole { context, keeps_grant }) } else { Err(problems) }
}

fn owned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

/// Whether credentials would be sent elsewhere than before.
fn is_moved(
    connector: &Connector,
    kind: &CredentialKind,
    had: &Map<String, Value>,
    context: &Map<String, Value>,
) -> bool {
    let default = |name: &str| kind.fields.get(name)?.default.as_ref();
    let value = |all: &Map<String, Value>, name: &str| all.get(name).or_else(|| default(name)).cloned();
    let fields = authorize::address_fields(connector, kind);
    fields.iter().any(|name| value(had, name) != value(context, name))
}

/// Blanks around a value come from copying it. Browsers send line breaks as CR LF.
fn entered(field: &CredentialField, text: &str) -> String {
    let text = text.trim();
    if field.multiline { text.replace("\r\n", "\n") } else { text.to_owned() }
}

/// `is_set`: by whoever made the link, so that the customer can do nothing about it.
fn problem(field: &CredentialField, value: Option<&Value>, is_set: bool) -> Option<String> {
    let label = lower_first(&field.label.replace('`', ""));
    let missing = matches!(value, None | Some(Value::Null));
    match value {
        _ if missing && !(field.required && field.default.is_none()) => None,
        Some(Value::String(text)) if accounts::fits(field, text) => None,
        _ if is_set => Some(format!(
            "This link does not say a {label} that can be used, and has to. Ask for a new one where you got it from."
        )),
        _ if missing => Some(format!("Enter the {label}.")),
        _ => Some(match &field.example {
            Some(example) => format!("This does not look right. It should look like {example}."),
            None => "This does not look right. Copy it again, whole and without line breaks.".to_owned(),
        }),
    }
}

/// `API token` stays, `Subdomain` becomes `subdomain`, and `E-mail` `e-mail`.
fn lower_first(label: &str) -> String {
    let mut letters = label.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => label.to_owned(),
    }
}
