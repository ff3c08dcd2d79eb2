//! What a customer is asked for.

use std::sync::Arc;

use koine_connector::Connector;
use koine_connector::authorize;
use koine_connector::compiled::{CredentialField, CredentialKind};
use koine_model::Error;
use serde_json::{Map, Value};

use super::visit::Visit;
use crate::Engine;

/// What was typed, by the name of the field.
pub type Typed = Map<String, Value>;

/// The form of one way to connect one vendor.
#[derive(Clone, Debug)]
pub struct Form {
    /// The connector's name.
    pub connector: String,
    /// The name people know.
    pub label: String,
    /// How an administrator gets the credentials, in Markdown; may be empty.
    pub setup: String,
    /// The ways to connect, this one among them.
    pub ways: Vec<Way>,
    /// This way's name.
    pub way: String,
    /// Whether the vendor asks for the rest, on a page of its own.
    pub is_consent: bool,
    /// What is asked for.
    pub fields: Vec<FormField>,
}

/// One way to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The kind of credential's name.
    pub name: String,
    /// For people.
    pub label: String,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormField {
    /// The credential field's name.
    pub name: String,
    /// For people.
    pub label: String,
    /// Whether it is never shown again.
    pub secret: bool,
    /// Whether something has to be typed.
    pub required: bool,
    /// Whether it may hold line breaks.
    pub multiline: bool,
    /// A made-up value.
    pub example: Option<String>,
    /// Where to find it.
    pub help: Option<String>,
    /// What it holds at the start; never that of a secret one.
    pub value: String,
    /// Whether an empty one keeps what the account had.
    pub kept: bool,
}

/// One kind of credential, as this visit may give it.
pub(super) struct Choice<'a> {
    pub connector: &'a Arc<Connector>,
    pub way: &'a str,
    pub kind: &'a CredentialKind,
    /// Whether a person consents at the vendor, rather than types everything.
    pub is_consent: bool,
}

impl Choice<'_> {
    /// The fields that there are to fill in: neither a consent brings them, nor are they looked up.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&String, &CredentialField)> {
        let grant = self.kind.grant().filter(|_| self.is_consent);
        let steps = &self.connector.post_install;
        self.kind.fields.iter().filter(move |(name, _)| {
            let is_looked_up = steps.iter().any(|step| step.context.contains_key(*name));
            !is_looked_up && !grant.is_some_and(|grant| grant.brings(name))
        })
    }
}

impl Engine {
    /// The form of a vendor that the visit may choose, by the named way or the vendor's usual one. `None` when there is
    /// no such vendor or way to choose.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn form(
        &self,
        visit: &Visit,
        connector: &str,
        way: Option<&str>,
    ) -> Result<Option<Form>, Error> {
        let choices = self.choices(visit, connector).await?;
        let before = visit.account.as_ref().filter(|account| account.connector == connector);
        let usual = before.map(|account| account.authentication_method.as_str());
        let usual = choices.iter().find(|choice| way.is_none() && usual == Some(choice.way));
        let named = choices.iter().find(|choice| way.is_none_or(|way| choice.way == way));
        let Some(choice) = usual.or(named) else { return Ok(None) };
        let kept = kept(visit, connector, choice.way);
        let ways = choices.iter().map(|one| Way { name: one.way.to_owned(), label: label_of(one) });
        Ok(Some(Form {
            connector: choice.connector.name.clone(),
            label: choice.connector.label.clone(),
            setup: choice.connector.setup.clone(),
            ways: ways.collect(),
            way: choice.way.to_owned(),
            is_consent: choice.is_consent,
            fields: asked(visit, choice).map(|(name, field)| form_field(name, field, kept)).collect(),
        }))
    }

    /// The ways in which the visit can connect the vendor: those by consent first, which nobody has to copy anything for.
    pub(super) async fn choices<'a>(
        &'a self,
        visit: &Visit,
        connector: &str,
    ) -> Result<Vec<Choice<'a>>, Error> {
        let Some(connector) = self.offered_connector(visit, connector) else { return Ok(Vec::new()) };
        let mut choices = Vec::new();
        for (way, kind) in &connector.credentials {
            let is_consent = self.asks_for_consent(visit, connector, way, kind).await?;
            // A grant that nobody can type is given by consent only.
            if is_consent || kind.grant().is_none_or(|grant| grant.field.is_some()) {
                choices.push(Choice { connector, way, kind, is_consent });
            }
        }
        choices.sort_by_key(|choice| !choice.is_consent);
        Ok(choices)
    }

    /// The one of [`Engine::choices`] that a form was sent for.
    pub(super) async fn choice<'a>(
        &'a self,
        visit: &Visit,
        connector: &str,
        way: &str,
    ) -> Result<Choice<'a>, Error> {
        let choices = self.choices(visit, connector).await?;
        let found = choices.into_iter().find(|choice| choice.way == way);
        found.ok_or_else(|| Self::unknown("way to connect", way))
    }

    async fn asks_for_consent(
        &self,
        visit: &Visit,
        connector: &Connector,
        way: &str,
        kind: &CredentialKind,
    ) -> Result<bool, Error> {
        let Some(grant) = kind.grant().filter(|grant| grant.consent.is_some()) else { return Ok(false) };
        // Whoever made the link has the grant already.
        if visit.preset().is_some_and(|preset| preset.contains_key(grant.refresh_field())) {
            return Ok(false);
        }
        self.is_consent_possible(visit.session.environment_id, &connector.name, way).await
    }
}

