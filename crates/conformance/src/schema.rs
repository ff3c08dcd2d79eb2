//! From the dialects of schemas that specifications are written in to JSON Schema 2020-12, and to validators.
//!
//! Every keyword is carried over by name and only when its value is what it should be: specifications contain
//! mistakes that a validator would refuse the whole schema for.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use jsonschema::Validator;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// Which way a value travels: what is read-only is not sent, what is write-only does not come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    Request,
    Answer,
}

/// The schemas of one document.
#[derive(Debug)]
pub(crate) struct Schemas {
    document: Value,
    /// What stands before a bare name in `$ref`.
    names: &'static str,
    compiled: Mutex<HashMap<(String, Direction), Compiled>>,
}

type Compiled = Result<Arc<Validator>, String>;

impl Schemas {
    pub(crate) fn new(document: Value, names: &'static str) -> Self {
        Self { document, names, compiled: Mutex::default() }
    }

    /// The whole document.
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// A validator of a schema of this document.
    ///
    /// # Errors
    /// When the schema cannot be one, whatever is done about it.
    pub(crate) fn validator(&self, schema: &Value, direction: Direction) -> Compiled {
        let key = (schema.to_string(), direction);
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let build = || {
            let options = jsonschema::options().should_validate_formats(true);
            options.build(&self.whole(schema, direction)).map(Arc::new).map_err(|error| error.to_string())
        };
        compiled.entry(key).or_insert_with(build).clone()
    }

    /// The schema with everything it refers to.
    fn whole(&self, schema: &Value, direction: Direction) -> Value {
        let mut translation =
            Translation { schemas: self, direction, names: IndexMap::new(), not_ours: BTreeSet::new() };
        let root = translation.scope(schema);
        let mut definitions = Map::new();
        while let Some(((pointer, not_ours), name)) = translation.names.get_index(definitions.len()) {
            let (pointer, not_ours, name) = (pointer.clone(), not_ours.clone(), name.clone());
            let target = self.document.pointer(&pointer);
            let target = target.map_or(Value::Bool(true), |target| translation.part(target, not_ours));
            definitions.insert(name, target);
        }
        json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [root], "$defs": definitions})
    }

    /// Where a `$ref` points; `None` for another document.
    pub(crate) fn pointer(&self, reference: &str) -> Option<String> {
        match reference.strip_prefix('#') {
            Some(pointer) => Some(percent_decode_str(pointer).decode_utf8_lossy().into_owned()),
            None if self.names.is_empty() || reference.contains(['/', '#', '.']) => None,
            None => Some(format!("{}/{reference}", self.names)),
        }
    }

    /// What a `$ref` points at.
    pub(crate) fn target(&self, reference: &str) -> Option<&Value> {
        self.document.pointer(&self.pointer(reference)?)
    }
}

struct Translation<'s> {
    schemas: &'s Schemas,
    direction: Direction,
    /// Each definition that is referred to, by its pointer and by what of the object at hand does not travel -> its
    /// name.
    names: IndexMap<(String, BTreeSet<String>), String>,
    /// The properties of the object at hand that do not travel this way.
    not_ours: BTreeSet<String>,
}

const SCHEMAS: &[&str] = &["allOf", "anyOf"];
const BOUNDS: &[&str] = &["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"];
const TYPES: &[&str] = &["string", "number", "integer", "boolean", "array", "object", "null"];

