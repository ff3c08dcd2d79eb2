//! Links for customers: who has one must not get what whoever made it knows.

use koine_testkit::{Peer, Visitor};
use serde_json::{Value, json};

use crate::support::{CANARY, Stand, vendor};

impl Stand {
    pub(crate) async fn link(&self, body: &Value) -> String {
        let made = self.send("POST", "/link-token", body).await;
        assert_eq!(made.status, 200, "{}", made.text());
        made.json().unwrap()["link_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn visitor(&self, body: &Value, connector: &str) -> Visitor {
        let token = self.link(body).await;
        Visitor::open(self.gateway.url(), &token, &format!("&integration={connector}")).await
    }

    pub(crate) async fn accounts(&self) -> Vec<Value> {
        let all = self.send("GET", "/integrated-account", &Value::Null).await;
        all.json().unwrap()["result"].as_array().unwrap().clone()
    }
}

async fn at(peer: &Peer, stand: &Stand, context: Value) -> Visitor {
    let mut visitor = stand.visitor(&json!({"tenant_id": "acme", "context": context}), "mirror").await;
    assert!(!visitor.sees("field-token"), "the link says it: {}", visitor.page.text());
    visitor.fill(&[("host", &peer.authority()), ("token", "typed"), ("workspace", "home")]).await;
    visitor
}

#[tokio::test]
async fn a_secret_of_the_link_goes_to_no_host_that_the_customer_names() {
    let stand = Stand::start("127.0.0.0/8", &[]).await;
    let (evil, own) = (vendor(json!({"items": []})).await, vendor(json!({"items": []})).await);
    let visitor = at(&evil, &stand, json!({"token": CANARY})).await;
    assert_eq!(visitor.page.status, 422, "{}", visitor.page.text());
    assert!(!visitor.sees("field-host") && visitor.sees("does not say a host"), "{}", visitor.page.text());
    assert!(stand.accounts().await.is_empty(), "nothing was saved");

    let visitor = at(&evil, &stand, json!({"token": CANARY, "host": own.authority()})).await;
    assert!(visitor.sees("Mirror is connected"), "{}", visitor.page.text());
    assert!(own.seen().iter().all(|request| request.contains("canary")) && !own.seen().is_empty());
    assert_eq!(evil.connections(), 0);

    // The account's own host was typed by a customer too.
    let typed = stand.account("mirror", "token", &json!({"host": evil.authority(), "token": "theirs"})).await;
    let again = json!({"integrated_account_id": typed, "persist_previous_context": true, "context": {"token": CANARY}});
    let mut visitor = stand.visitor(&again, "mirror").await;
    visitor.fill(&[]).await;
    assert_eq!(visitor.page.status, 422, "{}", visitor.page.text());
    assert_eq!(evil.connections(), 0);
}

#[tokio::test]
async fn a_link_that_was_used_opens_nothing_on_any_node() {
    let stand = Stand::start("127.0.0.0/8", &[]).await;
    let peer = vendor(json!({"items": []})).await;
    let token = stand.link(&json!({"tenant_id": "acme"})).await;
    let mut visitor = Visitor::open(stand.gateway.url(), &token, "&integration=mirror").await;
    visitor.fill(&[("host", &peer.authority()), ("token", CANARY)]).await;
    assert!(visitor.sees("Mirror is connected"), "{}", visitor.page.text());
    let beside = stand.gateway.beside().await;
    for origin in [stand.gateway.url(), beside.url()] {
        let url = format!("{origin}/connect-account?link_token={token}");
        let again = koine_testkit::http::request("GET", &url, &[], b"").await.unwrap();
        assert_eq!((again.status, again.header("set-cookie")), (410, None), "{origin}");
        visitor.origin = origin.to_owned();
        visitor.go(&visitor.here.clone()).await;
        assert!(visitor.sees("Mirror is connected") && !visitor.sees("<form"), "the same visit sees its end");
    }
    assert_eq!(stand.accounts().await.len(), 1);
}
