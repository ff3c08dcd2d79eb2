//! Expressions that are a literal or a path of names need no engine: most fields of most record maps are one.
//!
//! What they give is what the engine would give. Where it would do more than look a name up, which begins with the
//! first list on the way, it is asked.

use jsonata_core::ast::{AstNode, PathStep};
use serde_json::Value;

use super::{EvalError, Roots, convert};

/// An expression of the simplest kinds.
#[derive(Debug)]
pub(super) enum Plain {
    /// Always the same.
    Literal(Value),
    /// `a.b.c`: the name at the root, and those below it.
    Path(String, Vec<String>),
}

/// `None` for everything that is not plain.
pub(super) fn of(ast: &AstNode) -> Option<Plain> {
    match ast {
        AstNode::String(text) => Some(Plain::Literal(Value::String(text.clone()))),
        AstNode::Boolean(value) => Some(Plain::Literal(Value::Bool(*value))),
        AstNode::Null => Some(Plain::Literal(Value::Null)),
        AstNode::Name(name) => Some(Plain::Path(name.clone(), Vec::new())),
        AstNode::Path { steps } => {
            let mut names = steps.iter().map(name_of).collect::<Option<Vec<_>>>()?.into_iter();
            Some(Plain::Path(names.next()?, names.collect()))
        }
        _ => None,
    }
}

/// The name that a step looks up, if it does nothing else.
fn name_of(step: &PathStep) -> Option<String> {
    let AstNode::Name(name) = &step.node else { return None };
    let is_bare = step.stages.is_empty()
        && step.focus.is_none()
        && step.index_var.is_none()
        && step.ancestor_label.is_none()
        && !step.is_tuple
        && !step.inner_tuple;
    is_bare.then(|| name.clone())
}

/// A result, or `None` where the engine has to be asked.
pub(super) fn eval(plain: &Plain, roots: &Roots<'_>) -> Option<Result<Option<Value>, EvalError>> {
    let (root, rest) = match plain {
        Plain::Literal(value) => return Some(Ok(Some(value.clone()))),
        Plain::Path(root, rest) => (root, rest),
    };
    let Some(mut at) = roots.get(root) else { return Some(Ok(None)) };
    for name in rest {
        at = match at {
            Value::Object(map) => match map.get(name) {
                Some(value) => value,
                None => return Some(Ok(None)),
            },
            Value::Array(_) => return None,
            _ => return Some(Ok(None)),
        };
    }
    Some(convert::through_engine(at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_oneof};
    use serde_json::Value;

    use super::super::{Expr, convert, pool};

    fn is_plain(source: &str) -> bool {
        Expr::compile(source, &[]).unwrap().0.plain.is_some()
    }

    #[test]
    fn names_paths_and_texts_are_plain_and_nothing_else() {
        for source in ["a", "a.b.c", "`a-b`.c", "a.'b'", "'text'", "true", "null"] {
            assert!(is_plain(source), "{source}");
        }
        for source in ["a[0]", "a.b[]", "$.a", "$$.a", "a.*", "a@$x.b", "a#$i", "a.(b)", "%.a", "1", "$f()"] {
            assert!(Expr::compile(source, &[]).is_err() || !is_plain(source), "{source}");
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
            Just(serde_json::from_str("[12345678901234567890, 1.50, 1e2, -0]").unwrap()),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[abc]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest::proptest! {
        #[test]
        fn the_engine_says_the_same(root in json(), path in proptest::sample::select(vec!["a", "a.b", "b.a.c", "a.a.a"])) {
            let expr = Expr::compile(path, &[]).unwrap();
            let engine = pool::evaluate(path, &expr.0.ast, &convert::to_engine(&root)).unwrap();
            proptest::prop_assert_eq!(expr.eval(&root).unwrap(), convert::from_engine(&engine).unwrap());
        }
    }
}
