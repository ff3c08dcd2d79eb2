//! Unified schemas: which resources, methods and fields a model has. The data lives under `models/`.

use crate::NameMap;
use serde::Serialize;

/// The type of a unified field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Text.
    Text,
    /// ISO 8601 text.
    DateTime,
    /// True or false.
    Boolean,
    /// An object of unknown keys.
    Object,
    /// An object with these fields.
    Record(NameMap<FieldType>),
    /// A list.
    List(Box<FieldType>),
}

/// One field of a unified record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its type.
    pub kind: FieldType,
    /// Whether every record must carry it.
    pub required: bool,
    /// The words a value is normalised to; other values may still pass through from the vendor.
    pub values: Vec<String>,
    /// What it means.
    pub description: String,
}

/// What a method is, independent of any vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MethodSpec {
    /// Whether it changes something at the vendor that somebody may miss.
    pub destructive: bool,
    /// The body field that names the user acted upon; `None` when the path id does.
    pub subject: Option<String>,
    /// The body field that names the target record; `None` when the path id does.
    pub target: Option<String>,
    /// Body fields every vendor needs.
    pub required_body: Vec<String>,
}

/// One resource of a model, such as `users`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResourceSpec {
    /// What the resource is.
    pub description: String,
    /// Fields of its records, in the order of the documentation.
    pub fields: NameMap<Field>,
    /// Methods by name.
    pub methods: NameMap<MethodSpec>,
}

/// One unified model, such as `user-directory`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Model {
    /// Kebab-case name, as in paths.
    pub name: String,
    /// Resources by name.
    pub resources: NameMap<ResourceSpec>,
}
