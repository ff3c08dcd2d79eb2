//! `$parseUrl`.

use indexmap::IndexMap;
use jsonata_core::value::JValue;
use url::{Position, Url, form_urlencoded};

use super::values::to_text;
use super::{Entry, Outcome, arg, fail, text};

pub(super) const TABLE: &[Entry] = &[("parseUrl", parse)];

/// What can be called on `searchParams`.
pub(in crate::expr) const METHODS: &[&str] =
    &["get", "has", "getAll", "keys", "values", "entries", "toString"];

/// The hidden key that tells search parameters from other objects; its value is the query text.
const MARK: &str = "\0koine:params";

/// Parts of an absolute URL; anything else is an error.
fn parse(args: &[JValue]) -> Outcome {
    let Some(url) = arg(args, 0).as_str().and_then(|text| Url::parse(text).ok()) else {
        return fail("$parseUrl needs an absolute URL");
    };
    let with = |sign: &str, part: Option<&str>| match part {
        Some(part) if !part.is_empty() => format!("{sign}{part}"),
        _ => String::new(),
    };
    let query = url.query().unwrap_or_default();
    let mut out: IndexMap<String, JValue> = [
        ("href", url.as_str().to_owned()),
        ("origin", url.origin().ascii_serialization()),
        ("protocol", format!("{}:", url.scheme())),
        ("username", url.username().to_owned()),
        ("password", url.password().unwrap_or_default().to_owned()),
        ("host", url[Position::BeforeHost..Position::AfterPort].to_owned()),
        ("hostname", url.host_str().unwrap_or_default().to_owned()),
        ("port", url.port().map(|port| port.to_string()).unwrap_or_default()),
        ("pathname", url.path().to_owned()),
        ("hash", with("#", url.fragment())),
        ("search", with("?", url.query())),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), JValue::from(value)))
    .collect();
    let count = u32::try_from(form_urlencoded::parse(query.as_bytes()).count()).unwrap_or(u32::MAX);
    let params =
        [(MARK.to_owned(), JValue::string(query)), ("size".to_owned(), JValue::from_f64(f64::from(count)))];
    out.insert("searchParams".to_owned(), JValue::object(params.into_iter().collect()));
    Ok(JValue::object(out))
}

/// The query text, if these are search parameters.
pub(in crate::expr) fn params_of(value: &JValue) -> Option<&str> {
    value.as_object()?.get(MARK)?.as_str()
}

/// Calls a method of search parameters.
pub(in crate::expr) fn call(method: &str, query: &str, args: &[JValue]) -> Outcome {
    let wanted = to_text(arg(args, 0));
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let list = |items: Vec<String>| Ok(JValue::array(items.into_iter().map(JValue::from).collect()));
    let mut named = pairs.iter().filter(|(key, _)| *key == wanted).map(|(_, value)| value.clone());
    match method {
        "get" => Ok(named.next().map_or(JValue::Null, JValue::from)),
        "has" => Ok(JValue::Bool(named.next().is_some())),
        "getAll" => list(named.collect()),
        "keys" => list(pairs.into_iter().map(|(key, _)| key).collect()),
        "values" => list(pairs.into_iter().map(|(_, value)| value).collect()),
        "entries" => Ok(JValue::array(
            pairs
                .into_iter()
                .map(|(key, value)| JValue::array(vec![JValue::from(key), JValue::from(value)]))
                .collect(),
        )),
        "toString" => text(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()),
        _ => fail("search parameters have no such method"),
    }
}
