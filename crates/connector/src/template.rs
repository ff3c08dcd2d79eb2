//! Placeholders: `{{path|fallback?:default:cast}}` in texts, lists and maps.

use std::sync::Arc;

use serde_json::{Map, Value};

/// Why a template cannot be compiled or filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(String);

impl From<String> for TemplateError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// One `{{…}}`.
#[derive(Clone, Debug)]
struct Placeholder {
    text: String,
    alternatives: Vec<Alternative>,
    default: Option<String>,
    cast: String,
}

#[derive(Clone, Debug)]
struct Alternative {
    path: Vec<String>,
    ignore_empty: bool,
}

#[derive(Clone, Debug)]
enum Piece {
    Literal(String),
    Placeholder(Placeholder),
}

const CASTS: &[&str] = &[
    "str",
    "int",
    "num",
    "bool",
    "json",
    "any",
    "null",
    "undefined",
    "ignore-empty-str",
    "quoted",
    "single-quoted",
];

impl Placeholder {
    /// `None` when the text between the braces is no placeholder.
    fn parse(inner: &str) -> Result<Option<Self>, TemplateError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-./|:? ".contains(c);
        if inner.trim().is_empty() || !inner.chars().all(allowed) {
            return Ok(None);
        }
        let (main, tail) = match inner.split_once('?') {
            Some((main, tail)) => (main, Some(tail.strip_prefix(':').unwrap_or(tail))),
            None => (inner, None),
        };
        let (default, mut cast) = match tail {
            Some(tail) => match tail.rsplit_once(':') {
                Some((default, cast)) => (Some(default.to_owned()), Some(cast.trim().to_owned())),
                None => (Some(tail.to_owned()), None),
            },
            None => (None, None),
        };
        let mut alternatives = Vec::new();
        for part in main.split('|') {
            let mut words = part.trim().split(':').map(str::trim);
            let path = words.next().unwrap_or_default();
            let mut ignore_empty = false;
            for word in words {
                match word {
                    "ignore-empty-str" => ignore_empty = true,
                    other => cast = Some(other.to_owned()),
                }
            }
            alternatives
                .push(Alternative { path: path.split('.').map(ToOwned::to_owned).collect(), ignore_empty });
        }
        let cast = cast.unwrap_or_else(|| "str".to_owned());
        if !CASTS.contains(&cast.as_str()) {
            return Err(TemplateError(format!(
                "`{{{{{inner}}}}}`: unsupported type `{cast}`; one of {}",
                CASTS.join(", ")
            )));
        }
        Ok(Some(Self { text: format!("{{{{{inner}}}}}"), alternatives, default, cast }))
    }

    fn find<'a>(&self, data: &'a Value) -> Option<&'a Value> {
        self.alternatives.iter().find_map(|alternative| {
            let value = alternative.path.iter().try_fold(data, |at, part| match at {
                Value::Object(map) => map.get(part),
                Value::Array(items) => items.get(part.parse::<usize>().ok()?),
                _ => None,
            })?;
            (!alternative.ignore_empty || value.as_str() != Some("")).then_some(value)
        })
    }

    /// The value when the placeholder is the whole text. `None` removes the key.
    fn whole(&self, data: &Value) -> Option<Value> {
        let default = self.default.clone().map(Value::String);
        let Some(value) = self.find(data).cloned().or(default) else {
            return match self.cast.as_str() {
                "undefined" => None,
                "null" => Some(Value::Null),
                _ => Some(Value::String(self.text.clone())),
            };
        };
        Some(match self.cast.as_str() {
            "any" | "json" | "undefined" => value,
            "null" if value.as_str() == Some("null") => Value::Null,
            "int" | "num" => number(&value, self.cast == "int").unwrap_or(value),
            "bool" => match text(&value).as_str() {
                "true" | "1" => Value::Bool(true),
                "false" | "0" => Value::Bool(false),
                _ => value,
            },
            "quoted" | "single-quoted" => Value::String(self.quoted(&text(&value))),
            _ if value.is_null() => Value::Null,
            _ => Value::String(text(&value)),
        })
    }

    /// Text as the cast quotes it, or as it is.
    fn quoted(&self, text: &str) -> String {
        match self.cast.as_str() {
            "quoted" => double_quoted(text),
            "single-quoted" => single_quoted(text),
            _ => text.to_owned(),
        }
    }

    /// The value inside other text.
    fn part(&self, data: &Value) -> String {
        match self.find(data) {
            Some(value) => self.quoted(&text(value)),
            None => match &self.default {
                Some(default) => default.clone(),
                None if self.cast == "undefined" => String::new(),
                None => self.text.clone(),
            },
        }
    }
}

