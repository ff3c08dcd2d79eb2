//! Commands that need no gateway, run through the binary.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the reason")]

use std::io::Write as _;
use std::process::{Command, Stdio};

/// What a command left behind.
#[derive(Debug)]
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs the binary with this on its standard input.
fn koine(args: &[&str], stdin: &str) -> Ran {
    koine_with(args, stdin, &[])
}

/// The same with these variables, and no others.
fn koine_with(args: &[&str], stdin: &str, env: &[(&str, &str)]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_koine"))
        .args(args)
        .env_clear()
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may be gone already.
    let _unread = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

mod jsonata {
    use super::{Ran, koine};

    fn told(ran: &Ran) -> (i32, &str, &str) {
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str())
    }

    #[test]
    fn an_expression_is_evaluated_with_our_functions() {
        let ran = koine(&["jsonata", r#"$mapValues("ADMIN", {"admin": "administrator"})"#], "");
        assert_eq!(told(&ran), (0, "\"administrator\"\n", ""));
    }

    #[test]
    fn input_comes_from_a_file_or_a_pipe() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"users": [{"id": 3074457345600000001}]}"#).unwrap();
        let ran = koine(&["jsonata", "users[0].id", "--input", file.path().to_str().unwrap()], "");
        assert_eq!(told(&ran), (0, "\"3074457345600000001\"\n", ""), "every digit of an id is kept");
        let ran = koine(&["jsonata", "a.b", "--input", "-"], r#"{"a": {"b": [1, null]}}"#);
        assert_eq!(told(&ran), (0, "[1,null]\n", ""));
        let ran = koine(&["jsonata", "--input", "-", "-$"], "7");
        assert_eq!(told(&ran), (0, "-7\n", ""), "an expression may begin with a minus");
    }

    #[test]
    fn nothing_prints_nothing() {
        assert_eq!(told(&koine(&["jsonata", "a.b"], "")), (0, "", ""));
        assert_eq!(told(&koine(&["jsonata", "null"], "")), (0, "null\n", ""), "null is something");
    }

    #[test]
    fn what_is_wrong_is_said_on_stderr() {
        let cases = [
            (vec!["jsonata", "$mapValue(1, {})"], "", "did you mean `$mapValues`?"),
            (vec!["jsonata", "a ? "], "", "koine: "),
            (vec!["jsonata", r#"$error("no seat left")"#], "", "no seat left"),
            (vec!["jsonata", "a", "--input", "-"], "{not json", "the input is not JSON"),
            (vec!["jsonata", "a", "--input", "/nonexistent.json"], "", "/nonexistent.json: "),
            (vec!["jsonata", "($f := function($n) { $f($n + 1) }; $f(1))"], "", "koine: the evaluation "),
        ];
        for (args, stdin, words) in cases {
            let ran = koine(&args, stdin);
            assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{args:?}: {ran:?}");
            assert!(ran.stderr.contains(words), "{args:?}: {ran:?}");
        }
        assert_eq!(koine(&["jsonata"], "").code, 2, "the expression is missing");
    }
}

mod connector {
    use serde_json::{Value, json};

    use super::{koine, koine_with};

    fn shown(name: &str) -> Value {
        let ran = koine(&["connector", "show", name, "-o", "json"], "");
        assert_eq!(ran.code, 0, "{ran:?}");
        serde_json::from_str(&ran.stdout).unwrap()
    }

    fn method(connector: &Value, name: &str) -> Value {
        let methods = connector["methods"].as_array().unwrap();
        methods.iter().find(|method| method["method"] == name).unwrap().clone()
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
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("acme");
        std::fs::create_dir(&own).unwrap();
        let text = "name: acme\nlabel: Acme\ncategory: test\napi: v1\nbase_url: https://acme.example.com\n\
                    credentials: {key: {authorization: {format: bearer, config: {token: t}}}}\n\
                    resources: {users: {list: GET /users}}\n";
        std::fs::write(own.join("connector.yaml"), text).unwrap();
        std::fs::write(own.join("user-directory.yaml"), "users: {list: {call: users.list}}\n").unwrap();
        let env = [("KOINE_CONNECTORS_DIR", folder.path().to_str().unwrap())];
        let ran = koine_with(&["connector", "show", "acme", "-o", "json"], "", &env);
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
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("acme");
        std::fs::create_dir(&own).unwrap();
        let text = "name: acme\nlabel: Acme\ncategory: test\napi: v1\nbase_url: https://acme.example.com\n\
                    credentials: {key: {authorization: {format: bearer, config: {token: t}}}}\n\
                    resources: {users: {list: GET /users}}\n";
        std::fs::write(own.join("connector.yaml"), text).unwrap();
        std::fs::write(own.join("facts.yaml"), "confidence: {auth: sure}\n").unwrap();
        let ran = koine(&["connector", "check", folder.path().to_str().unwrap()], "");
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
        assert!(ran.stderr.contains("acme/facts.yaml:1:"), "{ran:?}");
        assert!(ran.stderr.contains("`sure` is no confidence (one of official-spec,"), "{ran:?}");
    }
}

mod verify {
    use super::koine;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance/tests/folder");
    const SPECIFICATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance/tests/acme.yaml");

    fn verify(args: &[&str]) -> super::Ran {
        koine(&[&["connector", "verify"], args].concat(), "")
    }

    #[test]
    fn a_connector_is_held_against_a_specification() {
        let ran = verify(&["acme", "--folder", FOLDER, "--openapi", SPECIFICATION]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let tolerated = "acme tolerates GET /groups: answer 401\n    Made up to be tolerated.";
        assert!(ran.stdout.contains(tolerated), "{}", ran.stdout);
        let ran = verify(&["acme", "--folder", FOLDER, "--openapi", SPECIFICATION, "--json"]);
        let all: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(
            (&all[0]["result"], &all[0]["fixtures"], &all[0]["operations"]),
            (&"ok".into(), &21.into(), &8.into())
        );
    }

    #[test]
    fn a_deviation_is_a_failure_with_its_place() {
        let ran = verify(&["acme", "--folder", FOLDER, "--openapi", SPECIFICATION, "--rewrite", "/api=/v3"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (1, "koine: not as the specification says: acme\n"));
        let place = "acme/fixtures/user-directory.groups/remove-user.one.yaml:9 (2 times)
    GET /v3/groups/1/members
    operation: the specification has no such path; the nearest is GET /groups/{id}/members
    mend the request in connector.yaml";
        assert!(ran.stdout.contains(place), "{}", ran.stdout);
        assert!(ran.stdout.contains("facts.yaml:7:"), "what is tolerated in vain: {}", ran.stdout);
    }

    #[test]
    fn a_folder_holds_the_specifications_of_many() {
        let folder = std::path::Path::new(SPECIFICATION).parent().unwrap().to_str().unwrap();
        let ran = verify(&["--all", "--folder", FOLDER, "--openapi-dir", folder]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(ran.stdout.matches(" ok ").count(), 1, "only acme has one there: {}", ran.stdout);
        assert!(
            ran.stdout.starts_with("No specification of: ") && ran.stdout.contains("okta"),
            "{}",
            ran.stdout
        );
        let ran = verify(&["okta", "--openapi-dir", folder]);
        assert_eq!((ran.code, ran.stderr.contains("no specification of okta")), (3, true), "{ran:?}");
    }

    #[test]
    fn what_is_asked_wrongly_is_said() {
        let wrong = [
            (vec!["acme"], 2),
            (vec!["--openapi", SPECIFICATION], 2),
            (vec!["--all", "--openapi", SPECIFICATION], 2),
            (vec!["okta", "--openapi", SPECIFICATION, "--rewrite", "api"], 2),
            (vec!["nobody", "--openapi", SPECIFICATION], 3),
            (vec!["okta", "--openapi", "/nonexistent.json"], 3),
            (vec!["okta", "--openapi", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")], 1),
        ];
        for (args, code) in wrong {
            assert_eq!(verify(&args).code, code, "{args:?}");
        }
    }
}
