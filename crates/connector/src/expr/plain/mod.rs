//! Expressions that need no engine: most fields of most record maps are a path, or a choice between paths and texts.
//!
//! What they give is what the engine would give, which the tests compare. Whatever is not this simple, in the expression
//! or in the data it meets, is left to the engine, which then evaluates the whole expression.

mod eval;

use std::collections::HashSet;

use jsonata_core::ast::{AstNode, BinaryOp, PathStep};
use serde_json::{Map, Value};

pub(super) use eval::eval;

/// Deeper expressions are left to the engine, which looks after the stack.
const DEEPEST: usize = 16;

/// An expression of the simple kinds.
#[derive(Debug)]
pub(super) enum Plain {
    /// Always the same.
    Literal(Value),
    /// `a.b.c`: the name at the root, and those below it.
    Path(String, Vec<String>),
    /// `test ? then : other`.
    If { test: Box<Plain>, then: Box<Plain>, other: Option<Box<Plain>> },
    /// `[…, …]`.
    List(Vec<Plain>),
    /// `{"name": …}`.
    Record(Vec<(String, Plain)>),
    /// `$mapValues(…, {"word": "other word"})`.
    Words(Box<Plain>, Map<String, Value>),
    /// `a = b`.
    Equal(Box<[Plain; 2]>),
    /// `a != b`.
    Unequal(Box<[Plain; 2]>),
    /// `a and b`.
    Both(Box<[Plain; 2]>),
    /// `a or b`.
    Either(Box<[Plain; 2]>),
    /// `$exists(…)`.
    Exists(Box<Plain>),
    /// Everything else.
    Engine,
}

/// `None` for what the engine has to do in any case.
pub(super) fn of(ast: &AstNode) -> Option<Plain> {
    let plain = node(ast, DEEPEST);
    (!matches!(plain, Plain::Engine)).then_some(plain)
}

fn node(ast: &AstNode, depth: usize) -> Plain {
    let Some(depth) = depth.checked_sub(1) else { return Plain::Engine };
    let part = |ast: &AstNode| node(ast, depth);
    let boxed = |ast: &AstNode| Box::new(node(ast, depth));
    match ast {
        AstNode::String(text) => Plain::Literal(Value::String(text.clone())),
        AstNode::Boolean(value) => Plain::Literal(Value::Bool(*value)),
        AstNode::Null => Plain::Literal(Value::Null),
        AstNode::Name(name) => Plain::Path(name.clone(), Vec::new()),
        AstNode::Path { steps } => path(steps).unwrap_or(Plain::Engine),
        AstNode::Conditional { condition, then_branch, else_branch } => Plain::If {
            test: boxed(condition),
            then: boxed(then_branch),
            other: else_branch.as_deref().map(boxed),
        },
        AstNode::Array(items) => Plain::List(items.iter().map(part).collect()),
        AstNode::Object(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| Some((text(key)?, part(value))));
            pairs
                .collect::<Option<Vec<_>>>()
                .filter(|pairs| are_different(pairs))
                .map_or(Plain::Engine, Plain::Record)
        }
        AstNode::Binary { op, lhs, rhs } => {
            let sides = || Box::new([part(lhs), part(rhs)]);
            match op {
                BinaryOp::Equal => Plain::Equal(sides()),
                BinaryOp::NotEqual => Plain::Unequal(sides()),
                BinaryOp::And => Plain::Both(sides()),
                BinaryOp::Or => Plain::Either(sides()),
                _ => Plain::Engine,
            }
        }
        AstNode::Function { name, args, is_builtin: true } => match (name.as_str(), args.as_slice()) {
            ("exists", [arg]) => Plain::Exists(boxed(arg)),
            ("mapValues", [arg, AstNode::Object(pairs)]) => {
                words(pairs).map_or(Plain::Engine, |words| Plain::Words(boxed(arg), words))
            }
            _ => Plain::Engine,
        },
        _ => Plain::Engine,
    }
}

fn path(steps: &[PathStep]) -> Option<Plain> {
    let mut names = steps.iter().map(name).collect::<Option<Vec<_>>>()?.into_iter();
    Some(Plain::Path(names.next()?, names.collect()))
}

/// The name that a step looks up, if it does nothing else.
fn name(step: &PathStep) -> Option<String> {
    let AstNode::Name(name) = &step.node else { return None };
    let is_bare = step.stages.is_empty()
        && step.focus.is_none()
        && step.index_var.is_none()
        && step.ancestor_label.is_none()
        && !step.is_tuple
        && !step.inner_tuple;
    is_bare.then(|| name.clone())
}

fn text(ast: &AstNode) -> Option<String> {
    match ast {
        AstNode::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// The words of a mapping, if no two are spellings of one.
fn words(pairs: &[(AstNode, AstNode)]) -> Option<Map<String, Value>> {
    let mut spellings = HashSet::new();
    let mut word = |(from, to): &(AstNode, AstNode)| {
        let (from, to) = (text(from)?, text(to)?);
        let is_plain = spellings.insert(from.to_lowercase()) && !to.is_empty();
        is_plain.then_some((from, Value::String(to)))
    };
    pairs.iter().map(&mut word).collect()
}

/// Whether no key comes twice, which the engine refuses.
fn are_different(pairs: &[(String, Plain)]) -> bool {
    pairs.iter().enumerate().all(|(index, (key, _))| pairs[..index].iter().all(|(other, _)| other != key))
}

#[cfg(test)]
mod tests;
