//! `koine connector verify`.

use crate::koine;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance/tests/folder");
const SPECIFICATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance/tests/acme.yaml");

fn verify(args: &[&str]) -> crate::Ran {
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
    assert!(ran.stdout.starts_with("No specification of: ") && ran.stdout.contains("okta"), "{}", ran.stdout);
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
