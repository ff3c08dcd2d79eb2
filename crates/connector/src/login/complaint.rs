//! A token endpoint's own words, as far as people may see them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use koine_model::Response;
use serde_json::Value;

/// Texts that by their names are tokens or secrets.
pub(super) fn gather_tokens(value: &Value, found: &mut Vec<String>) {
    let is_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["token", "secret", "password", "assertion"].iter().any(|word| name.ends_with(word))
    };
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                match inner {
                    Value::String(text) if is_secret(name) => found.push(text.clone()),
                    other => gather_tokens(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather_tokens(item, found)),
        _ => {}
    }
}

/// What the endpoint said, without the credentials that some endpoints repeat, in whatever coding, and without those
/// that it `issued`.
pub(super) fn of(
    response: &Response,
    context: &Value,
    secret_fields: &[String],
    issued: &[String],
) -> String {
    let mut said = String::from_utf8_lossy(&response.body).into_owned();
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let all: Vec<String> =
        context.as_object().into_iter().flatten().filter_map(|(_, value)| text(value)).collect();
    let own = secret_fields.iter().filter_map(|name| text(context.get(name)?));
    // A longer one may hold a shorter one.
    let mut secrets: Vec<String> = own.chain(issued.iter().cloned()).filter(|text| text.len() > 2).collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets {
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for other in &all {
            let other: String = url::form_urlencoded::byte_serialize(other.as_bytes()).collect();
            said = said.replace(&STANDARD.encode(format!("{other}:{encoded}")), "…");
        }
        let json = Value::String(secret.clone()).to_string();
        for form in [secret.as_str(), &json[1..json.len() - 1], &encoded, &STANDARD.encode(&secret)] {
            said = said.replace(form, "…");
        }
    }
    let clean: String = said.chars().filter(|c| !c.is_control()).take(300).collect();
    format!("the token endpoint answered {}: {}", response.status, clean.trim())
}
