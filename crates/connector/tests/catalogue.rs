//! Every connector in the repository compiles; author mistakes are named with place and hint.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the reason")]

use koine_connector::catalogue::Catalogue;

#[test]
fn the_embedded_catalogue_compiles() {
    let catalogue = Catalogue::embedded().unwrap_or_else(|problems| panic!("{problems}"));
    let names: Vec<_> = catalogue.connectors().map(|connector| connector.name.clone()).collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../connectors");
    let entries =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut folders: Vec<_> = entries.filter(|name| !name.starts_with('_')).collect();
    folders.sort();
    assert_eq!(names, folders);
}

#[test]
fn all_problems_of_a_folder_are_reported_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("acme");
    std::fs::create_dir(&own).unwrap();
    let text = "name: acme\nlabel: Acme\ncategory: test\napi: v1\nbase_url: https://{{site}}.example.com\n\
                credentials:\n  key: {fields: {site: {label: Site}}, authorization: {format: beerer, config: {}}}\n\
                resorces: {}\nresources: {users: {list: FETCH /users, get: {path: /users, query: 'id={{id}}'}}}\n";
    let text = text.replace("api: v1", "api: null");
    std::fs::write(own.join("connector.yaml"), text).unwrap();
    std::fs::write(own.join("user-directry.yaml"), "users: {}\n").unwrap();
    let problems = Catalogue::with_folder(folder.path()).unwrap_err().to_string();
    for wanted in [
        "acme/connector.yaml:7:",
        "`beerer` is not known here",
        "acme/connector.yaml:8:1: connector.yaml has no key `resorces` (did you mean `resources`?)",
        "`FETCH` is not a verb",
        "`query` of a request must be a map, this is text",
        "connector.yaml needs `api`",
        "no model is called `user-directry`",
    ] {
        assert!(problems.contains(wanted), "{wanted} in:\n{problems}");
    }
}

#[test]
fn every_embedded_connector_says_where_its_facts_come_from() {
    let catalogue = Catalogue::embedded().unwrap();
    for connector in catalogue.connectors() {
        assert!(!connector.facts.sources.is_empty(), "{} names no source", connector.name);
        for request in connector.requests.keys() {
            assert!(connector.facts.confidence.contains_key(request), "{}: {request}", connector.name);
        }
    }
}

const ACME: &str = "name: acme\nlabel: Acme\ncategory: test\napi: v1\nbase_url: https://acme.example.com\n\
                    credentials: {key: {authorization: {format: bearer, config: {token: t}}}}\n\
                    resources: {users: {get: \"GET /users/{{id}}\", delete: \"DELETE /users/{{id}}\", suspend: POST /s}}\n";
const ACME_USERS: &str = "users:\n  get: {call: users.get}\n  delete:\n    call: users.delete\n    target: {get: users}\n\
                          \x20   before: [{call: users.suspend}]\n    removal: {effect: deletes}\n\
                          \x20   verify: {call: users.get, gone: not_found}\n";

fn acme(facts: &str) -> Result<Catalogue, koine_connector::Problems> {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("acme");
    std::fs::create_dir(&own).unwrap();
    for (file, text) in [("connector.yaml", ACME), ("user-directory.yaml", ACME_USERS), ("facts.yaml", facts)]
    {
        std::fs::write(own.join(file), text).unwrap();
    }
    Catalogue::with_folder(folder.path())
}

#[test]
fn facts_are_checked_like_everything_else() {
    let mistaken = "sources: [a book]\nconfidense: {}\nconfidence: {users.get: certain, users.gte repeated: recalled}\n\
                    unsupported: [{what: flying}]\nmatrix: {user-directory.users.fly: {quary: []}}\n";
    let problems = acme(mistaken).unwrap_err().to_string();
    for wanted in [
        "acme/facts.yaml:2:1: facts.yaml has no key `confidense` (did you mean `confidence`?)",
        "acme/facts.yaml:3:25: `certain` is no confidence (one of official-spec, vendor-docs,",
        "an unsupported thing needs `why`",
        "a claim has no key `quary` (did you mean `query`?)",
    ] {
        assert!(problems.contains(wanted), "{wanted} in:\n{problems}");
    }
    let stray = "confidence: {users.get: recalled, users.gte repeated: recalled}\nmatrix: {user-directory.users.fly: {}}\n";
    let problems = acme(stray).unwrap_err().to_string();
    for wanted in [
        "the request `users.delete` has no confidence (add `users.delete` under `confidence`)",
        "the request `users.suspend` has no confidence",
        "there is no request `users.gte` to be sure of",
        "`matrix` names `user-directory.users.fly`, which is no method of the connector",
    ] {
        assert!(problems.contains(wanted), "{wanted} in:\n{problems}");
    }
}