/// The fields that the customer fills in: the link does not say what they hold.
pub(super) fn asked<'a>(
    visit: &'a Visit,
    choice: &'a Choice<'_>,
) -> impl Iterator<Item = (&'a String, &'a CredentialField)> {
    let fixed = fixed_fields(visit, choice);
    let is_preset = |name: &String| visit.preset().is_some_and(|preset| preset.contains_key(name));
    choice.fields().filter(move |(name, _)| !is_preset(name) && !fixed.contains(*name))
}

/// Where secrets of the link are sent: customers do not know these, and must not get them by naming a host of theirs.
/// A field that the link does not set keeps its default.
pub(super) fn fixed_fields(visit: &Visit, choice: &Choice<'_>) -> Vec<String> {
    let Some(preset) = visit.preset() else { return Vec::new() };
    let is_secret = |name: &String| choice.kind.fields.get(name).is_some_and(|field| field.secret);
    if !preset.keys().any(is_secret) {
        return Vec::new();
    }
    let fields = authorize::address_fields(choice.connector, choice.kind).into_iter();
    fields.filter(|name| choice.kind.fields.contains_key(name) && !preset.contains_key(name)).collect()
}

/// What an account had by the same way, where an empty field is to keep it.
pub(super) fn kept<'a>(visit: &'a Visit, connector: &str, way: &str) -> Option<&'a Map<String, Value>> {
    let account = visit.account.as_ref().filter(|_| visit.is_reconnect())?;
    let same = account.connector == connector && account.authentication_method == way;
    account.context.as_object().filter(|_| visit.purpose.persist_previous_context && same)
}

fn label_of(choice: &Choice<'_>) -> String {
    let label = choice.kind.label.clone();
    label.unwrap_or_else(|| choice.way.replace('_', " ")).replace('`', "")
}

fn form_field(name: &str, field: &CredentialField, kept: Option<&Map<String, Value>>) -> FormField {
    let had = kept.and_then(|had| had.get(name)).and_then(Value::as_str).filter(|text| !text.is_empty());
    let shown = had.or_else(|| field.default.as_ref().and_then(Value::as_str)).filter(|_| !field.secret);
    FormField {
        name: name.to_owned(),
        label: field.label.replace('`', ""),
        secret: field.secret,
        required: field.required && field.default.is_none() && !(field.secret && had.is_some()),
        multiline: field.multiline,
        example: field.example.clone(),
        help: field.help.as_ref().map(|help| help.replace('`', "")),
        value: shown.unwrap_or_default().to_owned(),
        kept: field.secret && had.is_some(),
    }
}
