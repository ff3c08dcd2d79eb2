//! Placeholders: `{{path|fallback?:default:cast}}` in texts, lists and maps.

mod placeholder;

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::expr::Roots;
use placeholder::{Piece, pieces, roots_of, text};

/// Bytes that most texts fit in.
const ROOM: usize = 64;

/// Why a template cannot be compiled or filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(String);

impl From<String> for TemplateError {
    fn from(text: String) -> Self {
        Self(text)
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
        self.fill(&Roots::new(data))
    }

    /// The same, from names in layers.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn fill(&self, roots: &Roots<'_>) -> Result<Value, TemplateError> {
        Ok(render(&self.node, roots).unwrap_or(Value::Null))
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

fn render(node: &Node, data: &Roots<'_>) -> Option<Value> {
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

fn map(entries: &[(String, Node)], data: &Roots<'_>) -> Map<String, Value> {
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

    /// Whether there is nothing to say: one placeholder alone, cast `undefined`, without a value.
    #[must_use]
    pub fn is_left_out(&self, roots: &Roots<'_>) -> bool {
        let [Piece::Placeholder(placeholder)] = self.0.as_slice() else { return false };
        let value = placeholder.find(roots).filter(|value| !value.is_null()).map(text);
        placeholder.cast == "undefined"
            && value.or_else(|| placeholder.default.clone()).is_none_or(|value| value.is_empty())
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
        self.fill(&Roots::new(data), escape)
    }

    /// The same, from names in layers.
    ///
    /// # Errors
    /// As [`TextTemplate::render`].
    pub fn fill(
        &self,
        roots: &Roots<'_>,
        escape: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<String, TemplateError> {
        let mut result = String::with_capacity(ROOM);
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => result.push_str(text),
                Piece::Placeholder(placeholder) => {
                    let name = || placeholder.text.clone();
                    let value = placeholder.find(roots).filter(|value| !value.is_null());
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
mod tests;
