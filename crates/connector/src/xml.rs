//! XML as JSON and back, bounded, without entities of the document's own.
//!
//! `<user id="7"><name>Ada</name><tag>a</tag><tag>b</tag></user>` is
//! `{"user": {"@id": "7", "name": "Ada", "tag": ["a", "b"]}}`. An element with text and attributes keeps the text
//! under `#text`; an empty element is `""`; what is repeated is a list. Prefixes are kept, declarations and
//! comments are not.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, escape};
use serde_json::{Map, Value};

/// Deepest nesting that is read or written.
const DEEPEST: usize = 64;
/// Most attributes of one element: each is compared with those before it.
const MOST_ATTRIBUTES: usize = 256;

/// Reads a document; `None` when it is none, declares a document type, is nested too deeply, or has an element with too
/// many attributes.
#[must_use]
pub fn parsed(text: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(text).ok()?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<(String, Map<String, Value>, String)> =
        vec![(String::new(), Map::new(), String::new())];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if open.len() > DEEPEST {
                    return None;
                }
                let (name, fields) = element(&start)?;
                open.push((name, fields, String::new()));
            }
            Event::Empty(start) => {
                let (name, fields) = element(&start)?;
                put(&mut open.last_mut()?.1, name, value_of(fields, ""));
            }
            Event::End(_) => {
                let (name, fields, text) = open.pop()?;
                put(&mut open.last_mut()?.1, name, value_of(fields, &text));
            }
            Event::Text(text) => open.last_mut()?.2.push_str(&text.decode().ok()?),
            Event::CData(text) => open.last_mut()?.2.push_str(&text.decode().ok()?),
            // Only the five entities of XML itself and characters by number: nothing can expand.
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().ok()? {
                    Some(character) => character.to_string(),
                    None => escape::resolve_predefined_entity(&reference.decode().ok()?)?.to_owned(),
                };
                open.last_mut()?.2.push_str(&character);
            }
            Event::DocType(_) => return None,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    let (_, root, outside) = open.pop()?;
    (open.is_empty() && root.len() == 1 && outside.trim().is_empty()).then_some(Value::Object(root))
}

fn element(start: &BytesStart<'_>) -> Option<(String, Map<String, Value>)> {
    let name = std::str::from_utf8(start.name().as_ref()).ok()?.to_owned();
    let mut fields = Map::new();
    for (index, attribute) in start.attributes().enumerate() {
        let attribute = attribute.ok().filter(|_| index < MOST_ATTRIBUTES)?;
        let key = std::str::from_utf8(attribute.key.as_ref()).ok()?;
        if key == "xmlns" || key.starts_with("xmlns:") {
            continue;
        }
        let raw = std::str::from_utf8(&attribute.value).ok()?;
        let value = escape::unescape(raw).ok()?.into_owned();
        fields.insert(format!("@{key}"), Value::String(value));
    }
    Some((name, fields))
}

/// White space around a text is layout.
fn value_of(mut fields: Map<String, Value>, text: &str) -> Value {
    let text = text.trim();
    if fields.is_empty() {
        return Value::String(text.to_owned());
    }
    if !text.is_empty() {
        fields.insert("#text".to_owned(), Value::String(text.to_owned()));
    }
    Value::Object(fields)
}

/// A second one of the same name makes a list.
fn put(fields: &mut Map<String, Value>, name: String, value: Value) {
    match fields.get_mut(&name) {
        None => {
            fields.insert(name, value);
        }
        Some(Value::Array(all)) => all.push(value),
        Some(one) => *one = Value::Array(vec![one.take(), value]),
    }
}

/// Writes a map of one element.
///
/// # Errors
/// What cannot be written: names that are no XML names, more than one root, too deep a nesting.
pub(crate) fn written(value: &Value) -> Result<String, String> {
    let root = value.as_object().filter(|map| map.len() == 1);
    let (name, value) =
        root.and_then(|map| map.iter().next()).ok_or("an XML body is a map of one element")?;
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    write(&mut text, name, value, 0)?;
    Ok(text)
}

