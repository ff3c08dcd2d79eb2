//! What becomes of a removal when the vendor or the network fails, on every kind of fault of the sandbox.

use serde_json::{Value, json};

use crate::support::Demo;

const PATH: &str = "user-directory/users";

/// The demo, and the id of a person at a SCIM service, whose removal is one DELETE.
async fn demo() -> (Demo, String) {
    let demo = Demo::start_with(&[], &[("KOINE_UPSTREAM_TIMEOUT", "2")]).await;
    let id = demo.id_of("miro-scim", PATH, "ada@example.com").await;
    (demo, id)
}

async fn is_there(demo: &Demo, id: &str) -> bool {
    demo.state("miro-scim", "users").await.iter().any(|user| user["id"] == id)
}

fn on_delete(kind: &str, more: &Value) -> Value {
    let mut fault =
        json!({"vendor": "miro-scim", "method": "DELETE", "path": "/api/v1/scim/Users", "kind": kind});
    fault.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fault
}

#[tokio::test]
async fn whatever_happens_to_the_answer_the_outcome_is_true() {
    // kind, more, deletions that the vendor executes or refuses
    let cases = [
        ("lose_answer", json!({}), 1),
        ("lose_request", json!({}), 1),
        ("never", json!({}), 1),
        ("truncated", json!({}), 1),
        ("slow", json!({"ms": 300}), 1),
        ("slow", json!({"ms": 4000}), 1),
        ("throttle", json!({}), 2),
        ("throttle_bare", json!({}), 2),
        ("status", json!({"status": 503}), 2),
        ("status_after", json!({"status": 500}), 1),
        ("html", json!({}), 2),
    ];
    for (kind, more, deletions) in cases {
        let (demo, id) = demo().await;
        demo.fault(&on_delete(kind, &more)).await;
        let done = demo.call("miro-scim", "DELETE", &format!("{PATH}/{id}"), &Value::Null).await;
        let there = is_there(&demo, &id).await;
        match kind {
            // A page of HTML with status 200 says nothing about the person; reading shows that nothing happened.
            "html" => {
                assert_ne!(done.told(), (200, Some("removed")), "{kind}: {done:?}");
                assert!(there);
            }
            _ => {
                assert_eq!(done.told(), (200, Some("removed")), "{kind}: {done:?}");
                assert!(!there, "{kind}");
                let reached = demo.reached("miro-scim", "DELETE", "/api/v1/scim/Users").await;
                assert_eq!(reached, deletions, "{kind}");
            }
        }
    }
}

#[tokio::test]
async fn a_vendor_that_stays_broken_is_reported_as_it_is() {
    for (kind, status, outcome) in [
        ("lose_request", 504, Some("uncertain")),
        ("status", 500, Some("refused")),
        ("throttle_bare", 429, Some("refused")),
    ] {
        let (demo, id) = demo().await;
        demo.fault(&on_delete(kind, &json!({"times": 99}))).await;
        let done = demo.call("miro-scim", "DELETE", &format!("{PATH}/{id}"), &Value::Null).await;
        assert_eq!(done.told(), (status, outcome), "{kind}: {done:?}");
        assert!(is_there(&demo, &id).await);
        assert!(demo.seen("miro-scim").await.len() < 30, "bounded");
    }
}

#[tokio::test]
async fn stale_reads_are_waited_for() {
    let (demo, id) = demo().await;
    demo.fault(&json!({"vendor": "miro-scim", "kind": "stale_reads", "path": "/api/v1/scim/Users/", "after": 1, "times": 2})).await;
    let done = demo.call("miro-scim", "DELETE", &format!("{PATH}/{id}"), &Value::Null).await;
    assert_eq!(done.told(), (200, Some("removed")), "{done:?}");

    let (demo, id) = self::demo().await;
    demo.fault(&json!({"vendor": "miro-scim", "kind": "stale_reads", "path": "/api/v1/scim/Users/", "after": 1, "times": 99})).await;
    let done = demo.call("miro-scim", "DELETE", &format!("{PATH}/{id}"), &Value::Null).await;
    assert_eq!(done.told(), (200, Some("pending")), "{done:?}");
    assert_eq!(
        demo.reached("miro-scim", "DELETE", "/").await,
        1,
        "not sent again on the word of a stale read"
    );
}

