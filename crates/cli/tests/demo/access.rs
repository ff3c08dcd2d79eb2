//! Who may call what: every line of the table of routes, on a running server, with every kind of token.
//!
//! A route whose path holds an id is tried with one that exists: whoever adds such a route adds its object to
//! [`Setting::object`].

use std::sync::Arc;

use koine_server::{About, Needs, Route, routes};
use koine_store::{Actor, MasterKey, NewToken, NewWebhook, Store, Vault};
use koine_testkit::http;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::Demo;

/// An id that nothing has.
const MADE_UP: &str = "01a00000-0000-7000-8000-000000000000";

/// A demo with the store beside it, and an environment elsewhere.
pub(crate) struct Setting {
    pub demo: Demo,
    pub store: Arc<dyn Store>,
    pub home: Uuid,
    elsewhere: Uuid,
    /// A token of home.
    known_token: Uuid,
    webhook: Uuid,
    _data: TempDir,
}

impl Setting {
    pub(crate) async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let demo = Demo::start_with(&["--data", data.path().to_str().unwrap()], &[]).await;
        let key = std::fs::read_to_string(data.path().join("master.key")).unwrap();
        let file = || format!("sqlite://{}/koine.db", data.path().display());
        let url = demo.database_url().unwrap_or_else(file);
        let vault = Vault::new(MasterKey::from_base64(&key).unwrap());
        let store = koine_store::open(&url, vault).await.unwrap();
        let home = store.find_environment("default").await.unwrap().unwrap().id;
        let elsewhere = store.create_environment("elsewhere").await.unwrap().id;
        let known_token = store.list_tokens(Some(home)).await.unwrap()[0].id;
        let webhook = NewWebhook {
            environment_id: home,
            target_url: "https://receiver.example.com/".to_owned(),
            event_types: Some(Vec::new()),
            is_active: true,
        };
        let webhook = store.create_webhook(webhook, &Actor::operator()).await.unwrap().0.id;
        Self { demo, store, home, elsewhere, known_token, webhook, _data: data }
    }

    /// The secret of a new token of this kind.
    pub(crate) async fn token(&self, change: impl FnOnce(&mut NewToken)) -> String {
        let mut new = NewToken {
            environment_id: self.home,
            name: "test".to_owned(),
            account_ids: None,
            read_only: false,
            administrator: false,
            expires_at: None,
        };
        change(&mut new);
        self.store.create_token(new).await.unwrap().1
    }

    fn account(&self, connector: &str) -> Uuid {
        self.demo.account(connector).parse().unwrap()
    }

    /// Something of the home environment that the `{id}` of this path can name; `None` for a path without one.
    fn object(&self, route: &Route) -> Option<String> {
        let path = route.path;
        if path.starts_with("/environment/{id}") {
            return Some(self.home.to_string());
        }
        if path.starts_with("/api-token/{id}") {
            return Some(self.known_token.to_string());
        }
        if matches!(route.about, About::Call | About::PathAccount(_) | About::BodyAccount(_))
            || path.starts_with("/integrated-account/{id}")
        {
            return Some(self.demo.account("okta").to_owned());
        }
        if path.starts_with("/webhook/{id}") {
            return Some(self.webhook.to_string());
        }
        let nobodys = matches!(route.about, About::Nobody | About::Page) || !path.contains('{');
        assert!(nobodys, "{path} has an id: give it an object in `Setting::object`");
        None
    }

    /// One request of the route about this object.
    async fn send(&self, route: &Route, object: &str, token: Option<&str>) -> http::Answer {
        let (path, body) = filled(route, object);
        let url = format!("{}{path}", self.demo.url());
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        http::request(route.method.as_str(), &url, &headers, body.as_bytes()).await.unwrap()
    }
}

/// Path with query, and body.
fn filled(route: &Route, object: &str) -> (String, String) {
    let is_custom = route.path.starts_with("/unified/{*") && route.method == "POST";
    let rest = if is_custom { "user-directory/users/deactivate" } else { "user-directory/users/00unobody" };
    let values = [
        ("{*path}", rest),
        ("{model}", "user-directory"),
        ("{connector}", "okta"),
        ("{integration}", "okta"),
        ("{visit}", MADE_UP),
        ("{file}", "connect.css"),
        ("{id}", object),
    ];
    let mut path = values.iter().fold(route.path.to_owned(), |path, (name, value)| path.replace(name, value));
    assert!(!path.contains('{'), "{path}: give its parameter a value in `filled`");
    if route.about == About::Call {
        path = format!("{path}?integrated_account_id={object}");
    }
    let since = "2020-01-01T00:00:00Z";
    let mut body = json!({"user_id": "00unobody", "tenant_id": "acme", "name": "made up", "since": since});
    if let About::BodyAccount(name) = route.about {
        body[name] = json!(object);
    }
    (path, if route.method == "GET" { String::new() } else { body.to_string() })
}

