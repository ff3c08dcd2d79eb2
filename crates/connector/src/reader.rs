//! Reads the keys of one map node, notes what is wrong, and refuses keys that nobody asked for.

use std::cell::RefCell;

use koine_model::NameMap;
use serde_json::Value;

use crate::expr::Expr;
use crate::problem::{Place, Problems};
use crate::template::{Template, TextTemplate};
use crate::yaml::{Data, Node};

/// The keys of one map while it is being read.
pub struct Reader<'a> {
    place: &'a Place,
    entries: NameMap<&'a (Place, Node), &'a str>,
    asked: RefCell<Vec<&'static str>>,
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// `None` (and a problem) when the node is not a map.
    pub fn new(node: &'a Node, what: &'static str, problems: &mut Problems) -> Option<Self> {
        let Data::Map(entries) = &node.data else {
            problems.add(&node.place, format!("{what} must be a map, this is {}", node.kind()), None);
            return None;
        };
        let entries = entries.iter().map(|(key, entry)| (key.as_str(), entry)).collect();
        Some(Self { place: &node.place, entries, asked: RefCell::default(), what })
    }

    /// Where the map begins.
    pub fn place(&self) -> &'a Place {
        self.place
    }

    /// The node under a key; null counts as absent.
    pub fn node(&self, key: &'static str) -> Option<&'a Node> {
        self.asked.borrow_mut().push(key);
        self.entries.get(key).map(|(_, node)| node).filter(|node| !matches!(node.data, Data::Null))
    }

    /// Whether the key is written as `null`.
    pub fn is_null(&self, key: &'static str) -> bool {
        self.asked.borrow_mut().push(key);
        self.entries.get(key).is_some_and(|(_, node)| matches!(node.data, Data::Null))
    }

    /// Text; anything else is a problem.
    pub fn text(&self, key: &'static str, problems: &mut Problems) -> Option<&'a str> {
        let node = self.node(key)?;
        match &node.data {
            Data::Text(text) => Some(text),
            _ => self.wrong(key, "text", node, problems),
        }
    }

    /// Text that must be there; empty (and a problem) when it is not.
    pub fn required(&self, key: &'static str, problems: &mut Problems) -> String {
        if self.node(key).is_none() {
            problems.add(self.place, format!("{} needs `{key}`", self.what), None);
        }
        self.text(key, problems).unwrap_or_default().to_owned()
    }

    /// True or false.
    pub fn boolean(&self, key: &'static str, problems: &mut Problems) -> Option<bool> {
        let node = self.node(key)?;
        match node.data {
            Data::Bool(value) => Some(value),
            _ => self.wrong(key, "true or false", node, problems),
        }
    }

    /// A whole number.
    pub fn number(&self, key: &'static str, problems: &mut Problems) -> Option<u64> {
        let node = self.node(key)?;
        match &node.data {
            Data::Number(value) if value.as_u64().is_some() => value.as_u64(),
            _ => self.wrong(key, "a whole number", node, problems),
        }
    }

    /// Text, or any scalar in its own spelling (for prose such as `reversible: false`).
    pub fn prose(&self, key: &'static str) -> Option<String> {
        self.node(key).map(|node| match node.to_json() {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }

    /// The items of a list; absent is empty.
    pub fn list(&self, key: &'static str, problems: &mut Problems) -> &'a [Node] {
        match self.node(key).map(|node| (&node.data, node)) {
            None => &[],
            Some((Data::List(items), _)) => items,
            Some((_, node)) => {
                self.wrong::<()>(key, "a list", node, problems);
                &[]
            }
        }
    }

    /// The items of a list of texts.
    pub fn texts(&self, key: &'static str, problems: &mut Problems) -> Vec<String> {
        let mut texts = Vec::new();
        for node in self.list(key, problems) {
            match &node.data {
                Data::Text(text) => texts.push(text.clone()),
                _ => {
                    self.wrong::<()>(key, "a list of texts", node, problems);
                }
            }
        }
        texts
    }

    /// The entries of a map under a key.
    pub fn entries(&self, key: &'static str, problems: &mut Problems) -> Vec<(&'a str, &'a Place, &'a Node)> {
        match self.node(key).map(|node| (&node.data, node)) {
            None => Vec::new(),
            Some((Data::Map(map), _)) => {
                map.iter().map(|(key, (place, node))| (key.as_str(), place, node)).collect()
            }
            Some((_, node)) => {
                self.wrong::<()>(key, "a map", node, problems);
                Vec::new()
            }
        }
    }

    /// A compiled expression. `roots` are the names it may begin with; empty means any.
    pub fn expr(&self, key: &'static str, roots: &[&str], problems: &mut Problems) -> Option<Expr> {
        let node = self.node(key)?;
        compile_expr(node, roots, problems)
    }

    /// A compiled template of named values; anything else is a problem.
    pub fn template_map(&self, key: &'static str, problems: &mut Problems) -> Option<Template> {
        let node = self.node(key)?;
        if !matches!(node.data, Data::Map(_)) {
            return self.wrong(key, "a map", node, problems);
        }
        self.template(key, problems)
    }

    /// A compiled template.
    pub fn template(&self, key: &'static str, problems: &mut Problems) -> Option<Template> {
        let node = self.node(key)?;
        match Template::compile(&node.to_json()) {
            Ok(template) => Some(template),
            Err(error) => {
                problems.add(&node.place, format!("`{key}`: {error}"), None);
                None
            }
        }
    }

    /// A compiled text template.
    pub fn text_template(&self, key: &'static str, problems: &mut Problems) -> Option<TextTemplate> {
        let node = self.node(key)?;
        compile_text(node, problems)
    }

    fn wrong<T>(&self, key: &str, wanted: &str, node: &Node, problems: &mut Problems) -> Option<T> {
        problems.add(
            &node.place,
            format!("`{key}` of {} must be {wanted}, this is {}", self.what, node.kind()),
            None,
        );
        None
    }

    /// Reports every key that was never asked for.
    pub fn finish(self, problems: &mut Problems) {
        let asked = self.asked.into_inner();
        for (key, (place, _)) in &self.entries {
            if asked.contains(key) {
                continue;
            }
            let near = asked
                .iter()
                .max_by(|a, b| strsim::jaro_winkler(a, key).total_cmp(&strsim::jaro_winkler(b, key)));
            let hint = match near.filter(|near| strsim::jaro_winkler(near, key) > 0.8) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known keys: {}", asked.join(", ")),
            };
            problems.add(place, format!("{} has no key `{key}`", self.what), Some(hint));
        }
    }
}

/// Compiles the expression in a text node.
pub fn compile_expr(node: &Node, roots: &[&str], problems: &mut Problems) -> Option<Expr> {
    let source = match &node.data {
        Data::Text(text) => text.clone(),
        Data::Bool(value) => value.to_string(),
        Data::Number(value) => value.to_string(),
        _ => {
            problems.add(&node.place, format!("an expression must be text, this is {}", node.kind()), None);
            return None;
        }
    };
    match Expr::compile(&source, roots) {
        Ok(expr) => Some(expr),
        Err(error) => {
            problems.add(&node.place, format!("`{}`: {}", source.trim(), error.message), error.hint);
            None
        }
    }
}

/// Compiles the text template in a node.
pub fn compile_text(node: &Node, problems: &mut Problems) -> Option<TextTemplate> {
    let Data::Text(text) = &node.data else {
        problems.add(&node.place, format!("this must be text, it is {}", node.kind()), None);
        return None;
    };
    match TextTemplate::compile(text) {
        Ok(template) => Some(template),
        Err(error) => {
            problems.add(&node.place, error.to_string(), None);
            None
        }
    }
}
