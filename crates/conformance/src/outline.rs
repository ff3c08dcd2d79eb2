//! What a specification says of people, for the first draft of a connector.

use koine_model::Verb;
use koine_scaffold::{Credential, Draft, Field, Pages, fields};
use serde_json::{Map, Value, json};

use crate::specification::{self, Operation, Place, Specification, Status};

/// Last segments of paths that list people, the likeliest first.
const PEOPLE: &[&str] = &["users", "members", "people", "accounts", "user", "memberships"];
/// Properties that hold the list or the record, the likeliest first.
const HOLDERS: &[&str] =
    &["data", "users", "user", "members", "items", "results", "resources", "value", "people"];
/// Deepest composition that is followed.
const DEEPEST: usize = 8;

impl Specification {
    /// A draft from what the document says: where people are listed, read and deleted, how lists are walked, how
    /// calls are authenticated and which properties a person has. `None` when it lists no people.
    #[must_use]
    pub fn draft(&self, name: &str) -> Option<Draft> {
        let mut draft = Draft::unknown(name);
        let list = self.list_of_people()?;
        let document = self.schemas.document();
        let title = document["info"]["title"].as_str().or(document["title"].as_str());
        let version = document["info"]["version"].as_str().or(document["version"].as_str());
        draft.api = [title, version].into_iter().flatten().collect::<Vec<_>>().join(" ");
        draft.source = Some(self.file.clone());
        draft.base_url = base_url(document, name);
        draft.credential = credential(document);
        draft.users.list = path(list, None);
        let answer = self.answer(list);
        let (list_at, items) = self.held(&answer, true);
        draft.users.list_at = list_at;
        draft.users.pages = self.pages(list, &answer);
        let one = self.below(list, Verb::Get);
        let delete = self.below(list, Verb::Delete);
        let item = |operation: Option<&Operation>| {
            operation.map_or_else(|| format!("{}/{{{{id}}}}", draft.users.list), |it| path(it, Some("id")))
        };
        (draft.users.get, draft.users.delete) = (item(one), item(delete));
        draft.users.delete_is_known = delete.is_some();
        let (record_at, record) = match one {
            Some(one) => self.held(&self.answer(one), false),
            None => (None, json!({})),
        };
        draft.users.record_at = record_at;
        let best = |a: Vec<Field>, b: Vec<Field>| if b.len() > a.len() { b } else { a };
        let item = self.properties(items.get("items").unwrap_or(&Value::Null), 0);
        draft.fields =
            best(fields(&Value::Object(self.properties(&record, 0))), fields(&Value::Object(item)));
        draft.users.id_is_number =
            draft.fields.iter().any(|field| field.name == "id" && field.sample.is_number());
        Some(draft)
    }

    /// The `GET` that lists people: the likeliest name, the fewest parameters, the shortest path.
    fn list_of_people(&self) -> Option<&Operation> {
        let rank = |operation: &&Operation| {
            let last =
                operation.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_lowercase();
            let place = PEOPLE.iter().position(|name| *name == last).unwrap_or(usize::MAX);
            (place, operation.path.matches('{').count(), operation.path.len())
        };
        let lists = self.operations.iter().filter(|operation| operation.verb == Verb::Get);
        lists.min_by_key(rank).filter(|operation| rank(operation).0 < usize::MAX)
    }

    /// The operation on one of the list.
    fn below(&self, list: &Operation, verb: Verb) -> Option<&Operation> {
        let start = format!("{}/{{", list.path.trim_end_matches('/'));
        let own = self.operations.iter().filter(|operation| operation.verb == verb);
        own.into_iter().find(|operation| {
            let rest = operation.path.strip_prefix(&start);
            rest.is_some_and(|rest| rest.trim_end_matches('/').ends_with('}') && !rest.contains('/'))
        })
    }

