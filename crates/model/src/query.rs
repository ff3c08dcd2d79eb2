//! The query-string syntax of the API: `a[b]=c`, `a[]=x`, `a[0]=x`, repeated keys, lists of objects.
//!
//! Every value is text; coercion by schema comes later. The decoder is total: any input gives an object or a
//! [`QueryError`], and its work is bounded by [`MAX_PAIRS`] and [`MAX_DEPTH`].

use serde_json::{Map, Value};

/// Most `key=value` pairs in one query string.
pub const MAX_PAIRS: usize = 1000;
/// Deepest nesting of brackets.
pub const MAX_DEPTH: usize = 16;

/// Why a query string was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// More than [`MAX_PAIRS`].
    #[error("the query has more than {MAX_PAIRS} parameters; send fewer")]
    TooMany,
    /// Deeper than [`MAX_DEPTH`].
    #[error("parameter `{0}` is nested more than {MAX_DEPTH} levels deep")]
    TooDeep(String),
    /// Text that is not UTF-8 once decoded.
    #[error("the query is not valid UTF-8 after percent-decoding")]
    NotUtf8,
}

/// One part of a key: `a[b][]` is a name, a name and a list mark.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Name(String),
    Index(usize),
    Append,
}

/// Decodes a raw query string (without the leading `?`) into an object.
///
/// # Errors
/// See [`QueryError`].
pub fn parse(raw: &str) -> Result<Map<String, Value>, QueryError> {
    let mut root = Map::new();
    let pairs = raw.split('&').filter(|pair| !pair.is_empty());
    for (count, pair) in pairs.enumerate() {
        if count >= MAX_PAIRS {
            return Err(QueryError::TooMany);
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (decode(key)?, decode(value)?);
        let Some(parts) = split_key(&key)? else { continue };
        insert(&mut root, &parts, value);
    }
    // Most queries have neither lists nor names in brackets, and are what they are.
    if root.values().all(|value| !value.is_object()) {
        return Ok(root);
    }
    Ok(root.into_iter().map(|(key, value)| (key, settle(value))).collect())
}

fn decode(text: &str) -> Result<String, QueryError> {
    if !text.contains(['+', '%']) {
        return Ok(text.to_owned());
    }
    let blanks = text.replace('+', " ");
    percent_encoding::percent_decode_str(&blanks)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| QueryError::NotUtf8)
}

/// Splits `a[b][]` into its parts. `None` for keys that are dropped: empty ones, prototype tricks, and those with a NUL,
/// which would be taken for the marks of lists under construction.
fn split_key(key: &str) -> Result<Option<Vec<Part>>, QueryError> {
    let (name, mut rest) = match key.find('[') {
        Some(0) | None => (key, ""),
        Some(at) => key.split_at(at),
    };
    if name.is_empty() || key.contains(LIST) {
        return Ok(None);
    }
    let mut parts = vec![Part::Name(name.to_owned())];
    while let Some(inner) = rest.strip_prefix('[') {
        let Some(end) = inner.find(']') else { break };
        let text = &inner[..end];
        parts.push(if text.is_empty() {
            Part::Append
        } else if let Ok(index) = text.parse::<usize>() {
            Part::Index(index)
        } else {
            Part::Name(text.to_owned())
        });
        rest = &inner[end + 1..];
        if parts.len() > MAX_DEPTH {
            return Err(QueryError::TooDeep(name.to_owned()));
        }
    }
    let forbidden = |part: &Part| matches!(part, Part::Name(name) if matches!(name.as_str(), "__proto__" | "constructor" | "prototype"));
    Ok(if parts.iter().any(forbidden) { None } else { Some(parts) })
}

/// Lists under construction are objects keyed by `\0<index>`, so that sparse indices cost nothing.
const LIST: &str = "\0";

fn insert(map: &mut Map<String, Value>, parts: &[Part], value: String) {
    let Some((first, rest)) = parts.split_first() else { return };
    let key = match first {
        Part::Name(name) => name.clone(),
        Part::Index(index) => format!("{LIST}{index:020}"),
        Part::Append => append_key(map, rest),
    };
    if rest.is_empty() {
        return put(map, key, value);
    }
    let slot = map.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    if let Value::Object(inner) = slot {
        insert(inner, rest, value);
    }
}

/// A repeated plain key becomes a list; a repeated list index keeps the last value.
fn put(map: &mut Map<String, Value>, key: String, value: String) {
    match map.get_mut(&key) {
        None => {
            map.insert(key, Value::String(value));
        }
        Some(Value::Array(items)) => items.push(Value::String(value)),
        Some(Value::Object(inner)) if is_list(inner) => {
            let next = append_key(inner, &[]);
            inner.insert(next, Value::String(value));
        }
        Some(slot) if !key.starts_with(LIST) && slot.is_string() => {
            *slot = Value::Array(vec![slot.take(), Value::String(value)]);
        }
        Some(slot) => *slot = Value::String(value),
    }
}

