//! Which of a record's properties are likely to be which unified field.

use serde_json::{Map, Value, json};

use crate::text::step;

/// A unified field of a user, an expression for it, and a made-up record that the expression understands.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The unified name.
    pub name: &'static str,
    /// The expression over one record.
    pub expression: String,
    /// Property names, from the outside in.
    pub path: Vec<String>,
    /// A made-up value at that path.
    pub sample: Value,
}

enum Kind {
    Id,
    Text(&'static str),
    Email,
    Time,
    Active,
}

/// Unified field, what vendors call it, and how it is read.
const KNOWN: &[(&str, &[&str], Kind)] = &[
    ("id", &["id", "user_id", "userid", "uuid", "uid", "gid"], Kind::Id),
    (
        "avatar",
        &["avatar", "avatar_url", "photo", "photo_url", "picture", "image"],
        Kind::Text("https://avatars.example.com/1.png"),
    ),
    ("created_at", &["created_at", "created", "date_created", "created_on"], Kind::Time),
    ("emails", &["email", "email_address", "mail", "primary_email"], Kind::Email),
    ("first_name", &["first_name", "firstname", "given_name"], Kind::Text("Ada")),
    ("last_login_at", &["last_login_at", "last_login", "last_login_time", "last_signed_in_at"], Kind::Time),
    ("last_name", &["last_name", "lastname", "family_name", "surname"], Kind::Text("Byrne")),
    ("name", &["name", "display_name", "full_name"], Kind::Text("Ada Byrne")),
    ("status", &["active", "is_active", "enabled"], Kind::Active),
    ("timezone", &["timezone", "time_zone", "tz"], Kind::Text("Europe/London")),
    ("title", &["title", "job_title"], Kind::Text("Analyst")),
    ("updated_at", &["updated_at", "updated", "last_updated", "modified_at"], Kind::Time),
    ("username", &["username", "user_name", "login"], Kind::Text("ada@example.com")),
];

/// Objects inside a record that hold what is sought.
const INSIDE: &[&str] = &["attributes", "profile", "user"];

/// The fields that a record's properties (name -> JSON Schema) are likely to give. An id is always among them.
#[must_use]
pub fn fields(properties: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    for (name, aliases, kind) in KNOWN {
        let own = look(properties, aliases).map(|(property, schema)| (vec![property], schema));
        let inside = INSIDE.iter().find_map(|outer| {
            let (property, schema) = look(&properties[outer]["properties"], aliases)?;
            Some((vec![(*outer).to_owned(), property], schema))
        });
        if let Some((path, schema)) = own.or(inside) {
            found.extend(field(name, kind, path, schema));
        }
    }
    if !found.iter().any(|field| field.name == "id") {
        found.extend(field("id", &Kind::Id, vec!["id".to_owned()], &json!({"type": "string"})));
    }
    found.sort_by_key(|field| (field.name != "id", field.name));
    found
}

/// The first alias that is a property, whatever its case and hyphens.
fn look<'s>(properties: &'s Value, aliases: &[&str]) -> Option<(String, &'s Value)> {
    let plain = |name: &str| name.to_lowercase().replace(['-', '_'], "");
    let properties = properties.as_object()?;
    aliases.iter().find_map(|alias| {
        let found = properties.iter().find(|(name, _)| plain(name) == plain(alias));
        found.map(|(name, schema)| (name.clone(), schema))
    })
}

fn field(name: &'static str, kind: &Kind, path: Vec<String>, schema: &Value) -> Option<Field> {
    let at = path.iter().map(|name| step(name)).collect::<Vec<_>>().join(".");
    let is = |word: &str| is_of(schema, word);
    let plain = !is("object") && !is("array");
    let (expression, sample) = match kind {
        Kind::Id if is("integer") || is("number") => (format!("$string({at})"), json!(7)),
        Kind::Id => (format!("$string({at})"), json!("u7")),
        Kind::Text(sample) if plain => (at, json!(sample)),
        Kind::Email if plain => {
            (format!("{at} ? [{{\"email\": {at}, \"is_primary\": true}}] : []"), json!("ada@example.com"))
        }
        Kind::Time if is("string") => (at, json!("2026-02-01T10:00:00.000Z")),
        Kind::Active if is("boolean") => (format!("{at} ? 'active' : 'inactive'"), json!(true)),
        _ => return None,
    };
    Some(Field { name, expression, path, sample })
}

fn is_of(schema: &Value, word: &str) -> bool {
    match &schema["type"] {
        Value::String(own) => own == word,
        Value::Array(all) => all.iter().any(|own| own == word),
        _ => false,
    }
}

/// A made-up record that all expressions understand.
pub(crate) fn sample(fields: &[Field]) -> Value {
    let mut record = Value::Object(Map::new());
    for field in fields {
        let mut at = &mut record;
        for name in &field.path {
            if !at.is_object() {
                *at = json!({});
            }
            at = &mut at[name];
        }
        *at = field.sample.clone();
    }
    record
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{fields, sample};

    #[test]
    fn properties_are_recognised_by_their_usual_names() {
        let found = fields(&json!({
            "Id": {"type": "integer"}, "emailAddress": {"type": ["string", "null"]}, "name": {"type": "object"},
            "profile": {"properties": {"first-name": {"type": "string"}}}, "created": {"type": "integer"},
            "enabled": {"type": "boolean"}
        }));
        let told: Vec<_> = found.iter().map(|field| (field.name, field.expression.as_str())).collect();
        assert_eq!(
            told,
            [
                ("id", "$string(Id)"),
                ("emails", "emailAddress ? [{\"email\": emailAddress, \"is_primary\": true}] : []"),
                ("first_name", "profile.`first-name`"),
                ("status", "enabled ? 'active' : 'inactive'"),
            ]
        );
        let record = sample(&found);
        assert_eq!(record["profile"]["first-name"], "Ada");
        assert_eq!(record["Id"], 7);
        assert_eq!(fields(&json!(null))[0].expression, "$string(id)");
    }
}
