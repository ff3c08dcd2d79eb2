//! What methods take and give, as programs read it.

use koine_connector::Connector;
use koine_connector::catalogue::Catalogue;
use serde_json::Value;

use crate::support::{Answer, Demo};

async fn get(demo: &Demo, path: &str) -> Answer {
    demo.send("GET", path, b"", &[]).await
}

fn keys(schema: &Value) -> Vec<&str> {
    schema["properties"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_method_by_account() {
    let demo = Demo::start().await;
    let path = "user-directory/users/meta/deactivate";
    let meta = demo.call("okta", "GET", path, &Value::Null).await;
    assert_eq!(meta.status, 200, "{meta:?}");
    assert_eq!(meta.body["method"], "deactivate");
    assert_eq!(meta.body["request_body_schema"]["required"], serde_json::json!(["user_id"]));
    let pattern = meta.body["request_body_schema"]["properties"]["user_id"]["pattern"].as_str().unwrap();
    assert!(pattern.starts_with("^(?:") && pattern.ends_with(")$"), "{pattern}");
    let (all, filled) = (keys(&meta.body["schema"]), keys(&meta.body["response_schema"]));
    assert!(
        filled.iter().all(|field| all.contains(field)) && filled.len() < all.len(),
        "{filled:?} of {all:?}"
    );
    assert!(filled.contains(&"emails") && !filled.contains(&"bio"), "{filled:?}");
    assert!(
        meta.body["response_mapping"].as_str().unwrap().contains("\"status_changed_at\": (statusChanged)")
    );
    assert!(demo.seen("okta").await.is_empty(), "a description asks no vendor");
}

#[tokio::test]
async fn every_method_of_every_connector() {
    let demo = Demo::start().await;
    let catalogue = Catalogue::embedded().unwrap_or_else(|problems| panic!("{problems}"));
    for connector in catalogue.connectors() {
        for (model, resource, method) in methods(connector) {
            let path = format!("/unified/{model}/{resource}/{}/meta/{method}", connector.name);
            let meta = get(&demo, &path).await;
            assert_eq!(meta.status, 200, "{path}: {meta:?}");
            for key in ["schema", "response_schema", "query_schema", "request_body_schema"] {
                assert_eq!(meta.body[key]["type"], "object", "{path}: {key}");
            }
            assert!(keys(&meta.body["response_schema"]).contains(&"id"), "{path}");
        }
        for model in connector.models.keys() {
            let path = format!("/unified/meta/{model}/{}", connector.name);
            let meta = get(&demo, &path).await;
            let instructions = meta.body["instructions"].as_str().unwrap();
            assert!(instructions.starts_with("# ") && instructions.len() > 100, "{path}: {instructions}");
            let needs = ["pricing_plan", "user_role", "scopes"].map(|key| meta.body[key].as_array().unwrap());
            assert!(needs.iter().any(|list| !list.is_empty()), "{path} says nothing of plan, role or scope");
        }
    }
}

fn methods(connector: &Connector) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for (model, resources) in &connector.models {
        for (resource, meaning) in resources {
            let public = meaning.methods.keys().filter(|method| *method != "find");
            all.extend(public.map(|method| (model.clone(), resource.clone(), method.clone())));
        }
    }
    all
}

#[tokio::test]
async fn a_connector_without_an_account() {
    let demo = Demo::start().await;
    let meta = get(&demo, "/unified/user_directory/users/github/meta/delete").await;
    assert_eq!(meta.body["query_schema"]["required"], serde_json::json!(["organization_id"]), "{meta:?}");
    let needs = get(&demo, "/unified/meta/user-directory/github").await;
    assert_eq!(needs.body["user_role"], serde_json::json!(["owner of the organization"]));
    let markdown = get(&demo, "/unified/meta/user-directory/github?format=md").await;
    assert_eq!(markdown.http.header("content-type"), Some("text/markdown; charset=utf-8"));
    assert_eq!(needs.body["instructions"], markdown.http.text());
    let html = get(&demo, "/unified/meta/user-directory/github?format=html").await;
    assert!(html.http.text().starts_with("<h1>Connecting GitHub</h1>"), "{}", html.http.text());
    assert_eq!(html.http.header("content-security-policy"), Some("sandbox"));
}

#[tokio::test]
async fn what_does_not_exist() {
    let demo = Demo::start().await;
    let other = demo.account("okta");
    let mismatch = format!("/unified/user-directory/users/github/meta/delete?integrated_account_id={other}");
    for (status, path) in [
        (400, "/unified/user-directory/users/meta/delete"),
        (400, "/unified/user-directory/users/meta/delete?integrated_account_id=nobody"),
        (400, mismatch.as_str()),
        (400, "/unified/meta/user-directory/okta?format=pdf"),
        (404, "/unified/user-directory/users/atlantis/meta/delete"),
        (404, "/unified/user-directory/users/okta/meta/fire"),
        (404, "/unified/user-directory/users/okta/meta/find"),
        (404, "/unified/user-directory/wizards/okta/meta/delete"),
        (404, "/unified/crm/users/okta/meta/delete"),
        (404, "/unified/ticketing/users/okta/meta/delete"),
        (404, "/unified/meta/ticketing/okta"),
        (404, "/unified/meta/user-directory/atlantis"),
        (404, "/unified/user-directory/users/help-scout/meta/deactivate"),
    ] {
        let answer = get(&demo, path).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert!(answer.body["message"].is_string(), "{path}: {answer:?}");
    }
    let url = format!("{}/unified/user-directory/users/okta/meta/delete", demo.url());
    assert_eq!(koine_testkit::http::request("GET", &url, &[], b"").await.unwrap().status, 401);
}