/// `c[][id]=1&c[][type]=p` fills one element; a sub-key that the last element already has starts a new one.
fn append_key(map: &Map<String, Value>, rest: &[Part]) -> String {
    let last = map.keys().filter(|key| key.starts_with(LIST)).max();
    if let (Some(last), Some(Part::Name(name))) = (last, rest.first())
        && let Some(Value::Object(element)) = map.get(last)
        && !is_list(element)
        && (!element.contains_key(name) || rest.len() > 1)
    {
        return last.clone();
    }
    let next = last
        .and_then(|key| key[LIST.len()..].parse::<usize>().ok())
        .map_or(0, |index| index.saturating_add(1));
    format!("{LIST}{next:020}")
}

fn is_list(map: &Map<String, Value>) -> bool {
    !map.is_empty() && map.keys().all(|key| key.starts_with(LIST))
}

/// Turns the working form into plain JSON: list objects become arrays in index order.
fn settle(value: Value) -> Value {
    match value {
        Value::Object(map) if is_list(&map) => {
            let mut items: Vec<_> = map.into_iter().collect();
            items.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Array(items.into_iter().map(|(_, item)| settle(item)).collect())
        }
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, item)| {
                    (key.trim_start_matches(LIST).trim_start_matches('0').to_owned(), key, item)
                })
                .map(|(short, key, item)| {
                    (if key.starts_with(LIST) { index_name(&short) } else { key }, settle(item))
                })
                .collect(),
        ),
        other => other,
    }
}

/// An index beside names (`a[0]=x&a[b]=y`) is an ordinary key.
fn index_name(digits: &str) -> String {
    if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{QueryError, parse};
    use serde_json::{Value, json};

    fn read(raw: &str) -> Value {
        Value::Object(parse(raw).unwrap())
    }

    #[test]
    fn reads_every_notation_of_the_sdks() {
        for (raw, wanted) in [
            ("name=x&limit=10", json!({"name": "x", "limit": "10"})),
            ("foo[bar]=baz&foo[bar1][bar2]=baz2", json!({"foo": {"bar": "baz", "bar1": {"bar2": "baz2"}}})),
            ("foo[]=bar&foo[][bar1]=baz1", json!({"foo": ["bar", {"bar1": "baz1"}]})),
            ("a%5B%5D=1&a%5B%5D=2", json!({"a": ["1", "2"]})),
            ("a%5B0%5D=1&a%5B1%5D=2", json!({"a": ["1", "2"]})),
            ("a=1&a=2&a=3", json!({"a": ["1", "2", "3"]})),
            ("c[][id]=p1&c[][type]=project", json!({"c": [{"id": "p1", "type": "project"}]})),
            ("c[][id]=p1&c[][id]=p2", json!({"c": [{"id": "p1"}, {"id": "p2"}]})),
            ("c[0][id]=p1&c[0][type]=project", json!({"c": [{"id": "p1", "type": "project"}]})),
            ("t[in][]=lead&t[in][]=x", json!({"t": {"in": ["lead", "x"]}})),
            ("q=a+b%2Bc%26d&e=%20", json!({"q": "a b+c&d", "e": " "})),
            ("integration.name=zendesk", json!({"integration.name": "zendesk"})),
            ("next_cursor=", json!({"next_cursor": ""})),
            ("__proto__[x]=1&a[constructor]=2", json!({})),
            ("a[%00constructor]=1&%000=2&b[%0000000000000000000001]=3", json!({})),
            ("a[2]=z&a[0]=x", json!({"a": ["x", "z"]})),
        ] {
            assert_eq!(read(raw), wanted, "{raw}");
        }
    }

    #[test]
    fn keeps_many_elements_and_deep_keys() {
        let raw: Vec<_> = (0..50).map(|n| format!("a[{n}]={n}")).collect();
        assert_eq!(read(&raw.join("&"))["a"].as_array().map(Vec::len), Some(50));
        assert_eq!(read("a[b][c][d][e][f][g]=1")["a"]["b"]["c"]["d"]["e"]["f"]["g"], json!("1"));
    }

    #[test]
    fn refuses_what_is_too_much() {
        let deep = format!("a{}=1", "[b]".repeat(40));
        assert!(matches!(parse(&deep), Err(QueryError::TooDeep(_))));
        assert_eq!(parse(&"a=1&".repeat(2000)), Err(QueryError::TooMany));
        assert_eq!(parse("a=%ff"), Err(QueryError::NotUtf8));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(raw in ".{0,200}") {
            let _ = parse(&raw);
        }

        #[test]
        fn what_is_written_is_read(pairs in proptest::collection::btree_map("[a-z]{1,6}", "\\PC{1,12}", 0..6)) {
            let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            let raw: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
            let read = parse(&raw.join("&")).unwrap();
            let wanted: serde_json::Map<_, _> =
                pairs.into_iter().map(|(name, value)| (name, serde_json::Value::String(value))).collect();
            proptest::prop_assert_eq!(serde_json::Value::Object(read), serde_json::Value::Object(wanted));
        }

        #[test]
        fn never_panics_on_brackets(raw in "[a\\[\\]0-9=&%+]{0,60}") {
            let _ = parse(&raw);
        }
    }
}
