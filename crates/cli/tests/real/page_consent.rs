//! A customer connects an account by consent: Chromium, the page, and an authorization server that others wrote.

use koine_testkit::{Gateway, RealServer, Refreshing, http};
use serde_json::{Value, json};

use crate::browser::{Browser, Look};
use crate::support::{BIN, CONNECTORS};

const SECRET: &str = "made-up-secret-of-the-app";

struct Setting {
    gateway: Gateway,
    token: String,
    public: String,
    _server: RealServer,
}

impl Setting {
    async fn new() -> Self {
        // The server has to know where it sends people back to before the gateway is there.
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let public = format!("http://localhost:{free}");
        let redirect = format!("{public}/connect/acme-oauth/callback");
        let server = RealServer::authorization_server(&redirect, 3600, Refreshing::Once).await;
        let urls = json!({
            "acme-oauth": server.url(),
            "https://id.example.com/auth": format!("{}/auth", server.url()),
            "https://id.example.com/token": format!("{}/token", server.url()),
        });
        let settings = [
            ("KOINE_LISTEN", &*format!("127.0.0.1:{free}")),
            ("KOINE_PUBLIC_URL", &*public),
            ("KOINE_ALLOW_ADDRESSES", "127.0.0.0/8"),
            ("KOINE_BASE_URLS", &*urls.to_string()),
            ("KOINE_CONNECTORS_DIR", CONNECTORS),
        ];
        let gateway = Gateway::start(BIN, &settings).await;
        let token = gateway.token(&[]).await;
        let file = gateway.folder().join("app.secret");
        std::fs::write(&file, SECRET).unwrap();
        let set = ["oauth-app", "set", "acme-oauth", "--client-id", "koine", "--secret-file"];
        gateway.admin(&[&set[..], &[file.to_str().unwrap()]].concat()).await;
        Self { gateway, token, public, _server: server }
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    async fn page(&self, body: &Value) -> String {
        let headers = [("authorization", &*self.bearer())];
        let url = format!("{}/link-token", self.gateway.url());
        let (status, made) = http::post_json(&url, &headers, body).await.unwrap();
        assert_eq!(status, 200, "{made}");
        let token = made["link_token"].as_str().unwrap();
        format!("{}/connect-account?link_token={token}&integration=acme-oauth", self.public)
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.gateway.url());
        let (status, found) = http::get_json(&url, &[("authorization", &self.bearer())]).await.unwrap();
        assert_eq!(status, 200, "{path}: {found}");
        found
    }
}

/// On the server's own pages.
async fn sign_in(browser: &Browser, who: &str) {
    browser.type_into("input[name=login]", who).await;
    browser.type_into("input[name=password]", "any").await;
    browser.click("button[type=submit]").await;
    browser.sees("Authorize").await;
    browser.click("button[type=submit]").await;
}

#[tokio::test]
async fn a_customer_consents_in_a_browser() {
    let setting = Setting::new().await;
    let browser = Browser::start(Look::default()).await;
    browser.open(&setting.page(&json!({"tenant_id": "umbrella"})).await).await;
    browser.sees("Continue to Acme ID").await;
    crate::page::is_in_order(&browser, "the way to a consent").await;

    // Who says no is back where they were, and nothing is connected.
    browser.click("form button").await;
    browser.click("a[href$='/abort']").await;
    browser.sees("was not allowed").await;
    let address = browser.address().await;
    assert!(address.contains("/to/acme-oauth") && !address.contains("state="), "{address}");
    crate::page::is_in_order(&browser, "no consent").await;
    assert_eq!(setting.get("/integrated-account").await["result"], json!([]));

    browser.click("form button").await;
    sign_in(&browser, "ada").await;
    browser.sees("Acme ID is connected").await;
    let address = browser.address().await;
    assert!(!address.contains("code=") && !address.contains("state="), "{address}");
    let accounts = setting.get("/integrated-account").await["result"].clone();
    assert_eq!((&accounts[0]["status"], &accounts[1]), (&json!("active"), &Value::Null), "{accounts}");
    let path = format!(
        "/unified/user-directory/users?integrated_account_id={}",
        accounts[0]["id"].as_str().unwrap()
    );
    assert_eq!(setting.get(&path).await["result"][0]["id"], "ada");
    browser.quit().await;
}
