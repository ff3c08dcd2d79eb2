//! The names at the root of what an expression or a template sees, in layers, so that showing something costs no copy.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Up to so many names it is cheaper to compare than to hash.
const FEW: usize = 16;

/// What an object has under a name.
pub(super) fn field<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if map.len() > FEW {
        return map.get(name);
    }
    map.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// One JSON value, or an object with further names over and under its own.
#[derive(Clone, Debug)]
pub struct Roots<'v> {
    /// They hide the object's names; `None` hides one and gives nothing instead.
    over: Vec<(&'v str, Option<Cow<'v, Value>>)>,
    object: &'v Value,
    /// They give way to the object's names.
    under: Vec<(&'v str, &'v Value)>,
}

impl<'v> Roots<'v> {
    /// This value alone.
    #[must_use]
    pub fn new(object: &'v Value) -> Self {
        Self { over: Vec::new(), object, under: Vec::new() }
    }

    /// An object with names that win over its own, and such that give way.
    #[must_use]
    pub fn layered(
        over: Vec<(&'v str, Option<Cow<'v, Value>>)>,
        object: &'v Value,
        under: Vec<(&'v str, &'v Value)>,
    ) -> Self {
        Self { over, object, under }
    }

    /// Puts a name over all others.
    pub fn set(&mut self, name: &'v str, value: Cow<'v, Value>) {
        match self.over.iter_mut().find(|(known, _)| *known == name) {
            Some((_, slot)) => *slot = Some(value),
            None => self.over.push((name, Some(value))),
        }
    }

    /// What a name stands for.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        if let Some((_, value)) = self.over.iter().find(|(known, _)| *known == name) {
            return value.as_deref();
        }
        let own = self.object.as_object().and_then(|map| field(map, name));
        own.or_else(|| self.under.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
    }

    /// The one value, if there are no layers.
    pub(crate) fn alone(&self) -> Option<&'v Value> {
        (self.over.is_empty() && self.under.is_empty()).then_some(self.object)
    }

    /// Every name in its order; one that is in several layers comes several times.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let under = self.under.iter().map(|(name, _)| *name);
        let own = self.object.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        under.chain(own).chain(self.over.iter().map(|(name, _)| *name))
    }
}

impl<'v> From<&'v Value> for Roots<'v> {
    fn from(value: &'v Value) -> Self {
        Self::new(value)
    }
}
