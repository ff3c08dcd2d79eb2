//! The first draft of a connector. What is known of the vendor is a [`Draft`]; [`files`] writes it down as a folder
//! that compiles and whose fixtures pass, so that whoever goes on from there starts with something that works.

mod fields;
mod files;
mod fixtures;
mod sandbox;
mod text;

use serde_json::Value;

pub use fields::{Field, fields};
pub use files::files;

/// What is known of a vendor.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The folder's name: lower case, words joined by hyphens.
    pub name: String,
    /// The name people know.
    pub label: String,
    /// The vendor API and version.
    pub api: String,
    /// Prefix of every path, without a slash at its end.
    pub base_url: String,
    /// Where this is known from; empty when it is made up.
    pub source: Option<String>,
    /// How credentials get onto a request.
    pub credential: Credential,
    /// The requests about people.
    pub users: Users,
    /// Unified fields and where they come from.
    pub fields: Vec<Field>,
}

/// How credentials get onto a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// `Authorization: Bearer …`.
    Bearer,
    /// HTTP basic.
    Basic,
    /// A header of this name.
    Header(String),
    /// A query parameter of this name.
    Query(String),
    /// OAuth 2 client credentials from this endpoint.
    ClientCredentials(String),
}

/// The requests about people. Paths begin with a slash, and name the person `{{id}}`.
#[derive(Clone, Debug)]
pub struct Users {
    /// `GET`: all of them.
    pub list: String,
    /// Where the list is in the answer; `None` when the answer is the list.
    pub list_at: Option<String>,
    /// How the list is walked.
    pub pages: Option<Pages>,
    /// `GET`: one of them.
    pub get: String,
    /// Where the record is in the answer; `None` when the answer is the record.
    pub record_at: Option<String>,
    /// `DELETE`.
    pub delete: String,
    /// Whether the vendor is known to have that call.
    pub delete_is_known: bool,
    /// Whether ids are numbers.
    pub id_is_number: bool,
}

/// How a list is walked, with the names of the parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pages {
    /// Page numbers: page and size.
    Page(String, Option<String>),
    /// Record numbers: offset and size.
    Offset(String, Option<String>),
    /// A cursor: where it is in the answer, the parameter that it goes back in, and size.
    Cursor(String, String, Option<String>),
}

impl Draft {
    /// A vendor of whom nothing is known but the name: the usual shape of a REST API.
    #[must_use]
    pub fn unknown(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            label: text::label(name),
            api: "REST API v1".to_owned(),
            base_url: format!("https://api.{name}.example/v1"),
            source: None,
            credential: Credential::Bearer,
            users: Users {
                list: "/users".to_owned(),
                list_at: Some("data".to_owned()),
                pages: Some(Pages::Page("page".to_owned(), Some("per_page".to_owned()))),
                get: "/users/{{id}}".to_owned(),
                record_at: None,
                delete: "/users/{{id}}".to_owned(),
                delete_is_known: true,
                id_is_number: false,
            },
            fields: fields(&serde_json::json!({
                "id": {"type": "string"}, "email": {"type": "string"}, "name": {"type": "string"},
                "active": {"type": "boolean"}, "created_at": {"type": "string"}
            })),
        }
    }
}

/// Whether a name can be a folder's: letters and digits in lower case, in words joined by hyphens.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.len() <= 60 && name.split('-').all(word)
}

/// A value as one line of JSON, which is YAML too.
fn line(value: &Value) -> String {
    value.to_string()
}
