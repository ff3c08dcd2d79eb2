//! Who may ask: credentials, keys, assertions and access tokens.

use std::sync::OnceLock;

use indexmap::IndexMap;
use koine_connector::Problems;
use koine_connector::keypair::KeyPair;
use koine_connector::reader::Reader;
use koine_connector::yaml::{Data, Node};

use super::{computed, reply};
use crate::spec::{Assertion, Auth, Issue};

pub(super) fn keys(reader: &Reader<'_>, problems: &mut Problems) -> IndexMap<String, OnceLock<KeyPair>> {
    let mut all = IndexMap::new();
    for (name, place, node) in reader.entries("keys", problems) {
        if !matches!(&node.data, Data::Text(algorithm) if algorithm == "RS256") {
            problems.add(place, "a key is made for `RS256`", None);
        }
        all.insert(name.to_owned(), OnceLock::new());
    }
    all
}

pub(super) fn elsewhere(reader: &Reader<'_>, problems: &mut Problems) -> IndexMap<String, String> {
    let mut all = IndexMap::new();
    for (prefix, place, node) in reader.entries("elsewhere", problems) {
        match &node.data {
            Data::Text(path) if path.starts_with('/') && url::Url::parse(prefix).is_ok() => {
                all.insert(prefix.to_owned(), path.clone());
            }
            _ => problems.add(
                place,
                "`elsewhere` says which path stands for an address",
                Some("write `https://id.example.com: /id`".to_owned()),
            ),
        }
    }
    all
}

pub(super) fn auth(node: &Node, problems: &mut Problems) -> Option<Auth> {
    let keys = Reader::new(node, "auth", problems)?;
    let accepts = keys.expr("accepts", &["request", "issued", "grants"], problems);
    let refusal = keys.node("refusal").and_then(|node| reply(node, problems));
    keys.finish(problems);
    match (accepts, refusal) {
        (Some(accepts), Some(refusal)) => Some(Auth { accepts, refusal }),
        _ => {
            problems.add(&node.place, "auth needs `accepts` and `refusal`", None);
            None
        }
    }
}

pub(super) fn assertion(node: &Node, problems: &mut Problems) -> Option<Assertion> {
    let keys = Reader::new(node, "an assertion", problems)?;
    let token = keys.expr("token", &["request"], problems);
    let key = keys.required("key", problems);
    keys.finish(problems);
    if token.is_none() {
        problems.add(&node.place, "an assertion needs `token`, where the request holds it", None);
    }
    Some(Assertion { token: token?, key })
}

pub(super) fn issue(node: &Node, problems: &mut Problems) -> Option<Issue> {
    let keys = Reader::new(node, "issue", problems)?;
    let seconds = keys.number("seconds", problems);
    let grant = keys.node("grant").and_then(|node| computed(node, problems));
    keys.finish(problems);
    Some(Issue { seconds: seconds?, grant })
}
