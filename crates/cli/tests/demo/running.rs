//! The demo as a program: what it prints, how it ends, what it keeps.

use koine_testkit::{KoineProcess, http};
use serde_json::Value;

use crate::support::{BIN, Demo};

#[tokio::test]
async fn it_ends_cleanly_and_forgets() {
    for signal in ["TERM", "INT"] {
        let mut demo = Demo::start().await;
        let accounts = demo.facts["accounts"].as_object().unwrap();
        let mut names: Vec<_> = accounts.keys().map(String::as_str).collect();
        names.sort_unstable();
        for wanted in ["dropbox-sign", "github", "help-scout", "miro-scim", "okta"] {
            assert!(names.contains(&wanted), "{names:?}");
        }
        let kill = format!("kill -{signal} {}", demo.process.pid());
        assert!(tokio::process::Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
        assert!(demo.process.end().await.unwrap().success(), "{}", demo.process.stderr());
    }
}

#[tokio::test]
async fn with_data_it_remembers() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let first = Demo::start_with(&["--data", data], &[]).await;
    let id = first.id_of("okta", "user-directory/users", "ada@example.com").await;
    let removed = first.call("okta", "DELETE", &format!("user-directory/users/{id}"), &Value::Null).await;
    assert_eq!(removed.told(), (200, Some("removed")), "{removed:?}");

    let told = first.facts.clone();
    let second = first.again(&["--data", data]).await;
    assert_eq!(told["accounts"], second.facts["accounts"]);
    assert_ne!(told["token"], second.facts["token"]);
    let all = second.all("okta", "user-directory/users").await;
    assert!(all.iter().any(|record| record["id"] == id.as_str()), "the sandbox begins anew");
}

#[tokio::test]
async fn the_sandbox_tells_what_it_holds_and_begins_anew() {
    let demo = Demo::start().await;
    let (_, vendors) = koine_testkit::http::get_json(&demo.sandbox("/_sandbox/vendors"), &[]).await.unwrap();
    let okta = vendors.as_array().unwrap().iter().find(|vendor| vendor["name"] == "okta").unwrap();
    assert_eq!(okta["context"]["domain"], "acme.okta.com");
    assert!(okta["base_url"].as_str().unwrap().ends_with("/okta/api/v1"), "{okta}");

    let id = demo.id_of("okta", "user-directory/users", "ada@example.com").await;
    demo.call("okta", "DELETE", &format!("user-directory/users/{id}"), &Value::Null).await;
    assert_eq!(demo.state("okta", "users").await.len(), 249);
    let reset =
        koine_testkit::http::post_json(&demo.sandbox("/_sandbox/reset"), &[], &Value::Null).await.unwrap();
    assert_eq!(reset.0, 200);
    assert_eq!(demo.state("okta", "users").await.len(), 250);
    assert!(demo.seen("okta").await.is_empty());
    let wrong = serde_json::json!({"vendor": "okta", "kind": "flood"});
    let refused =
        koine_testkit::http::post_json(&demo.sandbox("/_sandbox/faults"), &[], &wrong).await.unwrap();
    assert!(refused.0 == 400 && refused.1["error"].as_str().unwrap().contains("stale_reads"), "{refused:?}");
}

/// What it tells a newcomer to type.
#[tokio::test]
async fn its_commands_do_what_they_say() {
    let mut process = KoineProcess::start(BIN, ["demo", "--port", "0", "--sandbox-port", "0"], &[]).unwrap();
    process.line("Ctrl-C").await;
    let text = process.stdout();
    let mut told = Vec::new();
    for command in text.split("curl ").skip(1) {
        let verb = command.split("-X ").nth(1).unwrap().split(' ').next().unwrap();
        let quoted: Vec<&str> = command.split('\'').collect();
        let (name, value) = quoted[1].split_once(": ").unwrap();
        let answer = http::request(verb, quoted[3], &[(name, value)], b"").await.unwrap();
        told.push((verb.to_owned(), answer.status, answer.header("koine-outcome").map(ToOwned::to_owned)));
    }
    let told: Vec<_> =
        told.iter().map(|(verb, status, outcome)| (verb.as_str(), *status, outcome.as_deref())).collect();
    assert_eq!(
        told,
        [("GET", 200, None), ("DELETE", 200, None), ("DELETE", 200, Some("removed")), ("GET", 404, None)],
        "{text}"
    );
}
