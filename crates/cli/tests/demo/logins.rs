//! Token endpoints that are silent, broken, slow to trust or elsewhere: what becomes of calls, through public doors.

use koine_connector::keypair::KeyPair;
use serde_json::{Value, json};

use crate::support::Demo;

const GOOGLE: &str = "google-workspace";
const TOKEN: &str = "/admin/directory/v1/oauth2/token";
const USERS: &str = "user-directory/users";

async fn demo() -> Demo {
    Demo::start_with(&[], &[("KOINE_UPSTREAM_TIMEOUT", "1")]).await
}

fn at_login(kind: &str, more: &Value) -> Value {
    let mut fault = json!({"vendor": GOOGLE, "method": "POST", "path": TOKEN, "kind": kind});
    fault.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fault
}

async fn expire(demo: &Demo) {
    let vendor = json!({"vendor": GOOGLE});
    koine_testkit::http::post_json(&demo.sandbox("/_sandbox/expire"), &[], &vendor).await.unwrap();
}

/// The call that removes, by a person's id.
fn removal(id: &str) -> String {
    format!("{USERS}/{id}?product=workspace")
}

#[tokio::test]
async fn nothing_is_asked_without_a_token() {
    let cases = [
        ("never", json!({}), 502, "no access token"),
        ("lose_answer", json!({}), 502, "no access token"),
        ("status", json!({"status": 503}), 502, "no access token"),
        ("html", json!({}), 502, "not JSON"),
        ("wrong_json", json!({}), 502, "not JSON"),
        ("status", json!({"status": 429}), 429, "did not accept the login"),
        ("status", json!({"status": 400}), 401, "did not accept the login"),
    ];
    let demo = demo().await;
    let id = demo.state(GOOGLE, "users").await[0]["id"].as_str().unwrap().to_owned();
    for (kind, mut more, status, words) in cases {
        koine_testkit::http::post_json(&demo.sandbox("/_sandbox/reset"), &[], &json!({})).await.unwrap();
        more["times"] = json!(99);
        demo.fault(&at_login(kind, &more)).await;
        // Reads wait for an endpoint in the same way, and waiting takes its time: once is enough.
        let mut answers = vec![demo.call(GOOGLE, "DELETE", &removal(&id), &Value::Null).await];
        assert_eq!(answers[0].told(), (status, Some("refused")), "{kind} {more}: {answers:?}");
        if status == 401 {
            answers.push(demo.call(GOOGLE, "GET", USERS, &Value::Null).await);
            assert_eq!(answers[1].told(), (status, None), "{kind} {more}: {answers:?}");
        }
        for answer in answers {
            assert!(answer.body["message"].as_str().unwrap().contains(words), "{kind} {more}: {answer:?}");
            assert!(!answer.http.text().contains("PRIVATE KEY"), "no credential in an error");
        }
        let seen = demo.seen(GOOGLE).await;
        assert!(seen.iter().all(|entry| entry["path"] == TOKEN), "only the token was asked for: {seen:?}");
        assert!(seen.len() <= 8, "bounded: {} requests", seen.len());
    }
}

