//! The words of the domain, shared by every other crate: exchanges with vendors, outcomes, errors, secrets,
//! the query-string syntax and unified schemas. No IO, no YAML, no HTTP framework.

pub mod credentials;
pub mod error;
pub mod exchange;
pub mod names;
pub mod outcome;
pub mod query;
pub mod schema;
pub mod secret;

pub use credentials::CredentialFields;
pub use error::{Error, ErrorCode, RemoteError};
pub use exchange::{Answer, Body, Credentials, Request, Response, Verb};
pub use names::NameMap;
pub use outcome::{Effect, Outcome};
pub use schema::{Field, FieldType, MethodSpec, Model, ResourceSpec};
pub use secret::Secret;
