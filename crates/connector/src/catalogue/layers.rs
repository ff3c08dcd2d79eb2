//! What a connector says itself, laid over the profiles that it extends.

use super::Files;
use crate::problem::{Place, Problems};
use crate::yaml::{Data, Node};

/// The profiles that a connector extends, the nearest first: a profile may extend another one.
pub(super) fn profiles(vendor: &Node, files: &Files, problems: &mut Problems) -> Vec<(String, Node)> {
    let mut all: Vec<(String, Node)> = Vec::new();
    let mut next = extends(vendor);
    while let Some((name, place)) = next {
        if all.iter().any(|(known, _)| *known == name) {
            problems.add(&place, format!("`{name}` extends itself"), None);
            break;
        }
        let before = problems.0.len();
        let Some(node) = Node::of_file(&format!("_shared/{name}.yaml"), files, problems) else {
            if problems.0.len() == before {
                problems.add(&place, format!("`extends` names `{name}`, which _shared/ does not have"), None);
            }
            break;
        };
        next = extends(&node);
        all.push((name, node));
    }
    all
}

/// Layers laid over each other, the topmost first. The lowest is the ground, so that a `null` removes what any of the
/// layers below it says.
pub(super) fn layered(layers: impl IntoIterator<Item = Node, IntoIter: DoubleEndedIterator>) -> Option<Node> {
    layers.into_iter().rev().reduce(Node::merged)
}

fn extends(node: &Node) -> Option<(String, Place)> {
    let Data::Map(map) = &node.data else { return None };
    let (_, node) = map.get("extends")?;
    match &node.data {
        Data::Text(name) => Some((name.clone(), node.place.clone())),
        _ => None,
    }
}

pub(super) fn optional(file: &str, files: &Files, problems: &mut Problems) -> Option<Node> {
    files.contains_key(file).then(|| Node::of_file(file, files, problems)).flatten()
}