impl Translation<'_> {
    /// All that is said of one object, in however many parts.
    fn scope(&mut self, schema: &Value) -> Value {
        self.part(schema, BTreeSet::new())
    }

    /// The same, or one of several parts of which the others have these properties that do not travel.
    fn part(&mut self, schema: &Value, not_ours: BTreeSet<String>) -> Value {
        let outer = std::mem::replace(&mut self.not_ours, not_ours);
        self.mark(schema, 0);
        let translated = self.branch(schema);
        self.not_ours = outer;
        translated
    }

    /// Notes the properties that do not travel this way; they may be required in another part than the one that
    /// describes them.
    fn mark(&mut self, schema: &Value, depth: usize) {
        let mark = match self.direction {
            Direction::Request => "readOnly",
            Direction::Answer => "writeOnly",
        };
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let target = property["$ref"].as_str().and_then(|name| self.schemas.target(name));
            let said = [Some(property), target].into_iter().flatten();
            if said.into_iter().any(|schema| schema.get(mark) == Some(&Value::Bool(true))) {
                self.not_ours.insert(name.clone());
            }
        }
        let target = schema["$ref"].as_str().and_then(|name| self.schemas.target(name));
        let parts = ["allOf", "anyOf", "oneOf"]
            .into_iter()
            .flat_map(|key| schema[key].as_array().into_iter().flatten());
        for part in target.into_iter().chain(parts).filter(|_| depth < 8) {
            self.mark(part, depth + 1);
        }
    }

    /// A schema that may be one of several that a value has to fit.
    fn branch(&mut self, schema: &Value) -> Value {
        let Value::Object(schema) = schema else { return Value::Bool(schema != &Value::Bool(false)) };
        let mut out = Map::new();
        self.reference(schema, &mut out);
        self.simple(schema, &mut out);
        self.object(schema, &mut out);
        self.array(schema, &mut out);
        self.composition(schema, &mut out);
        let nullable = [schema.get("nullable"), schema.get("x-nullable")].contains(&Some(&Value::Bool(true)));
        if nullable { or_null(out) } else { Value::Object(out) }
    }

    fn reference(&mut self, schema: &Map<String, Value>, out: &mut Map<String, Value>) {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let Some(pointer) = reference.and_then(|reference| self.schemas.pointer(reference)) else { return };
        let next = format!("d{}", self.names.len());
        let name = self.names.entry((pointer, self.not_ours.clone())).or_insert(next);
        out.insert("$ref".to_owned(), json!(format!("#/$defs/{name}")));
    }

    fn simple(&self, schema: &Map<String, Value>, out: &mut Map<String, Value>) {
        let words: Vec<_> = match schema.get("type") {
            Some(Value::String(word)) => vec![word.as_str()],
            Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if let [word] = words.as_slice()
            && TYPES.contains(word)
        {
            out.insert("type".to_owned(), json!(word));
        } else if !words.is_empty() && words.iter().all(|word| TYPES.contains(word)) {
            out.insert("type".to_owned(), json!(words));
        }
        if let Some(values) =
            schema.get("enum").filter(|values| values.as_array().is_some_and(|all| !all.is_empty()))
        {
            out.insert("enum".to_owned(), values.clone());
        }
        if let Some(value) = schema.get("const") {
            out.insert("const".to_owned(), value.clone());
        }
        for name in BOUNDS {
            if let Some(bound) = schema.get(*name).and_then(Value::as_u64) {
                out.insert((*name).to_owned(), json!(bound));
            }
        }
        for (name, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            // a flag beside the bound until OpenAPI 3.0, a bound of its own since
            let is_exclusive = schema.get(exclusive) == Some(&Value::Bool(true));
            if let Some(bound) = schema.get(name).and_then(number) {
                out.insert(if is_exclusive { exclusive } else { name }.to_owned(), bound);
            }
            if let Some(bound) = schema.get(exclusive).and_then(number) {
                out.insert(exclusive.to_owned(), bound);
            }
        }
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
            out.insert("uniqueItems".to_owned(), json!(true));
        }
        if let Some(format) = schema.get("format").and_then(Value::as_str) {
            out.insert("format".to_owned(), json!(format));
        }
        if let Some(pattern) = schema.get("pattern").filter(|pattern| is_pattern(pattern)) {
            out.insert("pattern".to_owned(), pattern.clone());
        }
    }

    fn object(&mut self, schema: &Map<String, Value>, out: &mut Map<String, Value>) {
        if let Some(Value::Object(properties)) = schema.get("properties") {
            let mut all = Map::new();
            for (name, property) in properties {
                let is_ours = !self.not_ours.contains(name);
                all.insert(name.clone(), if is_ours { self.scope(property) } else { Value::Bool(false) });
            }
            out.insert("properties".to_owned(), Value::Object(all));
        }
        if let Some(Value::Array(names)) = schema.get("required") {
            let is_ours = |name: &&Value| name.as_str().is_some_and(|name| !self.not_ours.contains(name));
            out.insert("required".to_owned(), names.iter().filter(is_ours).cloned().collect());
        }
        if let Some(Value::Object(patterns)) = schema.get("patternProperties") {
            let known = patterns.iter().filter(|(pattern, _)| is_pattern(&json!(pattern)));
            let known = known.map(|(pattern, schema)| (pattern.clone(), self.scope(schema))).collect();
            out.insert("patternProperties".to_owned(), Value::Object(known));
        }
        for name in ["additionalProperties", "unevaluatedProperties"] {
            if let Some(rest) = schema.get(name).filter(|rest| rest.is_object() || rest.is_boolean()) {
                let rest = self.scope(rest);
                out.insert(name.to_owned(), rest);
            }
        }
    }

    fn array(&mut self, schema: &Map<String, Value>, out: &mut Map<String, Value>) {
        let first = schema.get("prefixItems").or(schema.get("items").filter(|items| items.is_array()));
        if let Some(items) = first.and_then(Value::as_array).filter(|items| !items.is_empty()) {
            out.insert("prefixItems".to_owned(), items.iter().map(|item| self.scope(item)).collect());
        }
        if let Some(items) = schema.get("items").filter(|items| items.is_object() || items.is_boolean()) {
            out.insert("items".to_owned(), self.scope(items));
        }
    }

    fn composition(&mut self, schema: &Map<String, Value>, out: &mut Map<String, Value>) {
        let mut branches = |name: &str| -> Option<Value> {
            let branches = schema.get(name)?.as_array().filter(|branches| !branches.is_empty())?;
            Some(branches.iter().map(|branch| self.branch(branch)).collect())
        };
        for name in SCHEMAS {
            if let Some(branches) = branches(name) {
                out.insert((*name).to_owned(), branches);
            }
        }
        // The branches of most unions overlap; what fits two of them is nobody's mistake.
        if let Some(one_of) = branches("oneOf") {
            let all = out.entry("allOf").or_insert_with(|| json!([]));
            all.as_array_mut().expect("written above").push(json!({"anyOf": one_of}));
        }
        if let Some(not) = schema.get("not").filter(|not| not.is_object()) {
            let not = self.branch(not);
            out.insert("not".to_owned(), not);
        }
    }
}

fn or_null(mut schema: Map<String, Value>) -> Value {
    let is_plain =
        !["$ref", "enum", "const", "allOf", "anyOf", "not"].iter().any(|key| schema.contains_key(*key));
    match schema.get_mut("type") {
        Some(word @ Value::String(_)) if is_plain => *word = json!([word, "null"]),
        None if is_plain => {}
        _ => return json!({"anyOf": [schema, {"type": "null"}]}),
    }
    Value::Object(schema)
}

/// Some write their bounds as text.
fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => text.parse::<serde_json::Number>().ok().map(Value::Number),
        _ => None,
    }
}

/// Not every pattern is one that our engine of regular expressions knows.
fn is_pattern(pattern: &Value) -> bool {
    pattern.is_string() && jsonschema::options().build(&json!({"pattern": pattern})).is_ok()
}

#[cfg(test)]
mod tests;
