//! `koine matrix`: every method of every connector, called through the gateway against its sandbox.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the reason")]

use std::path::{Path, PathBuf};

use koine_testkit::{Ran, Runner};
use serde_json::{Value, json};

fn matrix(args: &[&str]) -> Ran {
    let runner = Runner::new(env!("CARGO_BIN_EXE_koine")).env("RUST_LOG", "error");
    runner.run([&["matrix"], args].concat())
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

#[test]
fn every_method_of_every_connector_does_what_the_table_says() {
    let ran = matrix(&["--markdown"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let kept = std::fs::read_to_string(repository("docs/matrix.md")).unwrap();
    let first = ran.stdout.lines().zip(kept.lines()).find(|(now, kept)| now != kept);
    assert!(
        ran.stdout == kept,
        "run `koine matrix --markdown > docs/matrix.md`; first difference: {first:#?}"
    );
}

/// A folder with one connector, whose file is changed.
fn folder(connector: &str, file: &str, change: impl Fn(String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join(connector);
    std::fs::create_dir(&own).unwrap();
    for entry in std::fs::read_dir(repository("connectors").join(connector)).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let changed = if entry.file_name() == file { change(text.clone()) } else { text.clone() };
            assert_eq!(changed != text, entry.file_name() == file, "nothing was changed");
            std::fs::write(own.join(entry.file_name()), changed).unwrap();
        }
    }
    folder
}

fn failing(connector: &str, file: &str, from: &str, to: &str) -> String {
    let folder = folder(connector, file, |text| text.replacen(from, to, 1));
    let ran = matrix(&["--only", connector, "--folder", folder.path().to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{ran:?}");
    ran.stderr
}

#[test]
fn a_connector_that_only_says_so_is_found_out() {
    let (file, effect) = ("sandbox.yaml", "- {if: record.status = \"DEPROVISIONED\", remove: true}");
    let told = failing("okta", file, effect, "- {if: record.status = \"GONE\", remove: true}");
    assert!(
        told.contains("okta: user-directory.users.delete: `removed` was expected: 200 (pending)"),
        "{told}"
    );
}

#[test]
fn an_effect_that_the_state_does_not_show_is_found_out() {
    let told =
        failing("okta", "sandbox.yaml", "done: $not(id in state.users.id)", "done: id in state.users.id");
    assert!(told.contains("the vendor's state does not show the effect"), "{told}");
}

#[test]
fn a_list_that_loses_people_is_found_out() {
    let (whole, page) = ("list: GET /users\n", "list: {method: GET, path: /users, pagination: null}\n");
    let told = failing("okta", "connector.yaml", whole, page);
    assert!(
        told.contains("okta: user-directory.users.list: the list shows 100 people, and 250 are there"),
        "{told}"
    );
}

#[test]
fn a_method_without_a_case_is_found_out() {
    let told = failing("okta", "sandbox.yaml", "  user-directory.groups.list: {}\n", "");
    assert!(told.contains("okta: user-directory.groups.list has no case in sandbox.yaml"), "{told}");
}

#[test]
fn cells_are_told_as_json_and_held_against_a_list() {
    let ran = matrix(&["--only", "github", "--only", "bigpanda", "--json"]);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    let cells = found["cells"]["user-directory.users.delete"].as_array().unwrap();
    let cell = |name: &str| {
        cells.iter().find(|row| row["name"] == name && row["section"] == "Query Parameters").unwrap()["providers"].clone()
    };
    assert_eq!(cell("organization_id"), json!({"GitHub": "required"}), "left out, it is refused");
    assert_eq!(cell("emails"), json!({"BigPanda": "supported"}), "GitHub shows no addresses");

    let published = json!({"user-directory.users.delete": [
        {"section": "Query Parameters", "name": "organization_id", "type": "string", "providers": {"GitHub": "supported", "Nobody Inc": "required"}},
        {"section": "Response Body", "name": "groups", "providers": {"Big-Panda": "supported"}},
    ]});
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), published.to_string()).unwrap();
    let ran = matrix(&["--only", "github", "--only", "bigpanda", "--compare", file.path().to_str().unwrap()]);
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "2 of 3 published cells are covered");
    assert!(
        lines.contains(
            &"missing: Nobody Inc user-directory.users.delete organization_id: NO REASON IS STATED"
        ),
        "{lines:#?}"
    );
    assert!(
        lines.contains(
            &"otherwise: user-directory.users.delete organization_id GitHub: supported, here required"
        ),
        "{lines:#?}"
    );
}

#[test]
fn wrong_usage_is_told() {
    let ran = matrix(&["--only", "no-such-vendor"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.contains("there is no connector `no-such-vendor`"), "{ran:?}");
    let ran = matrix(&["--compare", "no-such-file.json"]);
    assert_eq!(ran.code, 2, "{ran:?}");
}
