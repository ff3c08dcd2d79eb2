//! A vendor with two kinds of user whose ids overlap, two APIs, and two ways to sign in.

use koine_testkit::http;
use serde_json::{Value, json};

use crate::support::{Answer, Demo};

const USERS: &str = "user-directory/users";

/// All that the vendor holds of one kind.
async fn held(demo: &Demo, kind: &str) -> Vec<Value> {
    let collection = if kind == "admin" { "accounts" } else { "users" };
    demo.state("jamf", collection).await
}

fn other(kind: &str) -> &'static str {
    if kind == "admin" { "end_user" } else { "admin" }
}

#[tokio::test]
async fn the_wrong_kind_is_never_touched() {
    let demo = Demo::start().await;
    for (kind, id) in [("end_user", "5"), ("admin", "6")] {
        let untouched = held(&demo, other(kind)).await;
        let before = held(&demo, kind).await;
        let one = before.iter().find(|one| one["id"] == id).unwrap().clone();
        let path = format!("{USERS}/{id}?user_type={kind}");

        // the address of the one who has the same id among the others
        let wrong = untouched.iter().find(|one| one["id"] == id).unwrap()["email"].as_str().unwrap();
        let refused = demo.call("jamf", "DELETE", &format!("{path}&emails={wrong}"), &Value::Null).await;
        assert_eq!(refused.told(), (409, Some("refused")), "{refused:?}");
        assert_eq!(held(&demo, kind).await, before);

        let removed = demo.call("jamf", "DELETE", &path, &Value::Null).await;
        assert_eq!(removed.told(), (200, Some("removed")), "{removed:?}");
        assert_eq!(removed.body["username"], one["username"]);
        assert_eq!(removed.body["user_type"], kind);
        assert_eq!(held(&demo, kind).await.len(), before.len() - 1);
        assert_eq!(held(&demo, other(kind)).await, untouched, "{kind}");
    }
}

#[tokio::test]
async fn without_the_kind_nothing_is_sent() {
    let demo = Demo::start().await;
    let nothing = Value::Null;
    let person = json!({"user_id": "5"});
    let member = json!({"group_id": "1", "user_id": "5"});
    for query in ["", "?user_type=", "?user_type=user", "?user_type=ADMIN"] {
        for (verb, path, body) in [
            ("GET", USERS.to_owned(), &nothing),
            ("GET", format!("{USERS}/5"), &nothing),
            ("DELETE", format!("{USERS}/5"), &nothing),
            ("POST", format!("{USERS}/deactivate"), &person),
            ("POST", "user-directory/groups/remove-user".to_owned(), &member),
        ] {
            let answer = demo.call("jamf", verb, &format!("{path}{query}"), body).await;
            assert_eq!(answer.status, 400, "{verb} {path}{query}: {answer:?}");
        }
    }
    let inventory = format!("{USERS}/deactivate?user_type=end_user");
    assert_eq!(demo.call("jamf", "POST", &inventory, &person).await.status, 400);
    assert!(demo.seen("jamf").await.is_empty());
}

#[tokio::test]
async fn what_happened_to_one_kind_is_no_evidence_about_the_other() {
    let demo = Demo::start().await;
    let call = async |kind: &str| {
        demo.call("jamf", "DELETE", &format!("{USERS}/240?user_type={kind}"), &Value::Null).await
    };
    assert_eq!(call("end_user").await.told(), (200, Some("removed")));
    assert_eq!(call("end_user").await.told(), (200, Some("already_gone")));
    assert_eq!(call("admin").await.told(), (404, None), "there never was an account 240");
}

#[tokio::test]
async fn an_account_is_disabled_in_xml_and_its_namesake_is_not() {
    let demo = Demo::start().await;
    let people = held(&demo, "end_user").await;
    let path = format!("{USERS}/deactivate?user_type=admin");
    for outcome in ["deactivated", "already_gone"] {
        let done = demo.call("jamf", "POST", &path, &json!({"user_id": "7"})).await;
        assert_eq!(done.told(), (200, Some(outcome)), "{done:?}");
    }
    let accounts = held(&demo, "admin").await;
    assert_eq!(accounts.iter().find(|one| one["id"] == "7").unwrap()["accountStatus"], "Disabled");
    assert_eq!(held(&demo, "end_user").await, people);
}

