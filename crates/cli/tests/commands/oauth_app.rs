//! `koine oauth-app`.

use serde_json::{Value, json};

use crate::{Ran, runner};

fn app(folder: &tempfile::TempDir, args: &[&str], stdin: &str) -> Ran {
    let data = folder.path().join("data");
    runner()
        .env("KOINE_DATA_DIR", data.to_str().unwrap())
        .env("KOINE_MASTER_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        .env("KOINE_PUBLIC_URL", "https://koine.example.com/gate/")
        .stdin(stdin)
        .run([&["oauth-app"], args, &["-o", "json"]].concat())
}

#[test]
fn a_secret_comes_from_a_pipe_and_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let set = ["set", "asana", "--client-id", "1201", "--secret-file", "-"];
    let ran = app(&folder, &set, "hunter2\n");
    assert_eq!(ran.code, 0, "{ran:?}");
    let shown: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(shown["redirect_uri"], "https://koine.example.com/gate/connect/asana/callback");
    let listed = app(&folder, &["list"], "");
    let rows: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!((&rows[0]["client_id"], &rows[0]["has_secret"]), (&json!("1201"), &json!(true)), "{rows}");
    assert!(!format!("{ran:?}{listed:?}").contains("hunter2"));
    assert_eq!(app(&folder, &["remove", "asana"], "").code, 0);
    assert_eq!(app(&folder, &["remove", "asana"], "").code, 3);
    assert_eq!(app(&folder, &["list"], "").stdout.trim(), "[]");
}

#[test]
fn what_cannot_be_an_app_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let fields = folder.path().join("fields.json");
    let fields = fields.to_str().unwrap();
    std::fs::write(fields, r#"{"no_such_field": "hunter2"}"#).unwrap();
    let broken = folder.path().join("broken.json");
    let broken = broken.to_str().unwrap();
    std::fs::write(broken, "hunter2").unwrap();
    for (args, stdin, words) in [
        (vec!["set", "nobody", "--client-id", "1"], "", "there is no connector `nobody`"),
        (vec!["set", "miro-scim", "--client-id", "1"], "", "not connected through OAuth apps"),
        (vec!["set", "asana", "--client-id", " "], "", "texts of one line"),
        (vec!["set", "asana", "--client-id", "1", "--secret-file", "-"], "hunter2\nx", "texts of one line"),
        (vec!["set", "asana", "--client-id", "1", "--secret-file", "/nonexistent"], "", "/nonexistent: "),
        (vec!["set", "asana", "--client-id", "1", "--fields-file", fields], "", "no credential field"),
        (vec!["set", "asana", "--client-id", "1", "--fields-file", broken], "", "not a JSON object"),
    ] {
        let ran = app(&folder, &args, stdin);
        assert!(ran.code != 0 && ran.stderr.contains(words), "{args:?}: {ran:?}");
        assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
    }
}