fn number(value: &Value, integer: bool) -> Option<Value> {
    let text = text(value);
    if integer {
        return text.trim().parse::<i64>().ok().map(Value::from);
    }
    text.trim().parse::<serde_json::Number>().ok().map(Value::Number)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Text in double quotes, as SCIM filters and JSON spell it.
fn double_quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// Text in single quotes, as SOQL and its like spell it.
fn single_quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for character in text.chars() {
        match character {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\\' | '\'' => quoted.extend(['\\', character]),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

fn pieces(source: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = source;
    while let Some(at) = rest.find("{{") {
        literal.push_str(&rest[..at]);
        let tail = &rest[at + 2..];
        let parsed = match tail.find("}}") {
            Some(end) => Placeholder::parse(&tail[..end])?.map(|placeholder| (placeholder, &tail[end + 2..])),
            None => None,
        };
        match parsed {
            Some((placeholder, after)) => {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Placeholder(placeholder));
                rest = after;
            }
            None => {
                // One brace only: in `{{{a}}}` the placeholder begins at the second.
                literal.push('{');
                rest = &rest[at + 1..];
            }
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

/// Adds the first name of every path, each once.
fn roots_of(pieces: &[Piece], roots: &mut Vec<String>) {
    for piece in pieces {
        let Piece::Placeholder(placeholder) = piece else { continue };
        for root in placeholder.alternatives.iter().filter_map(|alternative| alternative.path.first()) {
            if !roots.contains(root) {
                roots.push(root.clone());
            }
        }
    }
}

fn collect_roots(node: &Node, roots: &mut Vec<String>) {
    match node {
        Node::Fixed(_) => {}
        Node::Text(pieces) => roots_of(pieces, roots),
        Node::List(items) => items.iter().for_each(|item| collect_roots(item, roots)),
        Node::Map(entries) => entries.iter().for_each(|(_, item)| collect_roots(item, roots)),
    }
}

/// A template over JSON.
#[derive(Clone, Debug)]
pub struct Template {
    node: Node,
    source: Arc<Value>,
}

#[derive(Clone, Debug)]
enum Node {
    Fixed(Value),
    Text(Vec<Piece>),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Template {
    /// Compiles a text, list or map.
    ///
    /// # Errors
    /// An unsupported cast.
    pub fn compile(source: &Value) -> Result<Self, TemplateError> {
        Ok(Self { node: node(source)?, source: Arc::new(source.clone()) })
    }

    /// The template as it was written.
    #[must_use]
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// The first names of all paths, each once.
    #[must_use]
    pub fn roots(&self) -> Vec<String> {
        let mut roots = Vec::new();
        collect_roots(&self.node, &mut roots);
        roots
    }

    /// Fills in the placeholders. A missing one stays as it is written.
    ///
    /// # Errors
    /// None at present; kept because casts may come to fail.
    pub fn render(&self, data: &Value) -> Result<Value, TemplateError> {
        Ok(render(&self.node, data).unwrap_or(Value::Null))
    }
}

fn node(source: &Value) -> Result<Node, TemplateError> {
    Ok(match source {
        Value::String(text) => Node::Text(pieces(text)?),
        Value::Array(items) => Node::List(items.iter().map(node).collect::<Result<_, _>>()?),
        Value::Object(map) => Node::Map(
            map.iter()
                .map(|(key, value)| Ok((key.clone(), node(value)?)))
                .collect::<Result<_, TemplateError>>()?,
        ),
        other => Node::Fixed(other.clone()),
    })
}

fn render(node: &Node, data: &Value) -> Option<Value> {
    Some(match node {
        Node::Fixed(value) => value.clone(),
        Node::Text(pieces) => match pieces.as_slice() {
            [Piece::Placeholder(placeholder)] => return placeholder.whole(data),
            pieces => Value::String(
                pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Literal(text) => text.clone(),
                        Piece::Placeholder(placeholder) => placeholder.part(data),
                    })
                    .collect(),
            ),
        },
        Node::List(items) => Value::Array(items.iter().filter_map(|item| render(item, data)).collect()),
        Node::Map(entries) => Value::Object(map(entries, data)),
    })
}

fn map(entries: &[(String, Node)], data: &Value) -> Map<String, Value> {
    let mut result = Value::Object(Map::new());
    let own = entries.iter().filter(|(key, _)| key != "$truto_merge");
    for (key, item) in own {
        if let (Some(value), Value::Object(map)) = (render(item, data), &mut result) {
            map.insert(key.clone(), value);
        }
    }
    for (_, item) in entries.iter().filter(|(key, _)| key == "$truto_merge") {
        match render(item, data) {
            Some(Value::Array(items)) => items.into_iter().for_each(|item| merge(&mut result, item)),
            Some(one) => merge(&mut result, one),
            None => {}
        }
    }
    match result {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Deep-merges maps, later entries win; anything that is not a map adds nothing.
fn merge(into: &mut Value, over: Value) {
    let (Value::Object(base), Value::Object(over)) = (into, over) else { return };
    for (key, value) in over {
        match base.get_mut(&key) {
            Some(slot) if slot.is_object() && value.is_object() => merge(slot, value),
            _ => {
                base.insert(key, value);
            }
        }
    }
}

/// A text whose every placeholder must have a value: base URLs, paths, headers.
#[derive(Clone, Debug)]
pub struct TextTemplate(Vec<Piece>);

impl TextTemplate {
    /// Compiles a text.
    ///
    /// # Errors
    /// An unsupported cast.
    pub fn compile(source: &str) -> Result<Self, TemplateError> {
        pieces(source).map(Self)
    }

    /// The first names of all paths, each once.
    #[must_use]
    pub fn roots(&self) -> Vec<String> {
        let mut roots = Vec::new();
        roots_of(&self.0, &mut roots);
        roots
    }

    /// The text with `{}` in place of every placeholder.
    #[must_use]
    pub fn outline(&self) -> String {
        let text = |piece: &Piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Placeholder(_) => "{}".to_owned(),
        };
        self.0.iter().map(text).collect()
    }

    /// Fills in; `escape` is applied to values, never to the literal text.
    ///
    /// # Errors
    /// A placeholder without a value, or one that `escape` refuses; named, without the value.
    pub fn render(
        &self,
        data: &Value,
        escape: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<String, TemplateError> {
        let mut result = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => result.push_str(text),
                Piece::Placeholder(placeholder) => {
                    let name = || placeholder.text.clone();
                    let value = placeholder.find(data).filter(|value| !value.is_null());
                    if value.is_some_and(|value| value.is_object() || value.is_array()) {
                        return Err(TemplateError(format!("{} is a list or a map, not a text", name())));
                    }
                    let value = value.map(text).or_else(|| placeholder.default.clone());
                    let value = value.filter(|value| !value.is_empty());
                    let value = value.ok_or_else(|| TemplateError(format!("{} has no value", name())))?;
                    let value = placeholder.quoted(&value);
                    result.push_str(
                        &escape(&value).map_err(|why| TemplateError(format!("{}: {why}", name())))?,
                    );
                }
            }
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::{Template, TextTemplate};
    use serde_json::{Value, json};

    fn render(template: &Value, data: &Value) -> Value {
        Template::compile(template).unwrap().render(data).unwrap()
    }

    #[test]
    fn the_measured_table() {
        for (template, data, wanted) in [
            (json!("{{a}}"), json!({"a": 1}), json!("1")),
            (json!("{{a}}"), json!({"a": null}), Value::Null),
            (json!("x{{a}}y"), json!({"a": null}), json!("xnully")),
            (json!("{{a}}"), json!({}), json!("{{a}}")),
            (json!("{{a:any}}"), json!({"a": {"b": 1}}), json!({"b": 1})),
            (json!("{{a:int}}"), json!({"a": "7"}), json!(7)),
            (json!("{{a:bool}}"), json!({"a": "true"}), json!(true)),
            (json!("{{a:int}}"), json!({"a": "x"}), json!("x")),
            (json!("x{{a:int}}y"), json!({"a": "7"}), json!("x7y")),
            (json!("{{a:null}}"), json!({}), Value::Null),
            (json!({"k": "{{a:undefined}}", "l": 1}), json!({}), json!({"l": 1})),
            (json!("{{a|b}}"), json!({"a": "", "b": "z"}), json!("")),
            (json!("{{a:ignore-empty-str|b}}"), json!({"a": "", "b": "z"}), json!("z")),
            (json!("{{a?:b c}}"), json!({}), json!("b c")),
            (json!("{{a?:1:int}}"), json!({}), json!(1)),
            (json!("{{a.0.b}}"), json!({"a": [{"b": "q"}]}), json!("q")),
            (json!("{{a-b/c}}"), json!({"a-b/c": "q"}), json!("q")),
            (json!("{{ a.b }}"), json!({"a": {"b": "q"}}), json!("q")),
            (json!("{{a}}"), json!({"a": "{{b}}", "b": 1}), json!("{{b}}")),
            (json!("{{$a}} {{a[0]}}"), json!({"a": 1}), json!("{{$a}} {{a[0]}}")),
            (json!("e eq {{a:quoted}}"), json!({"a": "x\" or \"1\\"}), json!(r#"e eq "x\" or \"1\\""#)),
            (json!("e = {{a:single-quoted}}"), json!({"a": "x\\' or '1\n"}), json!(r"e = 'x\\\' or \'1\n'")),
            (json!("{{a:single-quoted}}"), json!({"a": 7}), json!("'7'")),
            (
                json!({"a": {"x": 1}, "$truto_merge": "{{u:json}}"}),
                json!({"u": {"a": {"y": 2}, "b": 3}}),
                json!({"a": {"x": 1, "y": 2}, "b": 3}),
            ),
        ] {
            assert_eq!(render(&template, &data), wanted, "{template}");
        }
        assert_eq!(render(&json!("{{{a}}}"), &json!({"a": 1})), json!("{1}"));
        let error = Template::compile(&json!("{{a:foo}}")).unwrap_err();
        assert!(error.to_string().contains("unsupported type"), "{error}");
    }

    #[test]
    fn merges_go_deep_and_later_ones_win() {
        let template =
            json!({"$truto_merge": ["{{a:json}}", "{{b:any}}", "{{nope:json}}"], "k": {"own": 1}, "n": null});
        let data = json!({"a": {"k": {"x": 1, "y": 1}}, "b": {"k": {"y": 2}, "$truto_merge": 1}});
        let wanted = json!({"k": {"own": 1, "x": 1, "y": 2}, "n": null, "$truto_merge": 1});
        assert_eq!(render(&template, &data), wanted);
    }

    #[test]
    fn roots_are_the_first_names() {
        let template = json!({"a": ["{{id|query.id}}"], "b": "{{body.x}} {{id}} {{$no}}", "c": 1});
        assert_eq!(Template::compile(&template).unwrap().roots(), ["id", "query", "body"]);
        assert_eq!(TextTemplate::compile("/{{a.b}}/{{c?:1}}").unwrap().roots(), ["a", "c"]);
    }

    #[test]
    fn values_are_escaped_and_literals_kept() {
        let escape = |value: &str| match value {
            ".." => Err("climbs".to_owned()),
            value => Ok(value.replace('/', "%2F")),
        };
        let template = TextTemplate::compile("/u/{{id}}").unwrap();
        assert_eq!(template.render(&json!({"id": "a/b"}), &escape).unwrap(), "/u/a%2Fb");
        let error = template.render(&json!({"id": ".."}), &escape).unwrap_err().to_string();
        assert_eq!(error, "{{id}}: climbs");
    }

    #[test]
    fn a_text_template_needs_every_value() {
        let template = TextTemplate::compile("/u/{{id}}").unwrap();
        let keep = |value: &str| Ok(value.to_owned());
        assert_eq!(template.render(&json!({"id": 7}), &keep).unwrap(), "/u/7");
        for data in [json!({}), json!({"id": ""}), json!({"id": null}), json!({"id": [1]}), json!({"id": {}})]
        {
            assert!(template.render(&data, &keep).is_err());
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(source in "[{}a|:? .x]{0,40}", value in ".{0,10}") {
            if let Ok(template) = Template::compile(&json!(source)) {
                let _ = template.render(&json!({"a": value}));
            }
        }
    }
}