/// Connects the vendor once more and gives the account's id.
async fn connected(demo: &Demo, method: &str, context: &Value) -> String {
    let new = json!({"tenant_id": "second", "connector": "jamf", "authentication_method": method, "context": context});
    let made = demo.send("POST", "/integrated-account", new.to_string().as_bytes(), &[]).await;
    assert_eq!(made.status, 200, "{made:?}");
    made.body["id"].as_str().unwrap().to_owned()
}

async fn by(demo: &Demo, account: &str, verb: &str, path: &str) -> Answer {
    demo.send(verb, &format!("/unified/{path}&integrated_account_id={account}"), b"", &[]).await
}

#[tokio::test]
async fn a_session_serves_both_apis_and_is_renewed() {
    let demo = Demo::start().await;
    let context =
        json!({"instance_host": "jamf.example.com:8443", "username": "koine", "password": "sandbox-jamf"});
    let account = connected(&demo, "session_login", &context).await;
    let logins = async || demo.reached("jamf", "POST", "/api/v1/auth/token").await;
    for path in [format!("{USERS}?user_type=admin"), "user-directory/groups?user_type=admin".to_owned()] {
        assert_eq!(by(&demo, &account, "GET", &path).await.status, 200);
    }
    assert_eq!(logins().await, 1, "one session for both APIs");
    let expire = demo.sandbox("/_sandbox/expire");
    http::post_json(&expire, &[], &json!({"vendor": "jamf"})).await.unwrap();
    let removed = by(&demo, &account, "DELETE", &format!("{USERS}/9?user_type=admin")).await;
    assert_eq!(removed.told(), (200, Some("removed")), "{removed:?}");
    assert_eq!(logins().await, 2);

    let own = by(&demo, &account, "DELETE", &format!("{USERS}/1?user_type=admin")).await;
    assert_eq!(own.told(), (409, Some("refused")), "the account that signs in: {own:?}");
    assert_eq!(held(&demo, "admin").await[0]["username"], "koine");

    let mut wrong = context.clone();
    wrong["password"] = json!("made-up");
    let account = connected(&demo, "session_login", &wrong).await;
    let refused = by(&demo, &account, "GET", &format!("{USERS}?user_type=admin")).await;
    assert_eq!(refused.status, 401, "{refused:?}");
    assert!(!refused.http.text().contains("made-up"));
}

#[tokio::test]
async fn an_older_server_is_served_in_xml() {
    let demo = Demo::start().await;
    let context = json!({"instance_host": "jamf.example.com", "client_id": "sandbox-client", "client_secret": "sandbox-jamf", "api": "classic"});
    let account = connected(&demo, "oauth2_client_credentials", &context).await;
    for kind in ["end_user", "admin"] {
        let list = by(&demo, &account, "GET", &format!("{USERS}?user_type={kind}")).await;
        assert_eq!(list.body["is_partial_response"], true, "{list:?}");
        let untouched = held(&demo, other(kind)).await;
        let path = format!("{USERS}/4?user_type={kind}");
        for told in [(200, Some("removed")), (200, Some("already_gone"))] {
            assert_eq!(by(&demo, &account, "DELETE", &path).await.told(), told);
        }
        assert_eq!(held(&demo, other(kind)).await, untouched);
    }
    let by_email = |kind: &str| format!("{USERS}/-?user_type={kind}&emails=ada@example.com");
    let unknown = by(&demo, &account, "DELETE", &by_email("admin")).await;
    assert_eq!(unknown.told(), (409, Some("refused")), "{unknown:?}");
    let removed = by(&demo, &account, "DELETE", &by_email("end_user")).await;
    assert_eq!(removed.told(), (200, Some("removed")), "{removed:?}");
    assert_eq!(demo.reached("jamf", "GET", "/api/v1/users").await, 0);
}
