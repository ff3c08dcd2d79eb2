//! Which parts of its root an expression can see, so that nothing else is converted for it.

use std::collections::BTreeSet;

use jsonata_core::ast::{AstNode, PathStep};
use jsonata_core::value::with_stack;

use super::check::parts;

/// Functions that take the context for a missing first argument, and look into it by names of their own.
const OF_THE_CONTEXT: &[&str] = &["each", "lookup", "sift"];

/// Every name in the expression, which holds those that it looks up at its root; `None` when it may see all of it.
pub(super) fn of(ast: &mut AstNode) -> Option<Vec<String>> {
    let mut names = BTreeSet::new();
    let is_known = walk(ast, true, &mut names);
    is_known.then(|| names.into_iter().collect())
}

/// False as soon as something stands for the whole root.
fn walk(node: &mut AstNode, at_root: bool, names: &mut BTreeSet<String>) -> bool {
    match node {
        AstNode::Name(name) => {
            names.insert(name.clone());
        }
        AstNode::Path { steps } if begins_at_root(steps) => {
            // `$$.name`: the first step is the root, and only the name of the second is looked up in it.
            let rest = steps.iter_mut().skip(1);
            return rest.into_iter().all(|step| walk_step(step, names));
        }
        AstNode::Variable(name) if at_root && (name.is_empty() || name == "$") => return false,
        AstNode::Variable(name) if name == "$" => return false,
        AstNode::ParentVariable(_) | AstNode::Parent(_) | AstNode::Descendant => return false,
        AstNode::Wildcard if at_root => return false,
        AstNode::Function { name, args, .. } if at_root && takes_context(name, args.len()) => return false,
        _ => {}
    }
    let all = with_stack(|| {
        parts(node, &mut |part, same_place| {
            if walk(part, at_root && same_place, names) { Ok(()) } else { Err(()) }
        })
    });
    all.is_ok()
}

fn begins_at_root(steps: &[PathStep]) -> bool {
    matches!(steps, [first, second, ..]
        if matches!(&first.node, AstNode::ParentVariable(name) if name.is_empty())
            && first.stages.is_empty()
            && matches!(second.node, AstNode::Name(_)))
}

fn walk_step(step: &mut PathStep, names: &mut BTreeSet<String>) -> bool {
    let mut path = AstNode::Path { steps: vec![PathStep::new(AstNode::Null), step.clone()] };
    walk(&mut path, false, names)
}

fn takes_context(name: &str, args: usize) -> bool {
    let name = name.strip_prefix("koine_").unwrap_or(name);
    args == 0 || (args == 1 && OF_THE_CONTEXT.contains(&name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Expr, convert, pool};

    /// What an expression needs, in its own words.
    fn needs(source: &str) -> Option<String> {
        Some(Expr::compile(source, &[]).unwrap().0.needs.as_ref()?.join(" "))
    }

    #[test]
    fn names_are_needed_and_the_root_is_everything() {
        for (source, wanted) in [
            ("a.b[c = 1].d", Some("a b c d")),
            ("$$.a.b", Some("a b")),
            ("x ? {\"y\": y} : [z.$string(id)]", Some("id x y z")),
            ("$map(list, function($v) { $v.n + offset })", Some("list n offset")),
            ("'text'", Some("")),
            ("( $f := function($x) { $x.a }; $f(b) )", Some("a b")),
            ("list[$ = $$.id]", Some("id list")),
            ("$", None),
            ("$$", None),
            ("*.name", None),
            ("**.name", None),
            ("a.%.b", None),
            ("$keys()", None),
            ("$sift(function($v) { $v })", None),
            ("$lookup($, 'a')", None),
            ("$ ~> |a|{'b': 1}|", None),
        ] {
            assert_eq!(needs(source).as_deref(), wanted, "{source}");
        }
    }

    #[test]
    fn what_is_left_out_is_never_missed() {
        let root = json!({
            "a": {"b": [{"c": 1, "d": "x"}, {"c": 2}], "n": null}, "list": [3, 1, {"id": 7}], "id": 7, "name": "Ada",
            "x": true, "nested": {"list": [1, 2], "name": "inner"}
        });
        for source in [
            "a.b[c = 1].d",
            "a.b.c",
            "list[$ = 3]",
            "list[id = $$.id]",
            "$$.name",
            "name & '-' & nested.name",
            "nested.(name & $$.name)",
            "$count(list)",
            "$sum(a.b.c)",
            "{name: nested.list}",
            "a.b{d: c}",
            "*",
            "$keys($)",
            "$each($, function($v, $k) { $k })",
            "$keys()",
            "$sift(function($v, $k) { $k = 'id' })",
            "$lookup($, 'name')",
            "$merge([$, {'q': 1}])",
            "$ ~> |nested|{'list': 1}|",
            "a.b.%.n",
            "$string($)",
            "( $g := function() { name }; nested.$g() )",
            "$map(list, function($v) { id })",
            "a.b[0].{'k': $$.id}",
            "$exists(missing) ? 1 : $type($)",
            "$filter(list, function($v) { $v = $$.id })",
            "**.name",
            "a.*.c",
            "[$]",
        ] {
            let expr = Expr::compile(source, &[]).unwrap();
            let whole = pool::evaluate(source, &expr.0.ast, &convert::to_engine(&root)).unwrap();
            assert_eq!(expr.eval(&root).unwrap(), convert::from_engine(&whole).unwrap(), "{source}");
        }
    }
}
