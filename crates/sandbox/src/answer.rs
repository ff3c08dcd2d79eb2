//! What one route does and says.

use koine_connector::expr::{Expr, Scope};
use serde_json::{Map, Value, json};

use crate::page;
use crate::reply::{Answer, Broken, reply};
use crate::request::Request;
use crate::spec::{Change, Effect, Listed, Refusal, Route, Spec};
use crate::state::State;

/// What a route came to.
pub(crate) struct Done {
    pub answer: Answer,
    /// Whether the vendor's records changed.
    pub changed: bool,
    /// What to remember of the token that was issued.
    pub grant: Option<Value>,
}

impl Done {
    fn refused(answer: Answer) -> Self {
        Self { answer, changed: false, grant: None }
    }
}

/// The access tokens that a route sees.
pub(crate) struct Tokens {
    /// The one that it would issue.
    pub next: String,
    /// What is remembered of the live ones, by token.
    pub grants: Value,
}

/// Runs the route numbered `at`.
pub(crate) fn run(
    spec: &Spec,
    at: usize,
    request: &Request,
    params: &Map<String, Value>,
    state: &mut State,
    tokens: &Tokens,
) -> Result<Done, Broken> {
    let route = &spec.routes[at];
    let mut root = root(spec, route, request, params, state, tokens)?;
    if let Some(refusal) = refused(&route.refuse_before, &root)? {
        return Ok(Done::refused(refusal));
    }
    let mut found = None;
    if let Some(collection) = &route.find {
        let Some(index) = find(spec, route, collection, params, state, &root)? else {
            return Ok(Done::refused(reply(&spec.not_found, 404, &root)?));
        };
        let record = state.records(collection)[index].clone();
        root["before"] = record.clone();
        root["record"] = record;
        found = Some((collection.as_str(), index));
    }
    let mut link = None;
    if let Some(listed) = &route.list {
        let items = list(route, listed, state, &root)?;
        let cut = route.page.as_ref().map(|page| page::cut(page, request, &items));
        (root["items"], root["page"]) = match cut {
            Some(cut) => {
                link = cut.link;
                (Value::Array(cut.items), cut.root)
            }
            None => (Value::Array(items), Value::Null),
        };
    }
    if let Some(refusal) = refused(&route.refuse, &root)? {
        return Ok(Done::refused(refusal));
    }
    let (changed, record) = effects(&route.effects, found, state, &root)?;
    let default = default_status(&root, found.is_some(), record.is_none());
    if changed {
        root["state"] = state.root();
        root["record"] = record.unwrap_or(Value::Null);
    }
    let mut answer = reply(&route.reply, default, &root)?;
    answer.headers.extend(link.map(|link| ("link".to_owned(), link)));
    let grant = route.issue.as_ref().map(|issue| match &issue.grant {
        Some(grant) => grant.eval(&Scope::new(&root)),
        None => Ok(Value::Null),
    });
    Ok(Done { answer, changed, grant: grant.transpose()? })
}

/// What expressions see before anything is looked up.
fn root(
    spec: &Spec,
    route: &Route,
    request: &Request,
    params: &Map<String, Value>,
    state: &State,
    tokens: &Tokens,
) -> Result<Value, Broken> {
    let token = route.issue.as_ref().map(|_| tokens.next.as_str());
    let mut root = json!({
        "request": request.root(params), "state": state.root(), "token": token, "grants": tokens.grants,
    });
    if let Some(assertion) = &route.assertion {
        let token = assertion.token.eval(&root)?;
        let opened = token.as_ref().and_then(Value::as_str).zip(spec.key(&assertion.key));
        let opened = opened.and_then(|(token, key)| key.opened(token));
        root["assertion"] = opened.unwrap_or_else(|| json!({"genuine": false}));
    }
    Ok(root)
}

/// 204 when the record that was found is gone.
fn default_status(root: &Value, found: bool, gone: bool) -> u16 {
    if found && gone && root.get("items").is_none() { 204 } else { 200 }
}

fn refused(refusals: &[Refusal], root: &Value) -> Result<Option<Answer>, Broken> {
    for refusal in refusals {
        if refusal.when.test(root)? {
            return reply(&refusal.reply, 400, root).map(Some);
        }
    }
    Ok(None)
}

/// The root with the record's own fields beside it.
fn record_scope(root: &Value, record: &Value) -> Value {
    let mut scope = record.as_object().cloned().unwrap_or_default();
    for (name, value) in root.as_object().into_iter().flatten() {
        if name != "state" {
            scope.insert(name.clone(), value.clone());
        }
    }
    scope.insert("record".to_owned(), record.clone());
    Value::Object(scope)
}

