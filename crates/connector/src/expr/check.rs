//! What can be known of an expression before it runs: its functions, variables and root names exist.
//!
//! The walk also routes calls: functions of ours that share a standard name, and methods of dates and search
//! parameters, which the engine does not have.

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};
use jsonata_core::value::with_stack;

use super::{ExprError, functions};

/// Standard functions, except `$eval`: it would hide code from this check.
const STANDARD: &[&str] = &[
    "abs",
    "append",
    "assert",
    "average",
    "base64decode",
    "base64encode",
    "boolean",
    "ceil",
    "contains",
    "count",
    "decodeUrl",
    "decodeUrlComponent",
    "distinct",
    "each",
    "encodeUrl",
    "encodeUrlComponent",
    "error",
    "exists",
    "filter",
    "floor",
    "formatBase",
    "formatInteger",
    "formatNumber",
    "fromMillis",
    "join",
    "keys",
    "length",
    "lookup",
    "lowercase",
    "map",
    "match",
    "max",
    "merge",
    "millis",
    "min",
    "not",
    "now",
    "number",
    "pad",
    "parseInteger",
    "power",
    "random",
    "reduce",
    "replace",
    "reverse",
    "round",
    "shuffle",
    "sift",
    "single",
    "sort",
    "split",
    "spread",
    "sqrt",
    "string",
    "substring",
    "substringAfter",
    "substringBefore",
    "sum",
    "toMillis",
    "trim",
    "type",
    "uppercase",
    "zip",
];

/// Longest source; the parser's time and memory grow with it.
const LONGEST_SOURCE: usize = 64 << 10;

/// Parses, checks and routes.
pub(super) fn parsed(source: &str, roots: &[&str]) -> Result<AstNode, ExprError> {
    if source.len() > LONGEST_SOURCE {
        return Err(ExprError { message: "the expression is too long".to_owned(), hint: None });
    }
    let mut ast = jsonata_core::parser::parse(source)
        .map_err(|error| ExprError { message: error.display_message(), hint: None })?;
    let mut names = Names::default();
    names.collect(&mut ast);
    Check { roots, bound: &names.bound }.visit(&mut ast, true)?;
    Ok(ast)
}

/// Calls `f` for each direct part of a node; `true` says that the part is evaluated where the node is.
pub(super) fn parts<E>(
    node: &mut AstNode,
    f: &mut dyn FnMut(&mut AstNode, bool) -> Result<(), E>,
) -> Result<(), E> {
    match node {
        AstNode::Path { steps } => {
            for (index, step) in steps.iter_mut().enumerate() {
                f(&mut step.node, index == 0)?;
                for stage in &mut step.stages {
                    if let Stage::Filter(filter) = stage {
                        f(filter, false)?;
                    }
                }
            }
        }
        AstNode::Binary { lhs, rhs, .. } => {
            f(lhs, true)?;
            f(rhs, true)?;
        }
        AstNode::Unary { operand, .. } => f(operand, true)?,
        AstNode::Function { args, .. }
        | AstNode::Array(args)
        | AstNode::ArrayGroup(args)
        | AstNode::Block(args) => {
            args.iter_mut().try_for_each(|arg| f(arg, true))?;
        }
        AstNode::Call { procedure, args } => {
            f(procedure, true)?;
            args.iter_mut().try_for_each(|arg| f(arg, true))?;
        }
        AstNode::Lambda { body, .. } => f(body, true)?,
        AstNode::Object(pairs) => pairs.iter_mut().try_for_each(|(key, value)| {
            f(key, true)?;
            f(value, true)
        })?,
        AstNode::ObjectTransform { input, pattern } => {
            f(input, true)?;
            for (key, value) in pattern {
                f(key, false)?;
                f(value, false)?;
            }
        }
        AstNode::Conditional { condition, then_branch, else_branch } => {
            f(condition, true)?;
            f(then_branch, true)?;
            else_branch.iter_mut().try_for_each(|branch| f(branch, true))?;
        }
        AstNode::FunctionApplication(inner) => f(inner, true)?,
        AstNode::Sort { input, terms } => {
            f(input, true)?;
            terms.iter_mut().try_for_each(|(term, _)| f(term, false))?;
        }
        AstNode::Transform { location, update, delete } => {
            f(location, false)?;
            f(update, false)?;
            delete.iter_mut().try_for_each(|delete| f(delete, false))?;
        }
        AstNode::String(_)
        | AstNode::Name(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::Variable(_)
        | AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_) => {}
    }
    Ok(())
}

/// Names that the expression itself binds. Where they are visible is not followed: a name bound anywhere is
/// accepted everywhere.
#[derive(Default)]
struct Names {
    bound: Vec<String>,
}

