//! `koine connector show` and `check`.

use serde_json::{Value, json};

use crate::{koine, runner};

fn shown(name: &str) -> Value {
    let ran = koine(&["connector", "show", name, "-o", "json"], "");
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

fn method(connector: &Value, name: &str) -> Value {
    let methods = connector["methods"].as_array().unwrap();
    methods.iter().find(|method| method["method"] == name).unwrap().clone()
}

/// A folder with a small connector, and one more file of it.
fn acme(file: &str, text: &str) -> tempfile::TempDir {
    const CONNECTOR: &str = "name: acme\nlabel: Acme\ncategory: test\napi: v1\nbase_url: https://acme.example.com\n\
        credentials: {key: {authorization: {format: bearer, config: {token: t}}}}\n\
        resources: {users: {list: GET /users}}\n";
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("acme");
    std::fs::create_dir(&own).unwrap();
    for (file, text) in [("connector.yaml", CONNECTOR), (file, text)] {
        std::fs::write(own.join(file), text).unwrap();
    }
    folder
}

#[test]
fn show_says_what_a_removal_does_and_how_sure_that_is() {
    let okta = shown("okta");
    let delete = method(&okta, "user-directory.users.delete");
    assert_eq!(delete["removal"]["effect"], "deletes");
    assert_eq!(
        (&delete["confidence"], &delete["source"]),
        (&json!("official-spec"), &json!("official-spec"))
    );
    let remove = method(&okta, "user-directory.groups.remove-user");
    let names: Vec<_> = remove["parameters"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert!(names.contains(&&json!("user_id")), "{remove}");
    assert!(okta["credentials"]["api_token"]["fields"].as_array().unwrap().len() >= 2);
    assert_eq!(okta["unsupported"][0]["what"], "custom domains");
    assert!(okta["sources"][0].is_string() && okta["notes"][0].is_string());
}

#[test]
fn what_only_others_or_memory_say_is_unverified() {
    let delete = method(&shown("help-scout"), "ticketing.users.delete");
    assert_eq!(delete["confidence"], "unverified");
    assert_eq!(delete["source"], "third-party-source");
    let list = method(&shown("help-scout"), "ticketing.users.list");
    assert_eq!(list["confidence"], "sdk-source", "the vendor's own library is the vendor's word");
}

#[test]
fn a_connector_without_facts_is_unverified() {
    let folder = acme("user-directory.yaml", "users: {list: {call: users.list}}\n");
    let runner = runner().env("KOINE_CONNECTORS_DIR", folder.path().to_str().unwrap());
    let ran = runner.run(["connector", "show", "acme", "-o", "json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let list = method(&serde_json::from_str(&ran.stdout).unwrap(), "user-directory.users.list");
    assert_eq!((&list["confidence"], &list["source"]), (&json!("unverified"), &Value::Null));
}

#[test]
fn show_is_readable_as_a_table() {
    let ran = koine(&["connector", "show", "help-scout"], "");
    assert_eq!(ran.code, 0, "{ran:?}");
    for line in [
        &["ticketing.users.delete", "unverified"][..],
        &["ticketing.users.delete", "deletes"],
        &["users.deactivate", "availability"],
        &["Credentials of kind"],
    ] {
        let found = ran.stdout.lines().any(|text| line.iter().all(|word| text.contains(word)));
        assert!(found, "{line:?} in\n{}", ran.stdout);
    }
    let ran = koine(&["connector", "show", "nobody"], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran:?}");
}

#[test]
fn check_names_what_is_wrong_with_facts() {
    let folder = acme("facts.yaml", "confidence: {auth: sure}\n");
    let ran = koine(&["connector", "check", folder.path().to_str().unwrap()], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(ran.stderr.contains("acme/facts.yaml:1:"), "{ran:?}");
    assert!(ran.stderr.contains("`sure` is no confidence (one of official-spec,"), "{ran:?}");
}

#[test]
fn check_reads_sandboxes_too() {
    let folder = acme("sandbox.yaml", "rotues: {}\n");
    let ran = koine(&["connector", "check", folder.path().to_str().unwrap()], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(ran.stderr.contains("acme/sandbox.yaml:1:1: ") && ran.stderr.contains("`rotues`"), "{ran:?}");
}