fn find(
    spec: &Spec,
    route: &Route,
    collection: &str,
    params: &Map<String, Value>,
    state: &State,
    root: &Value,
) -> Result<Option<usize>, Broken> {
    let records = state.records(collection);
    if let Some(filter) = &route.filter {
        for (index, record) in records.iter().enumerate() {
            if filter.test(&record_scope(root, record))? {
                return Ok(Some(index));
            }
        }
        return Ok(None);
    }
    let key = &spec.collections[collection].key;
    let wanted = params.get(key).or_else(|| params.values().next());
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let wanted = wanted.map(text);
    Ok(records.iter().position(|record| record.get(key).map(text) == wanted))
}

fn list(route: &Route, listed: &Listed, state: &State, root: &Value) -> Result<Vec<Value>, Broken> {
    let all = match listed {
        Listed::Collection(name) => state.records(name).to_vec(),
        Listed::Expr(expr) => match expr.eval(root)? {
            Some(Value::Array(items)) => items,
            Some(Value::Null) | None => Vec::new(),
            Some(one) => vec![one],
        },
    };
    // Beside `find` it says which record that is.
    match route.filter.as_ref().filter(|_| route.find.is_none()) {
        Some(filter) => kept(filter, all, root),
        None => Ok(all),
    }
}

fn kept(filter: &Expr, all: Vec<Value>, root: &Value) -> Result<Vec<Value>, Broken> {
    let mut kept = Vec::new();
    for record in all {
        if filter.test(&record_scope(root, &record))? {
            kept.push(record);
        }
    }
    Ok(kept)
}

/// Applies them in order; also what became of the found record (`None`: it is gone).
fn effects(
    effects: &[Effect],
    found: Option<(&str, usize)>,
    state: &mut State,
    root: &Value,
) -> Result<(bool, Option<Value>), Broken> {
    let mut record = root.get("record").cloned();
    let mut changed = false;
    // Decided for all before any is applied: each sees the record as it was.
    let mut due = Vec::new();
    for effect in effects {
        if effect.when.as_ref().map_or(Ok(true), |when| when.test(root))? {
            due.push(effect);
        }
    }
    let mut removed = None;
    for effect in due {
        changed = true;
        match (&effect.collection, found) {
            (Some(collection), _) => change_all(effect, collection, state, root)?,
            (None, Some((collection, index))) => match &effect.change {
                Change::Remove => removed = Some((collection, index)),
                Change::Set(value) => {
                    let own = &mut state.records_mut(collection)[index];
                    *own = laid_over(own, value.eval(&Scope::new(root))?);
                    record = Some(own.clone());
                }
                Change::Add(_) => return Err(Broken("`add` needs `in`".to_owned())),
            },
            (None, None) => return Err(Broken("an effect without `in` needs `find`".to_owned())),
        }
    }
    if let Some((collection, index)) = removed {
        state.records_mut(collection).remove(index);
        record = None;
    }
    Ok((changed, record))
}

fn change_all(effect: &Effect, collection: &str, state: &mut State, root: &Value) -> Result<(), Broken> {
    if let Change::Add(value) = &effect.change {
        let new = value.eval(&Scope::new(root))?;
        state.records_mut(collection).push(new);
        return Ok(());
    }
    let mut after = Vec::new();
    for own in std::mem::take(state.records_mut(collection)) {
        let scope = beside(root, &own);
        let hit = effect.filter.as_ref().map_or(Ok(true), |filter| filter.test(&scope))?;
        match (&effect.change, hit) {
            (_, false) => after.push(own),
            (Change::Set(value), true) => after.push(laid_over(&own, value.eval(&Scope::new(&scope))?)),
            (_, true) => {}
        }
    }
    *state.records_mut(collection) = after;
    Ok(())
}

/// In other collections `record` stays the found one; the fields of the one at hand stand beside it.
fn beside(root: &Value, own: &Value) -> Value {
    let mut scope = own.as_object().cloned().unwrap_or_default();
    for (name, value) in root.as_object().into_iter().flatten() {
        if name != "state" {
            scope.insert(name.clone(), value.clone());
        }
    }
    Value::Object(scope)
}

fn laid_over(record: &Value, change: Value) -> Value {
    match (record, change) {
        (Value::Object(old), Value::Object(new)) => {
            let mut merged = old.clone();
            merged.extend(new);
            Value::Object(merged)
        }
        (_, change) => change,
    }
}