fn line(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

/// What an answer says, without the id that was asked for.
fn said(answer: &http::Answer, object: &str) -> (u16, Vec<(String, String)>, String) {
    let mut headers = answer.headers.clone();
    headers.retain(|(name, _)| !matches!(name.to_lowercase().as_str(), "date" | "content-length"));
    (answer.status, headers, answer.text().replace(object, "ID"))
}

#[tokio::test]
pub(crate) async fn without_a_token_in_force_nothing_is_told() {
    let setting = Setting::new().await;
    let revoked = setting.token(|_| {}).await;
    let token = setting.store.find_token(&revoked).await.unwrap().unwrap();
    setting.store.revoke_token(token.id).await.unwrap();
    let expired = setting.token(|new| new.expires_at = Some("2020-01-01T00:00:00Z".to_owned())).await;
    for route in routes() {
        let object = setting.object(&route).unwrap_or_else(|| MADE_UP.to_owned());
        for token in [None, Some("nonsense"), Some(revoked.as_str()), Some(expired.as_str())] {
            let answer = setting.send(&route, &object, token).await;
            let is_open = route.needs == Needs::Nothing;
            assert_eq!(answer.status == 401, !is_open, "{}: {}", line(&route), answer.text());
            let made_up = setting.send(&route, MADE_UP, token).await;
            assert!(is_open || said(&answer, &object) == said(&made_up, MADE_UP), "{}", line(&route));
        }
    }
}

#[tokio::test]
pub(crate) async fn a_token_does_what_its_rights_allow() {
    let setting = Setting::new().await;
    let reader = setting.token(|new| new.read_only = true).await;
    let writer = setting.token(|_| {}).await;
    for route in routes() {
        let object = setting.object(&route).unwrap_or_else(|| MADE_UP.to_owned());
        let told = (setting.send(&route, MADE_UP, Some(&reader)).await.status)
            .max(setting.send(&route, &object, Some(&reader)).await.status);
        let may_read =
            matches!(route.needs, Needs::Nothing | Needs::Read) && route.about != About::OwnAccount;
        assert_eq!(told == 403, !may_read, "read-only: {} answers {told}", line(&route));
        let told = setting.send(&route, MADE_UP, Some(&writer)).await.status;
        let may_write = route.needs != Needs::Administrator && route.about != About::OwnAccount;
        assert_eq!(told == 403, !may_write, "full: {} answers {told}", line(&route));
    }
    assert!(setting.demo.seen("okta").await.iter().all(|entry| entry["method"] == "GET"));
}

#[tokio::test]
pub(crate) async fn a_read_only_token_gets_plans() {
    let setting = Setting::new().await;
    let reader = setting.token(|new| new.read_only = true).await;
    let id = setting.demo.id_of("okta", "user-directory/users", "ada@example.com").await;
    let call = |query: &str| {
        let account = setting.demo.account("okta");
        let path = format!("/unified/user-directory/users/{id}?integrated_account_id={account}&{query}");
        let (url, bearer) = (format!("{}{path}", setting.demo.url()), format!("Bearer {reader}"));
        async move { http::request("DELETE", &url, &[("authorization", bearer.as_str())], b"").await.unwrap() }
    };
    let plan = call("koine_plan=true").await;
    assert_eq!(plan.status, 200, "{}", plan.text());
    assert!(plan.json().unwrap()["plan"]["steps"].is_array());
    for query in
        ["", "koine_plan=false", "koine_plan=0", "koine_plan=", "koine_plan=yes", "koine_plan[]=true"]
    {
        assert_eq!(call(query).await.status, 403, "{query}");
    }
    for query in ["koine_plan=true&koine_plan=false", "koine_plan=false&koine_plan=true"] {
        let answer = call(query).await;
        let is_plan = answer.json().unwrap()["plan"].is_object();
        assert!(is_plan || answer.status >= 400, "{query}: {}", answer.text());
    }
    assert!(setting.demo.seen("okta").await.iter().all(|entry| entry["method"] == "GET"));
}

#[tokio::test]
pub(crate) async fn a_token_limited_to_accounts_knows_no_others() {
    let setting = Setting::new().await;
    let own = setting.account("github");
    let limited = setting.token(|new| new.account_ids = Some(vec![own])).await;
    let nobody = setting.token(|new| new.account_ids = Some(Vec::new())).await;
    for route in routes() {
        let object = setting.object(&route).unwrap_or_else(|| MADE_UP.to_owned());
        for token in [&limited, &nobody] {
            let answer = setting.send(&route, &object, Some(token)).await;
            let made_up = setting.send(&route, MADE_UP, Some(token)).await;
            let is_same = said(&answer, &object) == said(&made_up, MADE_UP);
            assert!(is_same || route.about == About::Nobody, "{}: {}", line(&route), answer.text());
            match route.about {
                About::Environment => assert_eq!(answer.status, 403, "{}", line(&route)),
                About::Call | About::PathAccount(_) | About::BodyAccount(_) => {
                    assert!(matches!(answer.status, 403 | 404), "{}: {}", line(&route), answer.text());
                }
                _ => {}
            }
        }
        if matches!(route.about, About::Accounts) && route.needs == Needs::Read {
            let answer = setting.send(&route, "", Some(&limited)).await.text();
            assert!(answer.contains(&own.to_string()) && !answer.contains(setting.demo.account("okta")));
            let answer = setting.send(&route, "", Some(&nobody)).await;
            assert_eq!(answer.json().unwrap()["result"], json!([]), "{}", line(&route));
        }
    }
}

#[tokio::test]
pub(crate) async fn its_list_is_paged_by_its_own_accounts() {
    let setting = Setting::new().await;
    let own = ["okta", "github", "help-scout"].map(|name| setting.account(name));
    let limited = setting.token(|new| new.account_ids = Some(own.to_vec())).await;
    let bearer = format!("Bearer {limited}");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..5 {
        let url = format!("{}/integrated-account?limit=2&next_cursor={cursor}", setting.demo.url());
        let (status, page) = http::get_json(&url, &[("authorization", &bearer)]).await.unwrap();
        assert_eq!(status, 200, "{page}");
        seen.extend(page["result"].as_array().unwrap().iter().map(|account| account["id"].clone()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        assert!(own.contains(&next.parse().unwrap()), "a cursor names no account of others");
        next.clone_into(&mut cursor);
    }
    let mut own = own.map(|id| json!(id));
    own.sort_by_key(Value::to_string);
    assert_eq!(seen, own);
}

#[tokio::test]
pub(crate) async fn for_another_environment_nothing_exists() {
    let setting = Setting::new().await;
    let foreign = |new: &mut NewToken| (new.environment_id, new.administrator) = (setting.elsewhere, true);
    let foreign = setting.token(foreign).await;
    let before = setting.store.list_accounts(setting.home, Default::default(), 500, None).await.unwrap();
    for route in routes() {
        let Some(object) = setting.object(&route) else {
            let answer = setting.send(&route, "", Some(&foreign)).await.text();
            let ids = before.iter().map(|account| account.id).chain([setting.home, setting.known_token]);
            for id in ids {
                assert!(!answer.contains(&id.to_string()), "{}: {answer}", line(&route));
            }
            continue;
        };
        let answer = setting.send(&route, &object, Some(&foreign)).await;
        let made_up = setting.send(&route, MADE_UP, Some(&foreign)).await;
        assert_eq!(said(&answer, &object), said(&made_up, MADE_UP), "{}", line(&route));
        assert!(matches!(answer.status, 403 | 404), "{}: {}", line(&route), answer.text());
    }
    let after = setting.store.list_accounts(setting.home, Default::default(), 500, None).await.unwrap();
    assert_eq!(before, after);
    assert!(setting.demo.seen("okta").await.is_empty());
}

#[tokio::test]
pub(crate) async fn an_integrated_account_token_makes_calls_on_its_account_and_nothing_else() {
    let setting = Setting::new().await;
    let okta = setting.demo.account("okta").to_owned();
    let body = json!({"integrated_account_id": okta}).to_string();
    let issued = setting.demo.send("POST", "/integrated-account/token", body.as_bytes(), &[]).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    let token = issued.body["integrated_account_token"].as_str().unwrap().to_owned();
    assert_eq!(issued.body["token"], token.as_str(), "under both names");
    for route in routes() {
        let object = setting.object(&route).unwrap_or_else(|| MADE_UP.to_owned());
        let status = setting.send(&route, &object, Some(&token)).await.status;
        let is_its = matches!(route.about, About::Call | About::OwnAccount) || route.needs == Needs::Nothing;
        assert_eq!(status == 403, !is_its, "{}: {status}", line(&route));
    }
    let bearer = format!("Bearer {token}");
    let get = async |path: &str| {
        let url = format!("{}{path}", setting.demo.url());
        http::get_json(&url, &[("authorization", &bearer)]).await.unwrap()
    };
    let (status, users) = get("/unified/user-directory/users?limit=1").await;
    assert_eq!((status, users["result_count"].as_u64()), (200, Some(1)), "its account is implied: {users}");
    assert_eq!(get("/integrated-account/me").await.1["id"], okta.as_str());
    let other =
        format!("/unified/user-directory/users?integrated_account_id={}", setting.demo.account("github"));
    let made_up = format!("/unified/user-directory/users?integrated_account_id={MADE_UP}");
    assert_eq!((get(&other).await.0, get(&made_up).await.0), (404, 404));
    for path in ["/unified/meta/user-directory/okta", "//unified//meta/user-directory/okta"] {
        assert_eq!(get(path).await.0, 403, "{path}");
    }
    assert_eq!(get("/unified/%6deta/user-directory/okta").await.0, 404, "another spelling is no way in");

    let issuer = setting.store.find_token(setting.demo.token()).await.unwrap().unwrap();
    setting.store.revoke_token(issuer.id).await.unwrap();
    tokio::time::sleep(koine_store::NOTICED_WITHIN * 2).await;
    assert_eq!(get("/integrated-account/me").await.0, 401, "it ends with its issuer");
}
