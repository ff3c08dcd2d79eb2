//! GitHub: members with Link headers, and out of a team.

use koine_testkit::{LosingProxy, RealServer};
use serde_json::{Value, json};

use crate::support::Gateway;

#[tokio::test]
async fn members_page_and_leave_a_team() {
    let github = RealServer::github_emulator().await;
    let gateway = Gateway::start("github", github.url(), &json!({"token": "github-token"})).await;
    let mut logins = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("users?organization_id=acme&limit=1&next_cursor={cursor}");
        let (status, _, page) = gateway.call("GET", &path, &Value::Null).await;
        assert_eq!((status, page["result_count"].as_u64()), (200, Some(1)), "{page}");
        logins.push(page["result"][0]["username"].as_str().unwrap().to_owned());
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    logins.sort();
    assert_eq!(logins, ["ann", "bob", "boss"]);

    let body = json!({"group_id": "platform", "user_id": "ann"});
    let (status, outcome, team) =
        gateway.call("POST", "groups/remove-user?organization_id=acme", &body).await;
    assert_eq!(
        (status, outcome.as_deref(), &team["name"]),
        (200, Some("removed"), &json!("Platform")),
        "{team}"
    );
    let membership = github.call("GET", "/orgs/acme/teams/platform/memberships/ann", None).await.unwrap();
    assert_eq!(membership.status, 404);
    assert_eq!(
        github.call("GET", "/orgs/acme/members/ann", None).await.unwrap().status,
        204,
        "still in the org"
    );
}

#[tokio::test]
async fn what_is_missing_or_hostile_is_refused_by_name() {
    let github = RealServer::github_emulator().await;
    let gateway = Gateway::start("github", github.url(), &json!({"token": "github-token"})).await;
    let (status, _, error) = gateway.call("DELETE", "users/ann", &Value::Null).await;
    assert_eq!(status, 400, "{error}");
    let missing = &error["truto_error_insight"]["missing_required_query_parameters"]["value"];
    assert_eq!(missing, &json!(["organization_id"]));
    for id in ["..%2f..", "a%3Fb", "a%23b", "a%0d%0ab", "%20"] {
        let path = format!("users/{id}?organization_id=acme");
        let (status, _, error) = gateway.call("DELETE", &path, &Value::Null).await;
        assert_eq!(status, 400, "{id}: {error}");
    }
    let (status, _, error) = gateway.call("GET", "users?organization_id=../user", &Value::Null).await;
    assert_eq!(status, 400, "{error}");
    let (status, _, error) = gateway.call("POST", "users/fire", &Value::Null).await;
    assert_eq!(status, 404, "{error}");
}

#[tokio::test]
async fn a_member_leaves_the_organization_even_when_the_answer_is_lost() {
    let github = RealServer::github_emulator().await;
    let proxy = LosingProxy::start(github.url()).await.unwrap();
    proxy.lose_answer_of("DELETE", "/orgs/acme/members/bob", 1);
    let gateway = Gateway::start("github", &proxy.url(), &json!({"token": "github-token"})).await;
    for login in ["ann", "bob"] {
        let path = format!("users/{login}?organization_id=acme");
        let (status, outcome, record) = gateway.call("DELETE", &path, &Value::Null).await;
        assert_eq!((status, outcome.as_deref()), (200, Some("removed")), "{record}");
        assert_eq!(record["username"], json!(login), "{record}");
        let member = github.call("GET", &format!("/orgs/acme/members/{login}"), None).await.unwrap();
        assert_eq!(member.status, 404);
        assert_eq!(proxy.reached_server("DELETE", &format!("/orgs/acme/members/{login}")), 1);
    }
    let (status, outcome, again) =
        gateway.call("DELETE", "users/ann?organization_id=acme", &Value::Null).await;
    assert_eq!((status, outcome.as_deref()), (200, Some("already_gone")), "{again}");
}