fn write(text: &mut String, name: &str, value: &Value, depth: usize) -> Result<(), String> {
    if depth > DEEPEST {
        return Err("an XML body is nested too deeply".to_owned());
    }
    check_name(name)?;
    match value {
        Value::Null => {}
        Value::Array(items) => {
            for item in items {
                write(text, name, item, depth + 1)?;
            }
        }
        Value::Object(fields) => {
            text.push_str(&format!("<{name}"));
            for (key, value) in fields.iter().filter_map(|(key, value)| Some((key.strip_prefix('@')?, value)))
            {
                check_name(key)?;
                text.push_str(&format!(" {key}=\"{}\"", escaped(value)));
            }
            text.push('>');
            for (key, value) in fields.iter().filter(|(key, _)| !key.starts_with('@')) {
                if key == "#text" {
                    text.push_str(&escaped(value));
                } else {
                    write(text, key, value, depth + 1)?;
                }
            }
            text.push_str(&format!("</{name}>"));
        }
        value => text.push_str(&format!("<{name}>{}</{name}>", escaped(value))),
    }
    Ok(())
}

/// Characters that XML does not allow are left out.
fn escaped(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let allowed: String =
        text.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).collect();
    escape::escape(&allowed).into_owned()
}

/// Whether an element or attribute may have this name.
pub(crate) fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
}

fn check_name(name: &str) -> Result<(), String> {
    if is_name(name) { Ok(()) } else { Err(format!("`{name}` is not the name of an XML element")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{parsed, written};

    #[test]
    fn documents_are_read() {
        let text = br#"<?xml version="1.0"?><user xmlns="x" id="7"><name>A&amp;B &#233;</name><tag>a</tag><tag>b</tag><none/><c x="1">t</c></user>"#;
        let value = json!({"user": {"@id": "7", "name": "A&B \u{e9}", "tag": ["a", "b"], "none": "", "c": {"@x": "1", "#text": "t"}}});
        assert_eq!(parsed(text), Some(value));
    }

    #[test]
    fn hostile_and_broken_documents_are_refused() {
        let bomb = r#"<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>"#;
        let outside = r#"<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>"#;
        let deep = format!("{}{}", "<a>".repeat(5000), "</a>".repeat(5000));
        let wide: String = (0..300_000).map(|index| format!(" a{index}='1'")).collect();
        let wide = format!("<a{wide}/>");
        for text in [
            bomb,
            outside,
            &deep,
            &wide,
            "<a b='1' b='2'/>",
            "<a>&b;</a>",
            "<a><b></a>",
            "<a/><b/>",
            "no xml",
            "",
            "{}",
            "<a>",
            "<html><br></html>",
        ] {
            assert_eq!(parsed(text.as_bytes()), None, "{}", &text[..text.len().min(60)]);
        }
        assert_eq!(parsed(b"\xff<a/>"), None);
    }

    #[test]
    fn bodies_are_written_and_cannot_break_out() {
        let value = json!({"group": {"@a": "x\"y", "del": {"user": [{"id": 1}, {"id": "</id><id>2"}]}, "gone": null, "on": true}});
        let text = written(&value).unwrap();
        assert!(text.ends_with(
            "<group a=\"x&quot;y\"><del><user><id>1</id></user><user><id>&lt;/id&gt;&lt;id&gt;2</id></user></del><on>true</on></group>"
        ), "{text}");
        for wrong in
            [json!([]), json!({}), json!({"a": 1, "b": 2}), json!({"a b": 1}), json!({"a": {"<": 1}})]
        {
            assert!(written(&wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(name in "[a-z][a-z0-9]{0,5}", text in "[^\\p{C}]{1,20}") {
            let text = text.trim();
            let value = json!({"r": {"x": {name: text}}});
            prop_assert_eq!(parsed(written(&value).unwrap().as_bytes()), Some(value));
        }

        #[test]
        fn nothing_makes_it_panic(text in "[<>/&;a-c!\\[\\]\"=# \\PC]{0,80}") {
            let _ = parsed(text.as_bytes());
        }
    }
}
