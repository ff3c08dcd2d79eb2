//! From the files to a [`Spec`], with every problem noted.

mod case;
mod login;

use indexmap::IndexMap;
use koine_connector::Problems;
use koine_connector::catalogue::Files;
use koine_connector::reader::{Reader, compile_expr};
use koine_connector::yaml::{Data, Node};
use serde_json::{Map, Value};

use crate::spec::{
    Change, Collection, Computed, Effect, Listed, Page, RateLimit, Refusal, Reply, Route, Segment, Spec,
    Start, Style,
};

pub(crate) fn vendor(name: &str, files: &Files, problems: &mut Problems) -> Option<Spec> {
    let before = problems.0.len();
    let mut node = Node::of_file(&format!("{name}/sandbox.yaml"), files, problems)?;
    if let Some((place, base)) = extends(&node) {
        match Node::of_file(&format!("_shared/{base}.sandbox.yaml"), files, problems) {
            Some(shared) => node = shared.merged(node),
            None if problems.0.len() == before => {
                problems.add(&place, format!("_shared/{base}.sandbox.yaml does not exist"), None);
            }
            None => {}
        }
    }
    let spec = spec(&node, problems)?;
    check_names(&spec, &node, problems);
    (problems.0.len() == before).then_some(spec)
}

fn extends(node: &Node) -> Option<(koine_connector::problem::Place, String)> {
    let Data::Map(map) = &node.data else { return None };
    match &map.get("extends")?.1 {
        Node { place, data: Data::Text(name) } => Some((place.clone(), name.clone())),
        _ => None,
    }
}

fn spec(node: &Node, problems: &mut Problems) -> Option<Spec> {
    let reader = Reader::new(node, "a sandbox", problems)?;
    reader.text("extends", problems);
    let spec = Spec {
        base_path: reader.text("base_path", problems).unwrap_or_default().to_owned(),
        context: object(reader.node("context")),
        keys: login::keys(&reader, problems),
        elsewhere: login::elsewhere(&reader, problems),
        collections: collections(&reader, problems),
        auth: reader.node("auth").and_then(|node| login::auth(node, problems)),
        headers: reader.node("headers").and_then(|node| computed(node, problems)),
        rate_limit: reader.node("rate_limit").and_then(|node| rate_limit(node, problems)),
        not_found: reader.node("not_found").and_then(|node| reply(node, problems)).unwrap_or_default(),
        no_route: reader.node("no_route").and_then(|node| reply(node, problems)),
        routes: routes(&reader, problems),
        cases: case::cases(&reader, problems),
    };
    reader.finish(problems);
    Some(spec)
}

fn object(node: Option<&Node>) -> Map<String, Value> {
    match node.map(Node::to_json) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Text is an expression, anything else is meant literally.
fn computed(node: &Node, problems: &mut Problems) -> Option<Computed> {
    match &node.data {
        Data::Text(_) => Some(Computed::Expr(compile_expr(node, &[], problems)?)),
        _ => Some(Computed::Literal(node.to_json())),
    }
}

fn collections(reader: &Reader<'_>, problems: &mut Problems) -> IndexMap<String, Collection> {
    let mut all = IndexMap::new();
    for (name, place, node) in reader.entries("collections", problems) {
        let Some(keys) = Reader::new(node, "a collection", problems) else { continue };
        let key = keys.required("key", problems);
        let each = keys.node("each").and_then(|node| computed(node, problems)).map(Start::Each);
        let items = keys.node("items").and_then(|node| computed(node, problems)).map(Start::Items);
        keys.finish(problems);
        match (each, items) {
            (Some(start), None) | (None, Some(start)) => {
                all.insert(name.to_owned(), Collection { place: place.clone(), key, start });
            }
            _ => problems.add(place, "a collection has either `each` or `items`", None),
        }
    }
    all
}

fn rate_limit(node: &Node, problems: &mut Problems) -> Option<RateLimit> {
    let keys = Reader::new(node, "rate_limit", problems)?;
    let requests = keys.number("requests", problems);
    let seconds = keys.number("seconds", problems);
    let refusal = keys.node("refusal").and_then(|node| reply(node, problems)).unwrap_or_default();
    keys.finish(problems);
    match (requests, seconds) {
        (Some(requests), Some(seconds)) => Some(RateLimit { requests, seconds, refusal }),
        _ => {
            problems.add(&node.place, "rate_limit needs `requests` and `seconds`", None);
            None
        }
    }
}

fn reply(node: &Node, problems: &mut Problems) -> Option<Reply> {
    let keys = Reader::new(node, "a reply", problems)?;
    let reply = reply_keys(&keys, problems);
    keys.finish(problems);
    Some(reply)
}

fn reply_keys(keys: &Reader<'_>, problems: &mut Problems) -> Reply {
    Reply {
        status: keys.node("status").and_then(|node| computed(node, problems)),
        headers: keys.node("headers").and_then(|node| computed(node, problems)),
        body: keys.node("body").and_then(|node| computed(node, problems)),
        text: keys.node("text").and_then(|node| computed(node, problems)),
    }
}

fn routes(reader: &Reader<'_>, problems: &mut Problems) -> Vec<Route> {
    let mut routes = Vec::new();
    for (name, place, node) in reader.entries("routes", problems) {
        let Some((verb, path)) = name.split_once(' ').filter(|(_, path)| path.starts_with('/')) else {
            problems.add(
                place,
                format!("`{name}` is not a route"),
                Some("write `GET /users/{id}`".to_owned()),
            );
            continue;
        };
        routes.extend(route(verb, path, node, problems));
    }
    routes
}

fn route(verb: &str, path: &str, node: &Node, problems: &mut Problems) -> Option<Route> {
    let keys = Reader::new(node, "a route", problems)?;
    let route = Route {
        verb: verb.to_owned(),
        path: segments(path),
        when: keys.expr("when", &["request"], problems),
        auth: keys.boolean("auth", problems).unwrap_or(true),
        assertion: keys.node("assertion").and_then(|node| login::assertion(node, problems)),
        refuse_before: refusals(&keys, "refuse_before", problems),
        find: keys.text("find", problems).map(ToOwned::to_owned),
        list: keys.node("list").and_then(|node| listed(node, problems)),
        filter: keys.expr("where", &[], problems),
        page: keys.node("page").and_then(|node| page(node, problems)),
        refuse: refusals(&keys, "refuse", problems),
        effects: keys.list("do", problems).iter().filter_map(|node| effect(node, problems)).collect(),
        issue: keys.node("issue").and_then(|node| login::issue(node, problems)),
        reply: keys.node("reply").and_then(|node| reply(node, problems)).unwrap_or_default(),
    };
    keys.finish(problems);
    Some(route)
}

/// What follows `#` only tells routes of one path apart.
fn segments(path: &str) -> Vec<Segment> {
    let path = path.split('#').next().unwrap_or_default();
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts
        .map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => Segment::Param(name.to_owned()),
            None => Segment::Literal(part.to_owned()),
        })
        .collect()
}