    /// The schema of a success.
    fn answer(&self, operation: &Operation) -> Value {
        let good = operation
            .answers
            .iter()
            .filter(|answer| answer.status == Status::Exactly(200) || answer.status == Status::Hundred(2));
        let contents = good.into_iter().flat_map(|answer| &answer.contents);
        let schema = contents.into_iter().find_map(|content| content.schema.clone());
        schema.map_or(Value::Null, |schema| self.resolved(&schema).clone())
    }

    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let mut at = schema;
        for _ in 0..DEEPEST {
            match at["$ref"].as_str().and_then(|name| self.schemas.target(name)) {
                Some(target) => at = target,
                None => break,
            }
        }
        at
    }

    /// All properties of an object, of whatever parts it is made.
    fn properties(&self, schema: &Value, depth: usize) -> Map<String, Value> {
        let schema = self.resolved(schema);
        let mut all = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let mut property = self.resolved(property).clone();
            if depth == 0 && (property.get("allOf").is_some() || property.get("properties").is_some()) {
                property["properties"] = Value::Object(self.properties(&property, depth + 1));
            }
            all.insert(name.clone(), property);
        }
        for part in ["allOf", "oneOf", "anyOf"].iter().flat_map(|key| schema[key].as_array()).flatten() {
            if depth < DEEPEST {
                all.extend(self.properties(part, depth + 1));
            }
        }
        all
    }

    /// Where the list (or the record) is inside an answer, and its schema.
    fn held(&self, answer: &Value, is_list: bool) -> (Option<String>, Value) {
        if is_list && answer["type"] == "array" {
            return (None, answer.clone());
        }
        let properties = self.properties(answer, 0);
        let fits = |schema: &Value| match is_list {
            true => schema["type"] == "array",
            false => schema.get("properties").is_some() || schema.get("allOf").is_some(),
        };
        let likely = HOLDERS.iter().find_map(|holder| {
            properties.iter().find(|(name, schema)| name.to_lowercase() == *holder && fits(schema))
        });
        let mut fitting = properties.iter().filter(|(_, schema)| fits(schema));
        let first = fitting.next();
        // A record that is not itself the answer is alone in it, and the answer has no id.
        let has_id = properties.keys().any(|name| name.to_lowercase() == "id");
        let alone = first.filter(|_| is_list || (!has_id && fitting.next().is_none()));
        match likely.or(alone) {
            Some((name, schema)) => (Some(name.clone()), schema.clone()),
            None => (None, answer.clone()),
        }
    }

    /// How the list is walked, by the names of its parameters.
    fn pages(&self, list: &Operation, answer: &Value) -> Option<Pages> {
        let names: Vec<&str> = list
            .parameters
            .iter()
            .filter(|parameter| parameter.place == Place::Query)
            .map(|parameter| parameter.name.as_str())
            .collect();
        let find = |wanted: &[&str]| {
            let plain = |name: &str| name.to_lowercase().replace(['_', '-'], "");
            let found = wanted.iter().find_map(|word| names.iter().find(|name| plain(name) == *word));
            found.map(|name| (*name).to_owned())
        };
        let size =
            find(&["perpage", "pagesize", "limit", "page[size]", "count", "maxresults", "size", "per"]);
        let cursor = find(&["cursor", "nextcursor", "pagetoken", "after", "startingafter", "page[after]"]);
        if let Some((param, at)) = cursor.zip(self.next_cursor(answer)) {
            return Some(Pages::Cursor(at, param, size));
        }
        if let Some(page) = find(&["page", "pagenumber", "page[number]"]) {
            return Some(Pages::Page(page, size));
        }
        find(&["offset", "startindex", "skip", "start"]).map(|offset| Pages::Offset(offset, size))
    }

    /// Where an answer tells the next cursor.
    fn next_cursor(&self, answer: &Value) -> Option<String> {
        let is_next = |name: &str| name.to_lowercase().contains("next");
        for (name, schema) in self.properties(answer, 0) {
            if is_next(&name) && schema["type"] != "object" && schema["type"] != "array" {
                return Some(name);
            }
            let inside = self.properties(&schema, 1);
            if let Some(inner) = inside.keys().find(|inner| is_next(inner)) {
                return Some(format!("{name}.{inner}"));
            }
        }
        None
    }
}

/// The path as connectors write it; `last` renames the last parameter, which names the person.
fn path(operation: &Operation, last: Option<&str>) -> String {
    let mut text = String::new();
    let mut rest = operation.path.as_str();
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let is_last = !after.contains('{');
        let name = match last.filter(|_| is_last) {
            Some(own) => own.to_owned(),
            // What else the path needs, the caller has to say.
            None => format!("query.{}", name.trim_start_matches('+')),
        };
        text.push_str(&format!("{literal}{{{{{name}}}}}"));
        rest = after;
    }
    text + rest
}

/// The first server; in place of a host that depends on the customer, or that nobody says, a made-up one.
fn base_url(document: &Value, name: &str) -> String {
    let server = document["servers"][0]["url"].as_str().map(ToOwned::to_owned);
    let host = document["host"]
        .as_str()
        .map(|host| format!("https://{host}{}", document["basePath"].as_str().unwrap_or_default()));
    let discovered = document["rootUrl"]
        .as_str()
        .map(|root| format!("{root}{}", document["servicePath"].as_str().unwrap_or_default()));
    let url = server.or(host).or(discovered).unwrap_or_default();
    if url.starts_with("https://") && !url.contains(['{', '}']) {
        return url.trim_end_matches('/').to_owned();
    }
    // The host has to become a credential field, by hand; what follows it is the same for all.
    let path = specification::path_of(&url);
    format!("https://api.{name}.example{}", if path.contains(['{', '}']) { "" } else { path })
}

/// The first way to authenticate that connectors have.
fn credential(document: &Value) -> Credential {
    let schemes = document["components"]["securitySchemes"].as_object();
    let schemes = schemes.or(document["securityDefinitions"].as_object());
    let known = schemes.into_iter().flatten().find_map(|(_, scheme)| {
        let word = |key: &str| scheme[key].as_str().unwrap_or_default();
        let name = word("name").to_owned();
        let token_url = scheme["flows"]["clientCredentials"]["tokenUrl"].as_str();
        let token_url = token_url.or(scheme["tokenUrl"].as_str().filter(|_| word("flow") == "application"));
        match (word("type"), word("scheme"), word("in")) {
            ("http", "bearer", _) => Some(Credential::Bearer),
            ("http", "basic", _) | ("basic", ..) => Some(Credential::Basic),
            ("apiKey", _, "header") => Some(Credential::Header(name)),
            ("apiKey", _, "query") => Some(Credential::Query(name)),
            ("oauth2", ..) => {
                let url = token_url.filter(|url| url.starts_with("https://"))?;
                Some(Credential::ClientCredentials(url.to_owned()))
            }
            _ => None,
        }
    });
    known.unwrap_or(Credential::Bearer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::base_url;

    #[test]
    fn a_host_that_depends_on_the_customer_keeps_its_path() {
        let of = |url: &str| base_url(&json!({"servers": [{"url": url}]}), "acme");
        assert_eq!(of("https://api.example.com/v2/"), "https://api.example.com/v2");
        assert_eq!(of("https://{tenant}.example.com/api/v2"), "https://api.acme.example/api/v2");
        assert_eq!(of("https://example.com/{tenant}/v2"), "https://api.acme.example");
        assert_eq!(of("/api"), "https://api.acme.example/api");
        assert_eq!(base_url(&json!({}), "acme"), "https://api.acme.example");
        assert_eq!(
            base_url(&json!({"host": "example.com", "basePath": "/v1"}), "acme"),
            "https://example.com/v1"
        );
    }
}
