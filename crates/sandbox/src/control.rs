//! The sandbox's own paths: faults, and looking inside.

use serde_json::{Value, json};

use crate::reply::Answer;
use crate::request::Request;
use crate::{World, lock};

/// Answers a request below `/_sandbox/`; `path` is what follows.
pub(crate) fn answer(world: &World, request: &Request, path: &[&str]) -> Answer {
    match (request.verb.as_str(), path) {
        ("POST", ["faults"]) => match lock(&world.faults).arm(&request.body) {
            Ok(()) => done(),
            Err(why) => wrong(400, &why),
        },
        ("DELETE", ["faults"]) => {
            lock(&world.faults).clear();
            done()
        }
        ("POST", ["reset"]) => {
            lock(&world.faults).clear();
            lock(&world.seen).clear();
            world.vendors.iter().for_each(|vendor| lock(vendor).reset());
            done()
        }
        ("POST", ["expire"]) => expire(world, request.body.get("vendor").and_then(Value::as_str)),
        ("GET", ["requests"]) => requests(world, request.query.get("vendor")),
        ("GET", ["state", vendor, collection]) => state(world, vendor, collection),
        ("GET", ["vendors"]) => vendors(world, request),
        _ => wrong(404, "no such path; docs/sandbox.md lists them"),
    }
}

fn done() -> Answer {
    Answer::json(200, &json!({"ok": true}))
}

fn wrong(status: u16, why: &str) -> Answer {
    Answer::json(status, &json!({"error": why}))
}

fn expire(world: &World, name: Option<&str>) -> Answer {
    let vendor = world.vendors.iter().find(|vendor| Some(lock(vendor).name.as_str()) == name);
    match vendor {
        Some(vendor) => {
            lock(vendor).expire_tokens();
            done()
        }
        None => wrong(404, "no such vendor"),
    }
}

fn requests(world: &World, vendor: Option<&Value>) -> Answer {
    let seen = lock(&world.seen);
    let fits = |entry: &&Value| vendor.is_none_or(|vendor| entry.get("vendor") == Some(vendor));
    Answer::json(200, &Value::Array(seen.iter().filter(fits).cloned().collect()))
}

fn state(world: &World, name: &str, collection: &str) -> Answer {
    for vendor in &world.vendors {
        let vendor = lock(vendor);
        if vendor.name == name && vendor.spec.collections.contains_key(collection) {
            return Answer::json(200, &Value::Array(vendor.state().records(collection).to_vec()));
        }
    }
    wrong(404, "no such vendor or collection")
}

fn vendors(world: &World, request: &Request) -> Answer {
    let entry = |vendor: &crate::vendor::Vendor| {
        let own = vendor.stand_in(&request.origin);
        let base_urls: serde_json::Map<_, _> =
            own.base_urls().into_iter().map(|(key, url)| (key, url.into())).collect();
        json!({"name": own.name, "base_url": own.base_url, "base_urls": base_urls, "context": own.context})
    };
    let all = world.vendors.iter().map(|vendor| entry(&lock(vendor)));
    Answer::json(200, &Value::Array(all.collect()))
}