fn refusals(keys: &Reader<'_>, key: &'static str, problems: &mut Problems) -> Vec<Refusal> {
    let refusal = |node: &Node, problems: &mut Problems| {
        let keys = Reader::new(node, "a refusal", problems)?;
        let when = keys.expr("if", &[], problems);
        let reply = reply_keys(&keys, problems);
        keys.finish(problems);
        if when.is_none() {
            problems.add(&node.place, "a refusal needs `if`", None);
        }
        Some(Refusal { when: when?, reply })
    };
    keys.list(key, problems).iter().filter_map(|node| refusal(node, problems)).collect()
}

/// A bare name is a collection.
fn listed(node: &Node, problems: &mut Problems) -> Option<Listed> {
    match &node.data {
        Data::Text(name) if name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') => {
            Some(Listed::Collection(name.clone()))
        }
        _ => Some(Listed::Expr(compile_expr(node, &[], problems)?)),
    }
}

fn page(node: &Node, problems: &mut Problems) -> Option<Page> {
    let keys = Reader::new(node, "a page", problems)?;
    let (style, first) = match keys.text("style", problems) {
        Some("page") => (Style::Page, 1),
        Some("offset") => (Style::Offset, 0),
        Some("cursor") => (Style::Cursor, 0),
        _ => {
            problems.add(&node.place, "`style` must be page, offset or cursor", None);
            return None;
        }
    };
    let size = keys.number("size", problems).unwrap_or(50).max(1);
    let page = Page {
        style,
        size,
        most: keys.number("most", problems).unwrap_or(size).max(1),
        limit: keys.text("limit", problems).map(ToOwned::to_owned),
        param: keys.required("param", problems),
        first: keys.number("first", problems).unwrap_or(first),
        links: keys.boolean("links", problems).unwrap_or(false),
    };
    keys.finish(problems);
    Some(page)
}

fn effect(node: &Node, problems: &mut Problems) -> Option<Effect> {
    let keys = Reader::new(node, "an effect", problems)?;
    let collection = keys.text("in", problems).map(ToOwned::to_owned);
    let filter = keys.expr("where", &[], problems);
    let when = keys.expr("if", &[], problems);
    let set = keys.node("set").and_then(|node| computed(node, problems)).map(Change::Set);
    let add = keys.node("add").and_then(|node| computed(node, problems)).map(Change::Add);
    let remove = keys.boolean("remove", problems).filter(|remove| *remove).map(|_| Change::Remove);
    keys.finish(problems);
    let mut changes = [set, add, remove].into_iter().flatten();
    match (changes.next(), changes.next()) {
        (Some(change), None) => Some(Effect { collection, filter, when, change }),
        _ => {
            problems.add(&node.place, "an effect has one of `set`, `add` and `remove: true`", None);
            None
        }
    }
}

/// Collections and keys that routes name must exist.
fn check_names(spec: &Spec, node: &Node, problems: &mut Problems) {
    let mut names: Vec<&str> = Vec::new();
    for route in &spec.routes {
        names.extend(route.find.as_deref());
        if let Some(Listed::Collection(name)) = &route.list {
            names.push(name);
        }
        names.extend(route.effects.iter().filter_map(|effect| effect.collection.as_deref()));
    }
    names.sort_unstable();
    names.dedup();
    for name in names.into_iter().filter(|name| !spec.collections.contains_key(*name)) {
        let known: Vec<_> = spec.collections.keys().cloned().collect();
        let hint = format!("known collections: {}", known.join(", "));
        problems.add(&node.place, format!("a route names the collection `{name}`"), Some(hint));
    }
    let unknown = spec.routes.iter().filter_map(|route| route.assertion.as_ref());
    for assertion in unknown.filter(|assertion| !spec.keys.contains_key(&assertion.key)) {
        problems.add(&node.place, format!("a route names the key `{}`", assertion.key), None);
    }
}