impl Names {
    fn collect(&mut self, node: &mut AstNode) {
        match node {
            AstNode::Lambda { params, .. } => self.bound.extend(params.iter().cloned()),
            AstNode::Binary { op: BinaryOp::ColonEqual, lhs, .. } => {
                if let AstNode::Variable(name) = &**lhs {
                    self.bound.push(name.clone());
                }
            }
            AstNode::Path { steps } => steps.iter().for_each(|step| self.collect_step(step)),
            _ => {}
        }
        let _: Result<(), ()> = with_stack(|| {
            parts(node, &mut |part, _| {
                self.collect(part);
                Ok(())
            })
        });
    }

    fn collect_step(&mut self, step: &PathStep) {
        self.bound.extend(step.focus.iter().chain(&step.index_var).cloned());
        for stage in &step.stages {
            if let Stage::Index(name) = stage {
                self.bound.push(name.clone());
            }
        }
    }
}

struct Check<'a> {
    roots: &'a [&'a str],
    bound: &'a [String],
}

impl Check<'_> {
    fn visit(&self, node: &mut AstNode, at_root: bool) -> Result<(), ExprError> {
        match node {
            AstNode::Name(name) if at_root => self.root(name)?,
            AstNode::Variable(name) => self.variable(name)?,
            AstNode::Function { is_builtin: false, .. } => method(node)?,
            AstNode::Function { name, .. } => self.function(name)?,
            AstNode::Binary { op: BinaryOp::Range, lhs, rhs } => {
                bounded(lhs);
                bounded(rhs);
            }
            AstNode::Path { steps } => {
                // `$$` is the root wherever it stands.
                if let [first, second, ..] = steps.as_slice()
                    && matches!(&first.node, AstNode::ParentVariable(name) if name.is_empty())
                    && let AstNode::Name(name) = &second.node
                {
                    self.root(name)?;
                }
            }
            _ => {}
        }
        with_stack(|| parts(node, &mut |part, same_place| self.visit(part, at_root && same_place)))
    }

    fn root(&self, name: &str) -> Result<(), ExprError> {
        if self.roots.is_empty() || self.roots.contains(&name) {
            return Ok(());
        }
        let hint = nearest(name, self.roots.iter().copied()).map_or_else(
            || format!("known here: {}", self.roots.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        Err(ExprError { message: format!("`{name}` is not known here"), hint: Some(hint) })
    }

    fn function(&self, name: &mut String) -> Result<(), ExprError> {
        if name == BOUND {
            return Ok(());
        }
        self.named(name, "function")
    }

    /// A variable may also name a function, to hand it to another one.
    fn variable(&self, name: &mut String) -> Result<(), ExprError> {
        if name.is_empty() || name == "$" { Ok(()) } else { self.named(name, "variable") }
    }

    fn named(&self, name: &mut String, kind: &str) -> Result<(), ExprError> {
        if self.bound.contains(name) {
            return Ok(());
        }
        if functions::OVERRIDES.contains(&name.as_str()) {
            *name = format!("koine_{name}");
            return Ok(());
        }
        let mut known: Vec<&str> = STANDARD.to_vec();
        known.extend(functions::names().map(|name| name as &str));
        if known.contains(&name.as_str()) {
            return Ok(());
        }
        known.extend(self.bound.iter().map(String::as_str));
        let hint = nearest(name, known.into_iter()).map(|near| format!("did you mean `${near}`?"));
        Err(ExprError { message: format!("there is no {kind} `${name}`"), hint })
    }
}

/// What takes an end of a range within bounds.
const BOUND: &str = "koine_bound";

/// `a..b` becomes `$koine_bound(a)..$koine_bound(b)`.
fn bounded(end: &mut AstNode) {
    let inner = std::mem::replace(end, AstNode::Null);
    *end = AstNode::Function { name: BOUND.to_owned(), args: vec![inner], is_builtin: true };
}

/// `value.toISO()` becomes `value.$koine_method('toISO', $)`.
fn method(node: &mut AstNode) -> Result<(), ExprError> {
    let AstNode::Function { name, args, is_builtin } = node else { return Ok(()) };
    if !functions::methods().any(|known| known == name) {
        // A forgotten `$` is the likelier mistake.
        let standard = STANDARD.iter().copied().chain(functions::names()).find(|known| known == name);
        let hint = standard
            .map(|near| format!("did you mean `${near}`?"))
            .or_else(|| nearest(name, functions::methods()).map(|near| format!("did you mean `{near}`?")));
        return Err(ExprError { message: format!("there is no method `{name}`"), hint });
    }
    args.splice(0..0, [AstNode::String(std::mem::take(name)), AstNode::Variable(String::new())]);
    "koine_method".clone_into(name);
    *is_builtin = true;
    Ok(())
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}
