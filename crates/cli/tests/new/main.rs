//! `koine connector new`: what it drafts works, from nothing and from specifications.

use std::path::Path;

use koine_testkit::{Ran, Runner};

fn koine(args: &[&str]) -> Ran {
    Runner::new(env!("CARGO_BIN_EXE_koine")).run(args)
}

/// Compiles, replays, and is complete.
fn works(name: &str, folder: &str) {
    let checked = koine(&["connector", "check", folder]);
    assert_eq!(checked.code, 0, "{name}: {}", checked.stderr);
    let tested = koine(&["connector", "test", name, "--folder", folder]);
    assert_eq!(tested.code, 0, "{name}: {}\n{}", tested.stdout, tested.stderr);
}

#[test]
fn a_draft_from_nothing_works() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let drafted = koine(&["connector", "new", "acme-hr", "--folder", folder, "--label", "Acme HR: it's new"]);
    assert_eq!(drafted.code, 0, "{}", drafted.stderr);
    assert!(drafted.stdout.contains("koine connector test acme-hr"), "{}", drafted.stdout);
    works("acme-hr", folder);
    let shown = koine(&["connector", "test", "acme-hr", "--folder", folder, "-o", "json"]);
    assert!(shown.stdout.contains("delete.lost.yaml"), "{}", shown.stdout);
    let file = |name: &str| std::fs::read_to_string(Path::new(folder).join("acme-hr").join(name)).unwrap();
    assert!(file("connector.yaml").contains("label: 'Acme HR: it''s new'"));
    assert!(file("facts.yaml").contains("users.delete: recalled"), "nobody knows that yet");
}

/// An answer is blessed where what was sent is as the fixture says, and nowhere else.
#[test]
fn what_was_sent_is_not_blessed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    assert_eq!(koine(&["connector", "new", "acme", "--folder", path]).code, 0);
    let fixtures = folder.path().join("acme/fixtures/user-directory.users");
    let (kept, yaml) = (fixtures.join("get.one.json"), fixtures.join("get.one.yaml"));
    let expected = std::fs::read_to_string(&kept).unwrap();
    let bless = || koine(&["connector", "test", "acme", "--folder", path, "--bless"]);

    std::fs::remove_file(&kept).unwrap();
    let written = bless();
    assert_eq!((written.code, written.stderr.as_str()), (0, ""));
    let line = |ran: &Ran| ran.stdout.lines().find(|line| line.contains("get.one.yaml")).unwrap().to_owned();
    assert!(line(&written).contains("written"), "{}", written.stdout);
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), expected);

    let text = std::fs::read_to_string(&yaml).unwrap();
    let other = text.replacen("/users/", "/people/", 1);
    assert_ne!(other, text);
    std::fs::write(&yaml, other).unwrap();
    std::fs::remove_file(&kept).unwrap();
    let refused = bless();
    assert!(refused.code == 1 && refused.stderr.contains("the URL differs"), "{}", refused.stderr);
    assert!(line(&refused).contains("failed") && !kept.exists(), "{}", refused.stdout);
}

#[test]
fn what_cannot_be_drafted_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for name in ["", "Acme", "../acme", "a--b", "a/b", "-x"] {
        let refused = koine(&["connector", "new", "--folder", path, "--", name]);
        assert_eq!(refused.code, 2, "{name}: {}", refused.stderr);
    }
    let empty = folder.path().join("empty.json");
    std::fs::write(&empty, r#"{"openapi": "3.0.0", "info": {"title": "x", "version": "1"}, "paths": {}}"#)
        .unwrap();
    let nobody = koine(&["connector", "new", "acme", "--folder", path, "--openapi", empty.to_str().unwrap()]);
    assert!(nobody.code == 2 && nobody.stderr.contains("lists no people"), "{}", nobody.stderr);
    assert_eq!(koine(&["connector", "new", "acme", "--folder", path, "--openapi", "/nowhere.json"]).code, 2);
    assert!(!folder.path().join("acme").exists());
    assert_eq!(koine(&["connector", "new", "acme", "--folder", path]).code, 0);
    let again = koine(&["connector", "new", "acme", "--folder", path]);
    assert!(again.code == 2 && again.stderr.contains("exists"), "{}", again.stderr);
}

/// A made-up vendor with everything that makes a draft difficult.
#[test]
fn a_draft_from_a_specification_holds_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let specification = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/new/acme.yaml");
    let drafted = koine(&["connector", "new", "acme", "--folder", path, "--openapi", specification]);
    assert_eq!(drafted.code, 0, "{}", drafted.stderr);
    works("acme", path);
    let verified = koine(&["connector", "verify", "acme", "--folder", path, "--openapi", specification]);
    assert_eq!(verified.code, 0, "{}\n{}", verified.stdout, verified.stderr);
    let file = |name: &str| std::fs::read_to_string(folder.path().join("acme").join(name)).unwrap();
    let (connector, mapping) = (file("connector.yaml"), file("user-directory.yaml"));
    for wanted in [
        "base_url: https://api.acme.example/v2",
        "token_url: 'https://login.acme.example/token'",
        "cursor_path: 'data.meta.next_cursor', cursor_param: 'cursor', limit_param: 'per_page'",
        "path: '/orgs/{{query.org}}/members', response_path: '[items]'",
        "get: {method: GET, path: '/orgs/{{query.org}}/members/{{id}}', response_path: 'member'}",
    ] {
        assert!(connector.contains(wanted), "{wanted} is missing in\n{connector}");
    }
    for wanted in
        ["id: '$string(id)'", "first_name: 'profile.given_name'", "'org': {required: true}", "[0-9]{1,19}"]
    {
        assert!(mapping.contains(wanted), "{wanted} is missing in\n{mapping}");
    }
    assert!(file("facts.yaml").contains("users.delete: official-spec"));
}

#[test]
fn drafts_from_real_specifications_work() {
    let Some(specifications) = std::env::var_os("KOINE_VENDOR_SPECS") else {
        eprintln!("SKIPPED: KOINE_VENDOR_SPECS names no folder of vendors' specifications");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let mut drafted = Vec::new();
    for entry in std::fs::read_dir(specifications).unwrap() {
        let file = entry.unwrap().path();
        let name = format!("new-{}", file.file_stem().unwrap().to_str().unwrap());
        let ran = koine(&["connector", "new", &name, "--folder", path, "--openapi", file.to_str().unwrap()]);
        match ran.code {
            0 => drafted.push(name),
            _ => assert!(ran.stderr.contains("lists no people"), "{name}: {}", ran.stderr),
        }
    }
    assert!(drafted.len() >= 30, "{drafted:?}");
    drafted.iter().for_each(|name| works(name, path));
}
