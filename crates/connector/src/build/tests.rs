//! Tests of `build`.

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use url::Url;

use super::{Additions, BuildError, checked_path, request, segment, set_query};
use crate::compiled::Connector;
use crate::expr::Roots;
use crate::problem::Problems;
use crate::yaml::Node;

fn connector() -> Connector {
    let text = "name: acme\nlabel: Acme\ncategory: x\napi: x\nheaders: {X-Org: '{{context.org:undefined}}', X-Fixed: '1'}\nbase_url: https://api.example.com/v1\n\
                credentials: {k: {fields: {k: {label: K}}, authorization: {format: bearer, config: {token: '{{k}}'}}}}\n\
                resources: {users: {get: \"GET /users/{{id}}/x\", find: {method: GET, path: /users, query: {filter: \"email eq {{id:quoted}}\", q: \"WHERE email = {{id:single-quoted}}\"}}}}\n";
    let node = Node::parse(&Arc::from("acme/connector.yaml"), text).unwrap();
    let sources =
        crate::compile::Sources { folder: "acme".to_owned(), vendor: node, models: Vec::new(), facts: None };
    let mut problems = Problems::default();
    let connector = crate::compile::compile(&sources, &mut problems);
    assert!(problems.0.is_empty(), "{problems}");
    connector.unwrap()
}

fn built(connector: &Connector, name: &str, id: &str) -> Result<Url, BuildError> {
    let base = Url::parse("https://api.example.com/v1").unwrap();
    let spec = &connector.requests[name];
    let scope = json!({"id": id});
    request(connector, spec, &base, &Roots::new(&scope), Additions::default()).map(|request| request.url)
}

#[test]
fn a_header_without_a_value_is_left_out() {
    let connector = connector();
    let base = Url::parse("https://api.example.com/v1").unwrap();
    let headers = |context: Value| {
        let scope = json!({"id": "7", "context": context});
        let roots = Roots::new(&scope);
        request(&connector, &connector.requests["users.get"], &base, &roots, Additions::default())
            .unwrap()
            .headers
    };
    let fixed = ("x-fixed".to_owned(), "1".to_owned());
    assert_eq!(headers(json!({})), std::slice::from_ref(&fixed));
    assert_eq!(headers(json!({"org": ""})), std::slice::from_ref(&fixed));
    assert_eq!(headers(json!({"org": "a1"})), [("x-org".to_owned(), "a1".to_owned()), fixed]);
}

#[test]
fn a_segment_cannot_leave_its_place() {
    assert_eq!(segment("a/../b?c#d").unwrap(), "a%2F..%2Fb%3Fc%23d");
    assert!(segment("..").is_err());
    assert!(segment("a\r\nb").is_err());
}

#[test]
fn a_computed_path_stays_below_the_base() {
    for bad in ["users", "//evil.example", "/a/../b", "/a?b", "/a#b", "/a\\b", "/a\nb", "/./a", ""] {
        assert!(checked_path(bad).is_err(), "{bad}");
    }
    assert_eq!(checked_path("/users/1").unwrap(), "/users/1");
}

proptest! {
    #[test]
    fn whatever_the_id_the_path_keeps_its_shape(id in "\\PC{1,40}|[./%?#\\\\@:;&= a-c]{1,12}") {
        let connector = connector();
        match built(&connector, "users.get", &id) {
            Ok(url) => {
                prop_assert_eq!(url.host_str(), Some("api.example.com"));
                prop_assert_eq!((url.query(), url.fragment()), (None, None));
                let parts: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert_eq!((parts.len(), parts[0], parts[1], parts[3]), (4, "v1", "users", "x"));
                let back = percent_decode_str(parts[2]).decode_utf8().unwrap();
                prop_assert_eq!(back.as_ref(), id.as_str());
            }
            Err(error) => {
                let refused = id == "." || id == ".." || id.trim().is_empty() || id.chars().any(char::is_control);
                prop_assert!(refused, "{} was refused: {}", id, error);
            }
        }
    }

    #[test]
    fn a_quoted_value_stays_one_value(id in "[a-c\"\\\\ ()]{1,20}") {
        let connector = connector();
        let url = built(&connector, "users.find", &id).unwrap();
        let filter = url.query_pairs().next().unwrap().1.into_owned();
        let quoted = filter.strip_prefix("email eq ").unwrap();
        // JSON text is the grammar of SCIM's values
        prop_assert_eq!(serde_json::from_str::<String>(quoted).unwrap(), id);
    }

    #[test]
    fn a_value_in_single_quotes_stays_one_value(id in "[a-c'\"\\\\ ()\n\r]{1,20}") {
        let connector = connector();
        let url = built(&connector, "users.find", &id).unwrap_or_else(|error| panic!("{error}"));
        let query = url.query_pairs().nth(1).unwrap().1.into_owned();
        let literal = query.strip_prefix("WHERE email = '").unwrap();
        // read as the vendor does: a backslash takes the next character with it, the first bare quote ends it
        let mut read = String::new();
        let mut rest = literal.chars();
        let end = loop {
            match rest.next() {
                Some('\\') => read.push(match rest.next().unwrap() { 'n' => '\n', 'r' => '\r', other => other }),
                Some('\'') => break rest.as_str(),
                Some(other) => read.push(other),
                None => panic!("no end: {literal}"),
            }
        };
        prop_assert_eq!((read, end), (id, ""));
    }

    #[test]
    fn queries_arrive_as_they_were_meant(pairs in proptest::collection::vec(("[a-z]{1,5}", "\\PC{0,12}"), 0..6)) {
        let mut url = Url::parse("https://api.example.com/v1").unwrap();
        let query: Map<String, Value> = pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        set_query(&mut url, &query);
        let back: Map<String, Value> =
            url.query_pairs().map(|(name, value)| (name.into_owned(), json!(value))).collect();
        prop_assert_eq!(back, query);
    }
}
