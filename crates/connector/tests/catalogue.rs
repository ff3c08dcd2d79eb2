//! Every connector in the repository compiles; author mistakes are named with place and hint.

use koine_connector::catalogue::Catalogue;

#[test]
fn the_embedded_catalogue_compiles() {
    let catalogue = Catalogue::embedded().unwrap_or_else(|problems| panic!("{problems}"));
    let names: Vec<_> = catalogue.connectors().map(|connector| connector.name.clone()).collect();
    assert_eq!(names, ["dropbox-sign", "github", "help-scout", "miro-scim", "okta"]);
}

#[test]
fn all_problems_of_a_folder_are_reported_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("acme");
    std::fs::create_dir(&own).unwrap();
    let text = "name: acme\nlabel: Acme\ncategory: test\napi: v1\nbase_url: https://{{site}}.example.com\n\
                credentials:\n  key: {fields: {site: {label: Site}}, authorization: {format: beerer, config: {}}}\n\
                resorces: {}\nresources: {users: {list: FETCH /users}}\n";
    std::fs::write(own.join("connector.yaml"), text).unwrap();
    std::fs::write(own.join("user-directry.yaml"), "users: {}\n").unwrap();
    let problems = Catalogue::with_folder(folder.path()).unwrap_err().to_string();
    for wanted in [
        "acme/connector.yaml:7:",
        "`beerer` is not known here",
        "acme/connector.yaml:8:1: connector.yaml has no key `resorces` (did you mean `resources`?)",
        "`FETCH` is not a verb",
        "no model is called `user-directry`",
    ] {
        assert!(problems.contains(wanted), "{wanted} in:\n{problems}");
    }
}
