//! The page on which customers connect their accounts, in Debian's Chromium, beside the demo's vendors.

use koine_testkit::{KoineProcess, http};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::browser::{Browser, Look};
use crate::support::BIN;

struct Demo {
    facts: Value,
    _process: KoineProcess,
}

impl Demo {
    async fn start(env: &[(&str, &str)]) -> Self {
        let args = ["demo", "--json", "--port", "0", "--sandbox-port", "0"];
        let mut process = KoineProcess::start(BIN, args, env).unwrap();
        let line = process.line("sandbox_url").await;
        Self { facts: serde_json::from_str(&line).unwrap(), _process: process }
    }

    fn url(&self) -> &str {
        self.facts["url"].as_str().unwrap()
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.facts["token"].as_str().unwrap())
    }

    /// The address of the page for a new link.
    async fn page(&self, body: &Value, more: &str) -> String {
        let url = format!("{}/link-token", self.url());
        let (status, made) = http::post_json(&url, &[("authorization", &self.bearer())], body).await.unwrap();
        assert_eq!(status, 200, "{made}");
        format!("{}/connect-account?link_token={}{more}", self.url(), made["link_token"].as_str().unwrap())
    }

    async fn accounts(&self, tenant: &str) -> Vec<Value> {
        let url = format!("{}/integrated-account?tenant_id={tenant}", self.url());
        let (_, all) = http::get_json(&url, &[("authorization", &self.bearer())]).await.unwrap();
        all["result"].as_array().unwrap().clone()
    }

    async fn credentials(&self, connector: &str) -> Value {
        let url = format!("{}/_sandbox/vendors", self.facts["sandbox_url"].as_str().unwrap());
        let (_, vendors) = http::get_json(&url, &[]).await.unwrap();
        vendors.as_array().unwrap().iter().find(|one| one["name"] == connector).unwrap()["context"].clone()
    }
}

fn text<'a>(context: &'a Value, field: &str) -> &'a str {
    context[field].as_str().unwrap()
}

/// Nothing that axe finds, and nothing to scroll sideways for.
pub(crate) async fn is_in_order(browser: &Browser, what: &str) {
    let violations = browser.axe().await;
    assert!(violations.is_empty(), "{what}:\n{}", violations.join("\n"));
    let wide = browser.run("return document.documentElement.scrollWidth - window.innerWidth").await;
    assert!(wide.as_i64().unwrap() <= 0, "{what}: {wide} pixels too wide");
}

#[tokio::test]
async fn a_customer_connects_an_account() {
    let demo = Demo::start(&[]).await;
    let browser = Browser::start(Look::default()).await;
    browser.open(&demo.page(&json!({"tenant_id": "umbrella"}), "").await).await;
    assert!(!browser.address().await.contains("link_token"), "{}", browser.address().await);
    browser.type_into("#q", "okt").await;
    browser.sees("1 product").await;
    assert_eq!(
        browser.run("return document.querySelectorAll('[data-vendors] > li:not([hidden])').length").await,
        1
    );
    browser.click("a[href$='/to/okta']").await;
    browser.sees("Connect Okta").await;
    assert_eq!(browser.run("return document.querySelector('#field-api_token').type").await, "password");

    let right = demo.credentials("okta").await;
    browser.type_into("#field-domain", text(&right, "domain")).await;
    browser.type_into("#field-api_token", "wrong").await;
    browser.click("form button").await;
    browser.sees("did not accept these credentials").await;
    assert_eq!(browser.run("return document.activeElement.id").await, "problem", "the problem is read out");
    assert_eq!(browser.run("return document.querySelector('#field-api_token').value").await, "");
    assert_eq!(demo.accounts("umbrella").await[0]["status"], "validation_error");
    browser.type_into("#field-api_token", text(&right, "api_token")).await;
    browser.click("form button").await;
    browser.sees("Okta is connected").await;
    let accounts = demo.accounts("umbrella").await;
    assert_eq!((accounts.len(), &accounts[0]["status"]), (1, &json!("active")), "{accounts:?}");

    browser.back().await;
    browser.sees("Okta is connected").await;
    assert_eq!(browser.count("form").await, 0, "there is nothing left to send");
    assert_eq!(demo.accounts("umbrella").await.len(), 1);
    browser.quit().await;
}

#[tokio::test]
async fn everybody_can_use_it() {
    let demo = Demo::start(&[]).await;
    for look in [
        Look { phone: false, dark: false },
        Look { phone: false, dark: true },
        Look { phone: true, dark: false },
        Look { phone: true, dark: true },
    ] {
        let browser = Browser::start(look).await;
        let told = |what: &str| format!("{what}, {look:?}");
        let dark = browser.run("return matchMedia('(prefers-color-scheme: dark)').matches").await;
        assert_eq!(dark, look.dark);
        browser.open(&demo.page(&json!({"tenant_id": "umbrella"}), "").await).await;
        if look.phone {
            assert_eq!(browser.run("return window.innerWidth").await, 390);
        }
        browser.sees("Choose the product").await;
        is_in_order(&browser, &told("the choice")).await;
        for vendor in ["google-workspace", "docusign", "zendesk"] {
            let visit = browser.address().await.split("/to/").next().unwrap().to_owned();
            browser.open(&format!("{visit}/to/{vendor}")).await;
            browser.sees("Where to find this").await;
            is_in_order(&browser, &told(vendor)).await;
        }
        browser.type_into("#field-subdomain", "not a host/").await;
        browser.click("form button").await;
        browser.sees("3 fields need another look").await;
        is_in_order(&browser, &told("errors")).await;
        let right = demo.credentials("zendesk").await;
        browser.run("document.querySelector('#field-subdomain').value = ''").await;
        for field in ["subdomain", "email", "api_token"] {
            browser.type_into(&format!("#field-{field}"), text(&right, field)).await;
        }
        browser.click("form button").await;
        browser.sees("Zendesk is connected").await;
        is_in_order(&browser, &told("the end")).await;
        browser.open(&format!("{}/connect-account?link_token=none", demo.url())).await;
        browser.sees("This link cannot be used").await;
        is_in_order(&browser, &told("no link")).await;
        browser.quit().await;
    }
}

