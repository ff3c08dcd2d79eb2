//! The servers other people wrote do what the harness says about them; a new version that does not is seen here.
#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap as the tests do")]

use std::io::Write;

use koine_testkit::{LosingProxy, RealServer, http, python};
use serde_json::{Value, json};

async fn get(server: &RealServer, path: &str) -> (u16, Value) {
    let answer = server.call("GET", path, None).await.unwrap();
    (answer.status, answer.json().unwrap())
}

async fn status(server: &RealServer, method: &str, path: &str) -> u16 {
    server.call(method, path, None).await.unwrap().status
}

fn names(list: &Value, pointer: &str) -> Vec<String> {
    let name = |item: &Value| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    list.as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn okta_deactivates_then_deletes() {
    let okta = RealServer::okta_emulator().await;
    assert_eq!(http::get_json(&format!("{}/api/v1/users", okta.url()), &[]).await.unwrap().0, 401);
    let (_, users) = get(&okta, "/api/v1/users").await;
    assert_eq!(users.as_array().unwrap().len(), 5);
    let (_, groups) = get(&okta, "/api/v1/users/00uann/groups").await;
    assert_eq!(names(&groups, "/id"), ["00gops", "00gdev"]);

    assert_eq!(status(&okta, "DELETE", "/api/v1/users/00uann").await, 204);
    assert_eq!(get(&okta, "/api/v1/users/ann@acme.test").await.1["status"], "DEPROVISIONED");
    let (_, members) = get(&okta, "/api/v1/groups/00gops/users").await;
    assert_eq!(names(&members, "/id"), ["00uann"]);
    assert_eq!(status(&okta, "DELETE", "/api/v1/users/00uann").await, 204);
    assert_eq!(status(&okta, "DELETE", "/api/v1/users/00uann").await, 404);
    assert_eq!(get(&okta, "/api/v1/groups/00gops/users").await.1, json!([]));

    let page = okta.call("GET", "/api/v1/users?limit=1", None).await.unwrap();
    assert_eq!((page.json().unwrap().as_array().unwrap().len(), page.header("link")), (4, None));
    let page = okta.call("GET", "/api/v1/users?per_page=2", None).await.unwrap();
    assert!(page.header("link").unwrap().contains(r#"page=2>; rel="next""#));
}

#[tokio::test]
async fn github_removes_a_member_from_all_teams() {
    let github = RealServer::github_emulator().await;
    let (_, members) = get(&github, "/orgs/acme/members").await;
    assert_eq!(names(&members, "/login"), ["boss", "ann", "bob"]);
    let (_, teams) = get(&github, "/orgs/acme/teams").await;
    assert_eq!(names(&teams, "/slug"), ["owners", "members", "platform"]);
    let page = github.call("GET", "/orgs/acme/members?per_page=1", None).await.unwrap();
    let next = format!(r#"<{}/orgs/acme/members?per_page=1&page=2>; rel="next""#, github.url());
    assert!(page.header("link").unwrap().starts_with(&next));

    assert_eq!(status(&github, "DELETE", "/orgs/acme/members/ann").await, 204);
    assert_eq!(status(&github, "GET", "/orgs/acme/members/ann").await, 404);
    assert_eq!(get(&github, "/orgs/acme/teams/platform/members").await.1, json!([]));
    assert_eq!(status(&github, "DELETE", "/orgs/acme/members/ann").await, 204);
    assert_eq!(status(&github, "DELETE", "/orgs/acme/memberships/bob").await, 404);
    assert_eq!(status(&github, "DELETE", "/orgs/acme/members/nobody").await, 404);
}

#[tokio::test]
async fn scim_deletes_users_and_leaves_them_in_groups() {
    let scim = RealServer::scim2().await;
    let ann = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann"});
    let created = scim.call("POST", "/v2/Users", Some(&ann)).await.unwrap();
    assert_eq!(created.status, 201);
    let id = created.json().unwrap()["id"].as_str().unwrap().to_owned();
    let ops = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Ops",
                     "members": [{"value": id}]});
    let created = scim.call("POST", "/v2/Groups", Some(&ops)).await.unwrap();
    let group = format!("/v2/Groups/{}", created.json().unwrap()["id"].as_str().unwrap());

    let remove = |path: String| {
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
               "Operations": [{"op": "remove", "path": path}]})
    };
    let without_ann = remove(format!("members[value eq \"{id}\"]"));
    for _ in 0..2 {
        assert_eq!(scim.call("PATCH", &group, Some(&without_ann)).await.unwrap().status, 204);
        assert_eq!(get(&scim, &group).await.1.pointer("/members/0"), None);
    }
    let add = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                     "Operations": [{"op": "add", "path": "members", "value": [{"value": id}]}]});
    assert_eq!(scim.call("PATCH", &group, Some(&add)).await.unwrap().status, 204);
    assert_eq!(status(&scim, "DELETE", &format!("/v2/Users/{id}")).await, 204);
    assert_eq!(status(&scim, "DELETE", &format!("/v2/Users/{id}")).await, 404);
    assert_eq!(get(&scim, &group).await.1["members"][0]["value"], id.as_str());
}

#[tokio::test]
async fn an_answer_lost_in_front_of_okta_was_executed() {
    let okta = RealServer::okta_emulator().await;
    let proxy = LosingProxy::start(okta.url()).await.unwrap();
    proxy.lose_answer_of("DELETE", "/api/v1/users/", 1);
    let headers = [("Authorization", okta.authorization())];
    let target = format!("{}/api/v1/users/00ubob", proxy.url());
    http::request("DELETE", &target, &headers, b"").await.unwrap_err();
    assert_eq!(get(&okta, "/api/v1/users/00ubob").await.1["status"], "DEPROVISIONED");

    let page = http::request("GET", &format!("{}/api/v1/users?per_page=1", proxy.url()), &headers, b"").await;
    let link = page.unwrap().header("link").unwrap().to_owned();
    assert!(link.contains(&proxy.url()), "paging leads back through the proxy: {link}");
}

#[tokio::test]
async fn the_python_sdk_runs() {
    let mut script = tempfile::NamedTempFile::new().unwrap();
    writeln!(script, "import os, sys\nfrom truto_python_sdk import TrutoApi").unwrap();
    writeln!(script, "print(TrutoApi('t', sys.argv[1]).base_url, os.environ['SAY'])").unwrap();
    let output = python(script.path(), &["http://127.0.0.1:1"], &[("SAY", "hello")]).await.unwrap();
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(output.stdout, "http://127.0.0.1:1 hello\n");
}
