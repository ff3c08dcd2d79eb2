//! A user removed from a real server through `koine serve`, also when the answer to the DELETE is lost.
//! Gone is asserted in the server's own API.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the reason")]

use koine_testkit::{KoineProcess, LosingProxy, RealServer, http};
use serde_json::{Value, json};

const BIN: &str = env!("CARGO_BIN_EXE_koine");
/// 32 bytes of zero in base64: a key for tests only.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

struct Gateway {
    url: String,
    token: String,
    account: String,
    _process: KoineProcess,
    _folder: tempfile::TempDir,
}

impl Gateway {
    async fn start(vendor: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let env = settings(&folder, vendor);
        let token = admin(&["token", "create", "--name", "test", "-o", "json"], &env).await;
        let context = r#"{"domain":"acme.okta.com","api_token":"okta-token"}"#;
        let add = ["account", "add", "okta", "--tenant", "acme", "--context", context, "-o", "json"];
        let account = admin(&add, &env).await;
        let (process, url) = serve(&env).await;
        let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
        let (token, account) = (text(&token, "token"), text(&account, "id"));
        Self { url, token, account, _process: process, _folder: folder }
    }

    async fn call(&self, verb: &str, path: &str, body: &Value) -> (u16, Option<String>, Value) {
        let mark = if path.contains('?') { '&' } else { '?' };
        let url =
            format!("{}/unified/user-directory/{path}{mark}integrated_account_id={}", self.url, self.account);
        let bearer = format!("Bearer {}", self.token);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = http::request(verb, &url, &[("authorization", &bearer)], body.as_bytes()).await.unwrap();
        let outcome = answer.header("koine-outcome").map(ToOwned::to_owned);
        (answer.status, outcome, answer.json().unwrap())
    }
}

fn settings(folder: &tempfile::TempDir, vendor: &str) -> Vec<(String, String)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        pair("KOINE_DATA_DIR", folder.path().to_str().unwrap()),
        pair("KOINE_MASTER_KEY", KEY),
        pair("KOINE_LISTEN", "127.0.0.1:0"),
        pair("KOINE_ALLOW_ADDRESSES", "127.0.0.0/8"),
        pair("KOINE_BASE_URLS", &json!({"okta": format!("{vendor}/api/v1")}).to_string()),
    ]
}

async fn start(args: &[&str], env: &[(String, String)]) -> KoineProcess {
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    KoineProcess::start(BIN, args, &env).unwrap()
}

async fn admin(args: &[&str], env: &[(String, String)]) -> Value {
    let mut process = start(args, env).await;
    let status = process.end().await.unwrap();
    assert!(status.success(), "{}", process.stderr());
    serde_json::from_str(&process.stdout()).unwrap()
}

async fn serve(env: &[(String, String)]) -> (KoineProcess, String) {
    let mut process = start(&["serve"], env).await;
    let line = process.line("listening on ").await;
    let url = line.split("listening on ").nth(1).unwrap().trim().to_owned();
    (process, url)
}

#[tokio::test]
async fn a_user_is_found_and_removed() {
    let okta = RealServer::okta_emulator().await;
    let gateway = Gateway::start(okta.url()).await;
    let (status, _, list) = gateway.call("GET", "users", &Value::Null).await;
    assert_eq!(status, 200, "{list}");
    assert!(list["result"].as_array().unwrap().iter().any(|user| user["id"] == "00uann"), "{list}");
    let (status, outcome, record) = gateway.call("DELETE", "users/00uann", &Value::Null).await;
    assert_eq!((status, outcome.as_deref()), (200, Some("removed")), "{record}");
    assert_eq!((&record["id"], &record["status"]), (&json!("00uann"), &json!("deleted")));
    assert_eq!(okta.call("GET", "/api/v1/users/00uann", None).await.unwrap().status, 404);
    let (status, outcome, _) = gateway.call("DELETE", "users/00uann", &Value::Null).await;
    assert_eq!((status, outcome.as_deref()), (200, Some("already_gone")));
    let (status, outcome, error) = gateway.call("DELETE", "users/00unever", &Value::Null).await;
    assert_eq!((status, outcome), (404, None), "{error}");
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_reading_with_one_deletion() {
    let okta = RealServer::okta_emulator().await;
    let proxy = LosingProxy::start(okta.url()).await.unwrap();
    let gateway = Gateway::start(&proxy.url()).await;
    proxy.lose_answer_of("DELETE", "/api/v1/users/00ubob", 1);
    let (status, outcome, record) = gateway.call("DELETE", "users/00ubob", &Value::Null).await;
    assert_eq!((status, outcome.as_deref()), (200, Some("removed")), "{record}");
    assert_eq!(proxy.reached_server("DELETE", "/api/v1/users/00ubob"), 1);
    assert_eq!(okta.call("GET", "/api/v1/users/00ubob", None).await.unwrap().status, 404);
}

#[tokio::test]
async fn deactivate_plan_and_group_removal() {
    let okta = RealServer::okta_emulator().await;
    let gateway = Gateway::start(okta.url()).await;
    let (status, outcome, plan) = gateway.call("DELETE", "users/00ubob?koine_plan=true", &Value::Null).await;
    assert_eq!((status, outcome), (200, None), "{plan}");
    assert!(
        plan["plan"]["steps"].as_array().unwrap().iter().any(|step| step["method"] == "DELETE"),
        "{plan}"
    );
    assert_eq!(
        okta.call("GET", "/api/v1/users/00ubob", None).await.unwrap().json().unwrap()["status"],
        "ACTIVE"
    );
    let body = json!({"group_id": "00gdev", "user_id": "00ubob"});
    let (status, outcome, group) = gateway.call("POST", "groups/remove-user", &body).await;
    assert_eq!((status, outcome.as_deref()), (200, Some("removed")), "{group}");
    let (status, outcome, user) =
        gateway.call("POST", "users/deactivate", &json!({"user_id": "00ubob"})).await;
    assert_eq!((status, outcome.as_deref()), (200, Some("deactivated")), "{user}");
    assert_eq!(user["status"], "inactive");
    let (status, _, error) =
        gateway.call("DELETE", "users/00ucleo?emails=other@example.com", &Value::Null).await;
    assert_eq!(status, 409, "{error}");
}
