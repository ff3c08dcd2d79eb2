//! The demo as a program: what it prints, how it ends, what it keeps.

use serde_json::Value;

use crate::support::Demo;

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
    let mut first = Demo::start_with(&["--data", data], &[]).await;
    let id = first.id_of("okta", "user-directory/users", "ada@example.com").await;
    let removed = first.call("okta", "DELETE", &format!("user-directory/users/{id}"), &Value::Null).await;
    assert_eq!(removed.told(), (200, Some("removed")), "{removed:?}");
    first.process.terminate().await.unwrap();

    let second = Demo::start_with(&["--data", data], &[]).await;
    assert_eq!(first.facts["accounts"], second.facts["accounts"]);
    assert_ne!(first.token(), second.token());
    let all = second.all("okta", "user-directory/users").await;
    assert!(all.iter().any(|record| record["id"] == id.as_str()), "the sandbox begins anew");
}
