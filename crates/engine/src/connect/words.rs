//! What a customer is told. They know their vendor, not this gateway: say what to do next, blame nobody.

use std::collections::BTreeSet;

use koine_connector::Connector;
use koine_connector::authorize;
use koine_connector::compiled::CredentialKind;
use koine_connector::facts::Requirements;
use koine_model::{Error, ErrorCode};

use super::save::{Rejected, Trouble};
use crate::{AuthorizationFailed, AuthorizationFailure};

/// Longest words of a vendor's that are shown.
const LONGEST: usize = 300;

/// The form was not filled in as it has to be.
pub(super) fn incomplete(fields: Vec<(String, String)>) -> Rejected {
    let message = match fields.len() {
        1 => "One field needs another look.".to_owned(),
        many => format!("{many} fields need another look."),
    };
    Rejected { trouble: Trouble::Form, message, said: None, fields }
}

/// The link can save nothing any more.
pub(super) fn over() -> Rejected {
    rejected(Trouble::Over, "This link has been used or has ended. Ask for a new one.".to_owned(), None)
}

/// The vendor's page cannot be opened.
pub(super) fn no_way_out(connector: &Connector, error: &Error) -> Rejected {
    if error.code == ErrorCode::Internal {
        return broken(error);
    }
    let message = format!("{} cannot be connected here: {}.", connector.label, clipped(&error.message));
    rejected(Trouble::Consent, message, None)
}

/// Nothing came of the vendor's page.
pub(super) fn not_granted(failed: &AuthorizationFailed) -> Rejected {
    let trouble = match failed.reason {
        AuthorizationFailure::Internal => Trouble::Broken,
        AuthorizationFailure::Unknown => Trouble::Over,
        _ => Trouble::Consent,
    };
    rejected(trouble, failed.message.clone(), None)
}

/// It is our fault.
pub(super) fn broken(error: &Error) -> Rejected {
    let cause = error.cause.as_ref().map(ToString::to_string).unwrap_or_default();
    tracing::error!(error = %error, cause, "an account could not be connected");
    let message = "Something went wrong on our side, not with what you entered. Try again in a few minutes.";
    rejected(Trouble::Broken, message.to_owned(), None)
}

/// The vendor refused, or could not be asked.
pub(super) fn refused(connector: &Connector, kind: &CredentialKind, error: &Error) -> Rejected {
    let vendor = &connector.label;
    if matches!(error.code, ErrorCode::Internal | ErrorCode::Unavailable) && error.remote.is_none() {
        return broken(error);
    }
    let address = address_fields(connector, kind);
    let said = (error.code == ErrorCode::Vendor).then(|| clipped(&error.message));
    let status = error.remote.as_ref().map(|remote| remote.status);
    let message = match (status, error.code) {
        (Some(401), _) => format!(
            "{vendor} did not accept these credentials. Check that they were copied whole and are still valid, then try again."
        ),
        (Some(403), _) => format!(
            "{vendor} knows these credentials, but they lack a permission that is needed.{}",
            needs(&connector.facts.requires)
        ),
        (Some(404), _) | (None, ErrorCode::NotFound) => {
            format!("{vendor} has nothing at this address. Check {}.", address_or(&address, "your details"))
        }
        (Some(429), _) => format!("{vendor} is busy right now. Wait a minute, then try again."),
        (Some(500..), _) | (None, ErrorCode::VendorUnreachable) => match address.as_str() {
            "" => format!("{vendor} cannot be reached right now. Try again in a few minutes."),
            address => format!("{vendor} cannot be reached. Check {address}, or try again in a few minutes."),
        },
        (None, ErrorCode::AddressRefused) => {
            format!("This address cannot be used. Check {}.", address_or(&address, "your details"))
        }
        (None, _) => format!("This cannot be used as it is: {}.", clipped(&error.message)),
        (Some(_), _) => format!("{vendor} refused the connection. Check your details, then try again."),
    };
    rejected(Trouble::Validation, message, said)
}

fn rejected(trouble: Trouble, message: String, said: Option<String>) -> Rejected {
    Rejected { trouble, message, said, fields: Vec::new() }
}

/// The fields that say where the vendor is, by label.
fn address_fields(connector: &Connector, kind: &CredentialKind) -> String {
    let names = authorize::address_fields(connector, kind);
    let labels = names.iter().filter_map(|root| Some(format!("“{}”", kind.fields.get(root)?.label)));
    labels.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" and ")
}

fn address_or<'a>(address: &'a str, otherwise: &'a str) -> &'a str {
    if address.is_empty() { otherwise } else { address }
}

/// What the vendor must grant, in a sentence each.
fn needs(requires: &Requirements) -> String {
    let sentence = |what: &str, all: &[String], between: &str| match all {
        [] => String::new(),
        all => format!(" {what}: {}.", all.join(between)),
    };
    let scopes = sentence("Scopes", &requires.scopes, ", ");
    let roles = sentence("Role of whoever made them", &requires.roles, " or ");
    let plans = sentence("Plan", &requires.plans, " or ");
    format!("{scopes}{roles}{plans}")
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