#[tokio::test]
async fn a_keyboard_is_enough() {
    let demo = Demo::start(&[]).await;
    let browser = Browser::start(Look::default()).await;
    let more = "&integrations=okta,zendesk";
    browser.open(&demo.page(&json!({"tenant_id": "keys"}), more).await).await;
    let right = demo.credentials("okta").await;
    tab_to(&browser, "a[href$='/to/okta']").await;
    browser.press("Enter").await;
    browser.sees("Connect Okta").await;
    for field in ["domain", "api_token"] {
        tab_to(&browser, &format!("#field-{field}")).await;
        browser.press(text(&right, field)).await;
    }
    tab_to(&browser, "form button").await;
    browser.press("Enter").await;
    browser.sees("Okta is connected").await;
    browser.quit().await;
}

/// Presses Tab until something has the focus, which can be seen then.
async fn tab_to(browser: &Browser, selector: &str) {
    let script = format!(
        "const e = document.activeElement; return e.matches({selector:?}) && getComputedStyle(e).outlineStyle !== 'none'"
    );
    for _ in 0..20 {
        if browser.run(&script).await == true {
            return;
        }
        browser.press("Tab").await;
    }
    panic!("no way to {selector} by keyboard: {}", browser.text().await);
}

#[tokio::test]
async fn a_reconnect_and_its_end_are_told_to_the_window_that_asked() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let opener = format!("http://{}", listener.local_addr().unwrap());
    let demo = Demo::start(&[("KOINE_CONNECT_ORIGINS", &opener)]).await;
    tokio::spawn(serve(listener));
    let account = demo.facts["accounts"]["zendesk"].as_str().unwrap();
    let body = json!({"integrated_account_id": account, "persist_previous_context": true});
    let page = demo.page(&body, "").await;
    let browser = Browser::start(Look::default()).await;
    browser.open(&opener).await;
    browser.run("addEventListener('message', (event) => { window.told = [event.origin, event.data] })").await;
    let framed = format!(
        "document.body.append(Object.assign(document.createElement('iframe'), {{src: {page:?}, width: 600, height: 800}}))"
    );
    browser.run(&framed).await;
    browser.enter_frame("iframe").await;
    browser.sees("Reconnect Zendesk").await;
    browser.click("form button").await;
    browser.sees("Zendesk is connected").await;
    browser.leave_frames().await;
    let told = browser.run("return window.told").await;
    let result = json!({"is_truto": true, "result": "success", "integration": "zendesk", "integrated_account_id": account});
    assert_eq!(told, json!([demo.url(), result]));
    browser.quit().await;
}

#[tokio::test]
async fn nobody_else_frames_the_page() {
    let stranger = stranger().await;
    let demo = Demo::start(&[]).await;
    let page = demo.page(&json!({"tenant_id": "umbrella"}), "").await;
    let browser = Browser::start(Look::default()).await;
    browser.open(&stranger).await;
    let framed = format!(
        "const [done] = arguments; const frame = Object.assign(document.createElement('iframe'), {{src: {page:?}}});
         frame.onload = () => done(true); document.body.append(frame)"
    );
    browser.run_until_done(&framed).await;
    browser.enter_frame("iframe").await;
    assert_eq!(browser.count("[data-vendors]").await, 0, "{}", browser.text().await);
    browser.quit().await;
}

#[tokio::test]
async fn a_script_that_got_into_the_page_does_not_run() {
    let stranger = stranger().await;
    let demo = Demo::start(&[]).await;
    let page = demo.page(&json!({"tenant_id": "umbrella"}), "").await;
    let browser = Browser::start(Look::default()).await;
    for (url, runs) in [(&stranger, true), (&page, false)] {
        browser.open(url).await;
        let injected = "const script = document.createElement('script');
            script.textContent = 'document.body.dataset.ran = 1';
            document.body.append(script);
            document.body.insertAdjacentHTML('beforeend', '<button id=\"lure\" onclick=\"document.body.dataset.ran = 1\">');
            document.querySelector('#lure').click();
            return document.body.dataset.ran === '1'";
        assert_eq!(browser.run(injected).await, runs, "{url}");
    }
    browser.quit().await;
}

/// The address of a page of somebody else's.
async fn stranger() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener));
    address
}

async fn serve(listener: TcpListener) {
    let body = "<!doctype html><title>App</title><body></body>";
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut request = [0; 4096];
        if stream.read(&mut request).await.is_ok() {
            // Whether the browser still wants it is its business.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }
}
