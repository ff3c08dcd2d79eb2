//! `sandbox.yaml` as a language: problems with their places, and what its words do.

use koine_connector::catalogue::{self, Files};
use koine_sandbox::{Sandbox, Vendor};
use proptest::prelude::*;
use serde_json::{Value, json};

const SMALL: &str = r#"
base_path: /v1
context: {key: k}
auth: {accepts: "request.headers.key = 'k'", refusal: {status: 401, body: {error: who}}}
not_found: {body: '{"error": "no " & request.params.id}'}
collections:
  things:
    key: id
    each: '{"id": "t" & $string(person.n), "on": true, "__secret": person.email}'
  lists:
    key: id
    items: '[{"id": "a", "of": [state.things.id]}]'
routes:
  GET /things: {list: things, where: on, page: {style: page, param: page, limit: size, size: 2, most: 3, links: true}}
  GET /things/{id}: {find: things}
  GET /things/special: {reply: {body: {special: true}}}
  PUT /things/{id}:
    refuse_before: [{if: $not($exists(request.body.on)), body: {error: on is needed}}]
    find: things
    refuse: [{if: record.id = "t3", status: 409, body: {error: not this one}}]
    do: [{set: '{"on": request.body.on}'}]
    reply: {body: '{"was": before.on, "is": record.on}'}
  POST /things: {do: [{in: things, add: '{"id": request.body.id, "on": true}'}], reply: {status: 201}}
  DELETE /things/{id}:
    find: things
    do:
      - {in: lists, set: '{"of": [of[$ != $$.record.id]]}'}
      - {remove: true}
"#;

fn sandbox(text: &str) -> Result<Sandbox, String> {
    let files = Files::from([("small/sandbox.yaml".to_owned(), text.to_owned())]);
    Sandbox::with_people(&files, 1, 5).map_err(|problems| problems.to_string())
}

fn small() -> Vendor {
    let sandbox = sandbox(SMALL).unwrap_or_else(|problems| panic!("{problems}"));
    sandbox.vendor("small").expect("it is the only one").clone()
}