#[test]
fn a_method_is_worth_the_least_of_what_it_changes_things_with() {
    let facts = |get: &str, delete: &str, suspend: &str| {
        format!("confidence: {{users.get: {get}, users.delete: {delete}, users.suspend: {suspend}}}\n")
    };
    let worth = |facts: &str| {
        let catalogue = acme(facts).unwrap_or_else(|problems| panic!("{problems}"));
        let connector = catalogue.connector("acme").unwrap().clone();
        let row = &connector.models["user-directory"]["users"].methods["delete"];
        connector.facts.of_method(&connector, row).map(koine_connector::facts::Confidence::as_str)
    };
    assert_eq!(worth(&facts("recalled", "official-spec", "vendor-docs")), Some("vendor-docs"));
    assert_eq!(worth(&facts("official-spec", "recalled", "vendor-docs")), Some("recalled"));
    assert_eq!(
        worth(&facts("official-spec", "sdk-source", "third-party-source")),
        Some("third-party-source")
    );
}

#[test]
fn lists_are_paged_however_their_request_is_written() {
    let request = |line: &str| {
        format!(
            "name: acme\nlabel: Acme\ncategory: test\napi: v1\nbase_url: https://acme.example.com\n\
        credentials: {{key: {{authorization: {{format: bearer, config: {{token: t}}}}}}}}\n\
        pagination: {{format: link_header}}\nresources: {{users: {line}}}\n"
        )
    };
    let paged = |line: &str, name: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("acme")).unwrap();
        std::fs::write(folder.path().join("acme/connector.yaml"), request(line)).unwrap();
        let catalogue = Catalogue::with_folder(folder.path()).unwrap_or_else(|problems| panic!("{problems}"));
        catalogue.connector("acme").unwrap().requests[name].pagination.is_some()
    };
    for name in ["list", "find"] {
        assert!(paged(&format!("{{{name}: GET /users}}"), &format!("users.{name}")));
        assert!(paged(&format!("{{{name}: {{method: GET, path: /users}}}}"), &format!("users.{name}")));
    }
    assert!(!paged("{get: GET /users}", "users.get"));
    assert!(!paged("{list: {method: GET, path: /users, pagination: null}}", "users.list"));
}

#[test]
fn a_null_removes_what_any_profile_below_says() {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [
        (
            "_shared/lower.yaml",
            "resources:\n  users: {list: {method: GET, path: /users}, find: {method: GET, path: /find}}\n  groups: {list: GET /groups}\n",
        ),
        (
            "_shared/lower.user-directory.yaml",
            "users: {list: {call: users.list}, find: {call: users.find}}\n",
        ),
        ("_shared/upper.yaml", "extends: lower\nresources: {users: {list: {path: /people}}}\n"),
        ("_shared/upper.user-directory.yaml", "users: {record: {id: id}}\n"),
        (
            "acme/connector.yaml",
            "extends: upper\nname: acme\nlabel: Acme\ncategory: test\napi: v1\nbase_url: https://acme.example.com\n\
             credentials: {key: {authorization: {format: bearer, config: {token: t}}}}\n\
             resources: {users: {find: null}, groups: null}\n",
        ),
        ("acme/user-directory.yaml", "users: {find: null}\n"),
    ] {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let catalogue = Catalogue::with_folder(folder.path()).unwrap_or_else(|problems| panic!("{problems}"));
    let acme = catalogue.connector("acme").unwrap();
    assert_eq!(acme.requests.keys().collect::<Vec<_>>(), ["users.list"]);
    assert_eq!(acme.models["user-directory"]["users"].methods.keys().collect::<Vec<_>>(), ["list"]);
}

/// One connector of the catalogue with a piece of one file replaced by something else.
fn mutated(file: &str, at: usize, length: usize, by: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors/okta");
    std::fs::create_dir(folder.path().join("okta")).unwrap();
    for name in ["connector.yaml", "user-directory.yaml", "facts.yaml"] {
        let mut text = std::fs::read_to_string(source.join(name)).unwrap();
        if name == file {
            let boundary = |mut at: usize| {
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let start = boundary(at % text.len());
            let end = boundary((start + length).min(text.len()));
            text.replace_range(start..end, by);
        }
        std::fs::write(folder.path().join("okta").join(name), text).unwrap();
    }
    folder
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_mistake_in_a_connector_makes_it_panic(
        file in proptest::sample::select(vec!["connector.yaml", "user-directory.yaml", "facts.yaml"]),
        at in 0usize..20_000, length in 0usize..40,
        by in proptest::sample::select(vec!["", ": ", "{", "[", "'", "\"", "null", "x: 1\n", "- ", "{{", "$a(", "\u{fe0f}", "9999999999999999999"]),
    ) {
        let folder = mutated(file, at, length, by);
        if let Err(problems) = Catalogue::with_folder(folder.path()) {
            proptest::prop_assert!(problems.0.iter().all(|problem| problem.place.line >= 1), "{}", problems);
        }
    }
}
