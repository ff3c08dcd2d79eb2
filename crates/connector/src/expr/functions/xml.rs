//! `$xmlToJs` and `$jsToXml`: XML as objects in the compact form that mappings know. An element is an object with
//! `_attributes`, `_text` and `_cdata` and its elements by name; what is repeated is a list.
//!
//! Documents are bounded in size and depth. One with a document type is refused: it could define entities, which
//! grow when they are read or name files.

mod write;

use indexmap::IndexMap;
use jsonata_core::value::JValue;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, escape};

use super::values::truthy;
use super::{Entry, LONGEST_TEXT, Outcome, arg, fail, known_options};

pub(super) const TABLE: &[Entry] = &[("xmlToJs", parse), ("jsToXml", write::stringify)];

/// Deepest nesting that is read or written.
const DEEPEST: usize = 64;

const NO_XML: &str =
    "$xmlToJs needs an XML document of bounded size and depth, without a document type of its own";

/// An element that is being read.
#[derive(Default)]
struct Element {
    name: String,
    fields: IndexMap<String, JValue>,
    text: String,
}

impl Element {
    /// A second one of the same name makes a list.
    fn put(&mut self, name: &str, value: JValue) {
        match self.fields.get_mut(name) {
            None => {
                self.fields.insert(name.to_owned(), value);
            }
            Some(one) => match one.as_array_mut() {
                Some(all) => all.push(value),
                None => *one = JValue::array(vec![std::mem::replace(one, JValue::Null), value]),
            },
        }
    }

    /// The text that ends here; white space alone is layout.
    fn end_text(&mut self, trim: bool) {
        let text = std::mem::take(&mut self.text);
        if !text.trim().is_empty() {
            self.put("_text", JValue::string(if trim { text.trim() } else { &text }));
        }
    }
}

/// `$xmlToJs(xml, {trim, ignoreAttributes})`.
fn parse(args: &[JValue]) -> Outcome {
    let options = arg(args, 1);
    let known = ["compact", "trim", "ignoreAttributes"];
    known_options(options, &known, "$xmlToJs has the options trim and ignoreAttributes")?;
    let has = |name: &str| options.get(name).is_some_and(truthy);
    let Some(xml) = arg(args, 0).as_str().filter(|xml| xml.len() <= LONGEST_TEXT) else {
        return fail(NO_XML);
    };
    match read(xml, has("trim"), !has("ignoreAttributes")) {
        Some(document) => Ok(JValue::object(document)),
        None => fail(NO_XML),
    }
}

fn read(xml: &str, trim: bool, attributes: bool) -> Option<IndexMap<String, JValue>> {
    let mut reader = Reader::from_str(xml);
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event().ok()?;
        let last = open.last_mut()?;
        if !matches!(event, Event::Text(_) | Event::GeneralRef(_)) {
            last.end_text(trim);
        }
        match event {
            Event::Start(start) => {
                if open.len() > DEEPEST {
                    return None;
                }
                open.push(element(&start, attributes)?);
            }
            Event::Empty(start) => {
                let empty = element(&start, attributes)?;
                last.put(&empty.name, JValue::object(empty.fields));
            }
            Event::End(_) => {
                let ended = open.pop()?;
                open.last_mut()?.put(&ended.name, JValue::object(ended.fields));
            }
            Event::Text(text) => last.text.push_str(&text.decode().ok()?),
            Event::CData(text) => last.put("_cdata", JValue::string(&*text.decode().ok()?)),
            Event::GeneralRef(reference) => {
                // The five entities of XML itself, and characters by number.
                match reference.resolve_char_ref().ok()? {
                    Some(character) => last.text.push(character),
                    None => {
                        last.text.push_str(escape::resolve_predefined_entity(&reference.decode().ok()?)?);
                    }
                }
            }
            Event::Comment(text) => last.put("_comment", JValue::string(&*text.decode().ok()?)),
            Event::Decl(declaration) => {
                let content = BytesStart::from_content(std::str::from_utf8(&declaration).ok()?, 3);
                last.put("_declaration", JValue::object(element(&content, true)?.fields));
            }
            Event::DocType(_) => return None,
            Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    let document = open.pop()?;
    let has_text = document.fields.contains_key("_text") || document.fields.contains_key("_cdata");
    (open.is_empty() && !has_text).then_some(document.fields)
}

fn element(start: &BytesStart<'_>, with_attributes: bool) -> Option<Element> {
    let name = std::str::from_utf8(start.name().as_ref()).ok()?.to_owned();
    let mut attributes = IndexMap::new();
    for attribute in start.attributes().filter(|_| with_attributes) {
        let attribute = attribute.ok()?;
        let key = std::str::from_utf8(attribute.key.as_ref()).ok()?.to_owned();
        let raw = std::str::from_utf8(&attribute.value).ok()?;
        attributes.insert(key, JValue::from(escape::unescape(raw).ok()?.into_owned()));
    }
    let mut element = Element { name, ..Element::default() };
    if !attributes.is_empty() {
        element.put("_attributes", JValue::object(attributes));
    }
    Some(element)
}