fn ask(vendor: &mut Vendor, verb: &str, path: &str, body: &Value) -> (u16, Value) {
    let headers =
        [("key".to_owned(), "k".to_owned()), ("content-type".to_owned(), "application/json".to_owned())];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, _, bytes) = vendor.exchange(verb, path, &headers, &body, false);
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[test]
fn it_lists_finds_changes_refuses_and_forgets() {
    let mut vendor = small();
    let (_, page) = ask(&mut vendor, "GET", "/v1/things", &Value::Null);
    assert_eq!(page, json!([{"id": "t1", "on": true}, {"id": "t2", "on": true}]), "own keys stay inside");
    assert_eq!(
        ask(&mut vendor, "GET", "/v1/things?page=2&size=99", &Value::Null).1.as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(ask(&mut vendor, "GET", "/v1/things/special", &Value::Null).1, json!({"special": true}));
    assert_eq!(
        ask(&mut vendor, "PUT", "/v1/things/t2", &json!({"on": false})).1,
        json!({"was": true, "is": false})
    );
    assert_eq!(ask(&mut vendor, "GET", "/v1/things?page=1", &Value::Null).1[1]["id"], "t3", "t2 is off");
    assert_eq!(ask(&mut vendor, "PUT", "/v1/things/t3", &json!({"on": false})).0, 409);
    assert_eq!(ask(&mut vendor, "PUT", "/v1/things/t1", &json!({})).0, 400);
    assert_eq!(ask(&mut vendor, "POST", "/v1/things", &json!({"id": "new"})).0, 201);
    assert_eq!(ask(&mut vendor, "GET", "/v1/things/new", &Value::Null).0, 200);
    assert_eq!(ask(&mut vendor, "DELETE", "/v1/things/t1", &Value::Null).0, 204);
    assert_eq!(ask(&mut vendor, "DELETE", "/v1/things/t1", &Value::Null), (404, json!({"error": "no t1"})));
    assert_eq!(vendor.collection("lists")[0]["of"], json!(["t2", "t3", "t4", "t5"]));
    assert_eq!(ask(&mut vendor, "GET", "/elsewhere", &Value::Null).0, 404);
    assert_eq!(vendor.exchange("GET", "/v1/things", &[], "", false).0, 401);
    let key = [("key".to_owned(), "k".to_owned())];
    assert_eq!(vendor.exchange("GET", "/v1/things/t1", &key, "", true).0, 200, "as before the last write");
}

#[test]
fn pages_link_to_the_address_that_was_asked() {
    let headers = [("key".to_owned(), "k".to_owned()), ("host".to_owned(), "localhost:99".to_owned())];
    let (_, answer, _) = small().exchange("GET", "/v1/things?size=1&x=a%20b", &headers, "", false);
    let link = answer.iter().find(|(name, _)| name == "link").map(|(_, value)| value.as_str());
    let next = "<http://localhost:99/v1/things?size=1&x=a+b&page=2>; rel=\"next\"";
    assert!(link.is_some_and(|link| link.ends_with(next)), "{link:?}");
}

#[test]
fn every_problem_has_its_place() {
    let text = "
collections:
  things: {key: id, each: '{\"id\": 1', items: []}
  more: {key: id}
routes:
  GET things: {list: things}
  GET /things: {list: nothings, pages: {style: page}}
  POST /y: {assertion: {token: request.body.token, key: nokey}}
  POST /z: {assertion: {key: key}}
  POST /x: {do: [{set: {}, remove: true}], page: {style: pages}}
auth: {accepts: wrong.root}
keys: {key: HS256}
elsewhere: {id.example.com: /id}
";
    let problems = sandbox(text).map(|_| ()).expect_err("it is full of them");
    for wanted in [
        "small/sandbox.yaml:3:",
        "small/sandbox.yaml:4:",
        "`GET things` is not a route",
        "the collection `nothings`",
        "did you mean `page`?",
        "an effect has one of",
        "`style` must be page, offset or cursor",
        "auth needs `accepts`",
        "a key is made for `RS256`",
        "which path stands for an address",
        "an assertion needs `token`",
    ] {
        assert!(problems.contains(wanted), "{wanted} is missing in\n{problems}");
    }
    let keyless = sandbox("collections: {things: {key: id, each: '{\"name\": person.first}'}}").map(|_| ());
    assert!(keyless.expect_err("no key").contains("has no `id`"));
}

#[test]
fn the_seed_decides_who_they_are() {
    let files = catalogue::files(None).unwrap_or_else(|problems| panic!("{problems}"));
    let people = |seed| {
        let sandbox = Sandbox::new(&files, seed).unwrap_or_else(|problems| panic!("{problems}"));
        sandbox.vendor("okta").expect("it has a sandbox").collection("users").to_vec()
    };
    assert_eq!(people(7), people(7));
    assert_ne!(people(7), people(8));
    assert_eq!(people(7).len(), 250);
}

const SIGNED: &str = r#"
base_path: /v1
context: {email: me@example.com}
keys: {key: RS256}
elsewhere: {https://id.example.com: /id}
auth: {accepts: '$substringAfter(request.headers.authorization, "Bearer ") in issued', refusal: {status: 401}}
routes:
  POST /id/token:
    auth: false
    assertion: {token: request.body.assertion, key: key}
    refuse_before:
      - {if: $not(assertion.genuine), status: 400, body: {error: invalid_grant}}
      - {if: 'assertion.claims.exp < $millis() / 1000', status: 400, body: {error: expired}}
    issue: {seconds: 60, grant: '{"who": assertion.claims.iss}'}
    reply: {body: '{"access_token": token, "to": assertion.claims.iss}'}
  GET /me: {reply: {body: '$lookup(grants, $substringAfter(request.headers.authorization, "Bearer "))'}}
"#;

/// A token request with an assertion, signed by the key or not.
fn login(vendor: &mut Vendor, assertion: &str) -> (u16, Value) {
    let form = [("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    let body = format!("assertion={assertion}");
    let (status, _, bytes) = vendor.exchange("POST", "/v1/id/token", &form, &body, false);
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

fn signed(pem: &str, claims: &Value) -> String {
    let key = jsonwebtoken::EncodingKey::from_rsa_pem(pem.as_bytes()).expect("a key in PEM");
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
    jsonwebtoken::encode(&header, claims, &key).expect("it signs")
}

#[tokio::test]
async fn an_assertion_must_be_signed_by_the_key_that_was_made() {
    let sandbox = sandbox(SIGNED).unwrap_or_else(|problems| panic!("{problems}"));
    let mut vendor = sandbox.vendor("small").expect("it is the only one").clone();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let serving = sandbox.serve(listener).expect("it has an address");
    let stand_in = &serving.stand_ins()[0];
    assert_eq!(
        (stand_in.made.as_slice(), &stand_in.context["email"]),
        (["key".to_owned()].as_slice(), &json!("me@example.com"))
    );
    let elsewhere = format!("{}/small/v1/id", serving.url());
    assert_eq!(stand_in.base_urls()[1], ("small https://id.example.com".to_owned(), elsewhere));

    let pem = stand_in.context["key"].as_str().expect("a key");
    let good = json!({"iss": "me@example.com", "exp": 4_000_000_000_u64});
    let (status, answer) = login(&mut vendor, &signed(pem, &good));
    assert_eq!((status, &answer["to"]), (200, &json!("me@example.com")), "{answer}");
    let token = answer["access_token"].as_str().expect("a token");
    let bearer = [("authorization".to_owned(), format!("Bearer {token}"))];
    let (status, _, body) = vendor.exchange("GET", "/v1/me", &bearer, "", false);
    assert_eq!((status, body.as_ref()), (200, br#"{"who":"me@example.com"}"#.as_slice()));

    let foreign = koine_connector::keypair::KeyPair::generate();
    let late = signed(pem, &json!({"exp": 1}));
    let refusals = [
        (signed(foreign.private_pem(), &good), "invalid_grant"),
        (late, "expired"),
        ("x.y.z".to_owned(), "invalid_grant"),
    ];
    for (assertion, error) in refusals {
        assert_eq!(login(&mut vendor, &assertion), (400, json!({"error": error})));
    }
    let unissued = [("authorization".to_owned(), "Bearer sandbox-small-2".to_owned())];
    assert_eq!(vendor.exchange("GET", "/v1/me", &unissued, "", false).0, 401, "a refusal gives no token");
}

proptest! {
    #[test]
    fn whatever_is_asked_it_answers(verb in "(GET|POST|PUT|DELETE|PATCH)", path in "/v1/things(/[ -~]{0,12})?(\\?[ -~]{0,24})?", body in "[ -~]{0,40}") {
        let headers = [("key".to_owned(), "k".to_owned()), ("content-type".to_owned(), "application/json".to_owned())];
        let (status, _, _) = small().exchange(&verb, &path, &headers, &body, false);
        prop_assert!((200..500).contains(&status), "{}", status);
    }
}