#[tokio::test]
async fn a_login_that_recovers_is_waited_for() {
    for (kind, more) in [
        ("lose_answer", json!({})),
        ("status", json!({"status": 503})),
        ("status", json!({"status": 429})),
        ("html", json!({})),
    ] {
        let demo = demo().await;
        demo.fault(&at_login(kind, &more)).await;
        let listed = demo.call(GOOGLE, "GET", USERS, &Value::Null).await;
        assert_eq!(listed.status, 200, "{kind}: {listed:?}");
    }
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_of_a_removal() {
    // Requests of the removal that still find the token good: none, the first read, the deletion too.
    for good in 0..3 {
        let demo = demo().await;
        let id = demo.id_of(GOOGLE, USERS, "ada@example.com").await;
        let refused = json!({"vendor": GOOGLE, "path": "/admin/directory/v1/users/", "kind": "status", "status": 401, "after": good});
        demo.fault(&refused).await;
        let done = demo.call(GOOGLE, "DELETE", &removal(&id), &Value::Null).await;
        assert_eq!(done.told(), (200, Some("removed")), "{good}: {done:?}");
        assert_eq!(demo.reached(GOOGLE, "POST", TOKEN).await, 2, "one more login");
    }
}

#[tokio::test]
async fn a_token_that_ends_and_cannot_be_renewed() {
    let demo = demo().await;
    let id = demo.id_of(GOOGLE, USERS, "ada@example.com").await;
    let refused = json!({"vendor": GOOGLE, "method": "DELETE", "path": "/admin/directory/v1/users/", "kind": "status", "status": 401, "times": 99});
    demo.fault(&refused).await;
    demo.fault(&at_login("never", &json!({"times": 99}))).await;
    let done = demo.call(GOOGLE, "DELETE", &removal(&id), &Value::Null).await;
    assert_eq!(done.told(), (502, Some("refused")), "nothing was done, and that is certain: {done:?}");
    let users = demo.state(GOOGLE, "users").await;
    assert!(users.iter().any(|user| user["id"] == id.as_str()));
}

#[tokio::test]
async fn a_deletion_whose_answer_is_lost_is_read_back_with_a_new_token() {
    let demo = demo().await;
    let id = demo.id_of(GOOGLE, USERS, "ada@example.com").await;
    demo.fault(&json!({"vendor": GOOGLE, "method": "DELETE", "path": "/admin/directory/v1/users/", "kind": "lose_answer"})).await;
    demo.fault(&json!({"vendor": GOOGLE, "method": "GET", "path": "/admin/directory/v1/users/", "kind": "status", "status": 401, "after": 1})).await;
    let done = demo.call(GOOGLE, "DELETE", &removal(&id), &Value::Null).await;
    assert_eq!(done.told(), (200, Some("removed")), "{done:?}");
    expire(&demo).await;
    let again = demo.call(GOOGLE, "DELETE", &removal(&id), &Value::Null).await;
    assert_eq!(again.told(), (200, Some("already_gone")), "{again:?}");
    assert_eq!(demo.reached(GOOGLE, "DELETE", "/admin/directory/v1/users/").await, 1, "never again");
}

/// Connects an account with these credential fields, and lists its users.
async fn list_with(demo: &Demo, method: &str, context: &Value) -> (u16, String) {
    let new = json!({"tenant_id": "acme", "connector": GOOGLE, "authentication_method": method, "context": context});
    let json = [("content-type", "application/json")];
    let account = demo.send("POST", "/integrated-account", new.to_string().as_bytes(), &json).await;
    assert_eq!(account.status, 200, "{account:?}");
    let path =
        format!("/unified/{USERS}?limit=1&integrated_account_id={}", account.body["id"].as_str().unwrap());
    let listed = demo.send("GET", &path, b"", &[]).await;
    (listed.status, listed.http.text())
}

#[tokio::test]
async fn wrong_assertions_are_refused_in_words() {
    let demo = demo().await;
    let (_, vendors) = koine_testkit::http::get_json(&demo.sandbox("/_sandbox/vendors"), &[]).await.unwrap();
    let own = vendors.as_array().unwrap().iter().find(|vendor| vendor["name"] == GOOGLE).unwrap();
    assert_eq!(list_with(&demo, "service_account", &own["context"]).await.0, 200);
    let foreign = KeyPair::generate();
    let written_out = own["context"]["private_key"].as_str().unwrap().replace('\n', "\\n");
    let cases = [
        (json!({"private_key": written_out}), 200, ""),
        (json!({"private_key_id": ""}), 200, ""),
        (json!({"private_key_id": null}), 200, ""),
        (json!({"private_key": foreign.private_pem()}), 401, "Invalid JWT Signature"),
        (json!({"private_key_id": "another"}), 401, "Invalid JWT Signature"),
        (json!({"client_email": "someone@sandbox.iam.gserviceaccount.com"}), 401, "account not found"),
        (json!({"admin_email": "nobody@example.com"}), 401, "Invalid email or User ID"),
        (json!({"admin_email": "ada@example.com"}), 403, "Not Authorized to access this resource/api"),
        (json!({"customer_id": "C0another1"}), 400, "Bad Request"),
    ];
    for (change, status, words) in cases {
        let mut context = own["context"].clone();
        context.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        context.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let (told, text) = list_with(&demo, "service_account", &context).await;
        assert_eq!(told, status, "{change}: {text}");
        assert!(text.contains(words), "{change}: {text}");
        assert!(!text.contains("PRIVATE KEY"), "{change}");
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_at_once() {
    let demo = demo().await;
    let whole = KeyPair::generate().private_pem().to_owned();
    let cut = whole.replace("-----END PRIVATE KEY-----\n", "");
    let public = whole.replace("PRIVATE", "PUBLIC");
    for key in ["no key", "", &cut, &public, &format!("{whole}x"), &format!("{whole}\u{1}")] {
        let context =
            json!({"client_email": "me@example.com", "admin_email": "admin@example.com", "private_key": key});
        let new = json!({"tenant_id": "acme", "connector": GOOGLE, "context": context}).to_string();
        let account = demo.send("POST", "/integrated-account", new.as_bytes(), &[]).await;
        assert_eq!(account.status, 400, "{key}: {account:?}");
        assert!(account.body["message"].as_str().unwrap().contains("private_key"), "{account:?}");
        assert!(!account.http.text().contains("BEGIN"), "{account:?}");
    }
}

#[tokio::test]
async fn the_consent_of_an_administrator_does_as_well() {
    let demo = demo().await;
    let context = json!({
        "client_id": "sandbox.apps.googleusercontent.com", "client_secret": "sandbox-google", "refresh_token": "1//sandbox-google",
    });
    assert_eq!(list_with(&demo, "oauth2", &context).await.0, 200);
    let mut revoked = context.clone();
    revoked["refresh_token"] = json!("1//revoked");
    let (status, text) = list_with(&demo, "oauth2", &revoked).await;
    assert_eq!(status, 401, "{text}");
    assert!(text.contains("Token has been expired or revoked") && !text.contains("1//revoked"), "{text}");
}

#[tokio::test]
async fn a_demo_that_is_opened_again_has_keys_that_fit() {
    let folder = tempfile::tempdir().unwrap();
    let data = ["--data", folder.path().to_str().unwrap()];
    let first = Demo::start_with(&data, &[]).await;
    let account = first.account(GOOGLE).to_owned();
    assert_eq!(first.call(GOOGLE, "GET", USERS, &Value::Null).await.status, 200);
    let second = first.again(&data).await;
    assert_eq!(second.account(GOOGLE), account);
    let listed = second.call(GOOGLE, "GET", USERS, &Value::Null).await;
    assert_eq!(listed.status, 200, "{listed:?}");
}