#[tokio::test]
async fn reads_survive_what_can_be_survived_and_name_the_rest() {
    let survivable = ["lose_answer", "lose_request", "throttle_bare", "status"];
    for kind in survivable {
        let demo = Demo::start().await;
        demo.fault(&json!({"vendor": "miro-scim", "kind": kind, "status": 503})).await;
        let page = demo.call("miro-scim", "GET", PATH, &Value::Null).await;
        assert_eq!(page.status, 200, "{kind}: {page:?}");
    }
    for kind in ["truncated", "wrong_json", "html", "huge", "never"] {
        let demo = Demo::start_with(&[], &[("KOINE_UPSTREAM_TIMEOUT", "2")]).await;
        demo.fault(&json!({"vendor": "miro-scim", "kind": kind, "times": 99})).await;
        let page = demo.call("miro-scim", "GET", PATH, &Value::Null).await;
        assert!((500..600).contains(&page.status), "{kind}: {page:?}");
        assert!(
            page.body["message"].as_str().is_some_and(|text| text.contains("Miro SCIM")),
            "{kind}: {page:?}"
        );
        assert!(!page.http.text().contains("sandbox-miro"), "no credential in an error");
    }
}

#[tokio::test]
async fn two_steps_with_a_lost_answer_at_either_end_in_one_deletion() {
    for (verb, path) in [("POST", "/api/v1/users/"), ("DELETE", "/api/v1/users/")] {
        for kind in ["lose_answer", "lose_request", "status_after"] {
            let demo = Demo::start().await;
            let id = demo.id_of("okta", PATH, "ada@example.com").await;
            demo.fault(&json!({"vendor": "okta", "method": verb, "path": path, "kind": kind})).await;
            let done = demo.call("okta", "DELETE", &format!("{PATH}/{id}"), &Value::Null).await;
            let there = demo.state("okta", "users").await.iter().any(|user| user["id"] == id.as_str());
            match done.told() {
                (200, Some("removed")) => assert!(!there),
                // a deactivation that never arrived may not be repeated blindly: it is not idempotent
                (504, Some("uncertain")) => {
                    assert!(there && verb == "POST" && kind == "lose_request", "{kind} {done:?}");
                }
                _ => panic!("{verb} {kind}: {done:?}"),
            }
            let deletions = demo.reached("okta", "DELETE", "/api/v1/users/").await;
            assert!(deletions <= 1, "{verb} {kind}: {deletions}");
        }
    }
}

#[tokio::test]
async fn an_expired_access_token_is_fetched_again_once() {
    let demo = Demo::start().await;
    let path = "ticketing/users/4001";
    assert_eq!(demo.call("help-scout", "GET", path, &Value::Null).await.status, 200);
    let expire = json!({"vendor": "help-scout"});
    koine_testkit::http::post_json(&demo.sandbox("/_sandbox/expire"), &[], &expire).await.unwrap();
    let removed = demo.call("help-scout", "DELETE", path, &Value::Null).await;
    assert_eq!(removed.told(), (200, Some("removed")), "{removed:?}");
    assert_eq!(demo.reached("help-scout", "POST", "/v2/oauth2/token").await, 2);
}

#[tokio::test]
pub(crate) async fn two_at_once_execute_once() {
    let (demo, id) = demo().await;
    demo.fault(&on_delete("slow", &json!({"ms": 500}))).await;
    let path = format!("{PATH}/{id}");
    let key = [("idempotency-key", "k1")];
    let (one, two) = tokio::join!(
        demo.call_with("miro-scim", "DELETE", &path, &Value::Null, &key),
        demo.call_with("miro-scim", "DELETE", &path, &Value::Null, &key),
    );
    assert_eq!((one.told(), two.told()), ((200, Some("removed")), (200, Some("removed"))));
    assert_eq!(one.body, two.body);
    assert_eq!(demo.reached("miro-scim", "DELETE", "/").await, 1);
    let other = demo.call_with("miro-scim", "DELETE", &format!("{PATH}/12"), &Value::Null, &key).await;
    assert_eq!(other.status, 404, "a key belongs to its path: {other:?}");
    let changed = demo
        .call_with("miro-scim", "DELETE", &format!("{path}?truto_response_format=raw"), &Value::Null, &key)
        .await;
    assert_eq!(changed.status, 409, "another request under the same key: {changed:?}");
}
