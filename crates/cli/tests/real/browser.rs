//! Debian's Chromium, driven as a person would drive it.

use std::io::Result;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::error::{WebDriverError, WebDriverResult};
use thirtyfour::session::http::{Body, HttpClient};
use thirtyfour::{By, ChromeCapabilities, ChromiumLikeCapabilities as _, Key, WebDriver, WebElement};

use koine_testkit::http as plain;
use koine_testkit::{KoineProcess, installed};

/// How long a page may take to show something.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often it is looked at meanwhile.
const POLL: Duration = Duration::from_millis(20);

/// It opens pages of this machine only, and asks nobody else for anything. Tests also run as root, where its own sandbox
/// does not work.
const ARGUMENTS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--lang=en",
    // Pages of others may ask for fonts from the network: no name is found there.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1",
];

/// What a browser is like.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// As wide as a phone, 390 pixels.
    pub(crate) phone: bool,
    /// Dark colours are preferred.
    pub(crate) dark: bool,
}

/// A browser without a window, with a profile of its own. Its processes end with it.
///
/// Selectors are CSS. A method that does not find what it needs within 30 seconds panics with the page's text.
pub(crate) struct Browser {
    driver: WebDriver,
    /// Ends the browser when it ends.
    _chromedriver: KoineProcess,
    _profile: TempDir,
}

impl Browser {
    /// Starts one.
    pub(crate) async fn start(look: Look) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let chromedriver = KoineProcess::start("chromedriver", ["--port=0"], &[]);
        let mut chromedriver =
            chromedriver.expect("chromedriver is missing: run ./test once, it installs it");
        let started = chromedriver.line("started successfully on port ").await;
        let port = started.rsplit(' ').next().unwrap_or_default().trim_end_matches('.');
        let capabilities = capabilities(look, &profile).expect("capabilities are JSON");
        let url = format!("http://127.0.0.1:{port}");
        let driver = WebDriver::builder(&url, capabilities).client(Client).await;
        let driver = driver.unwrap_or_else(|error| panic!("no browser: {error}\n{}", chromedriver.stderr()));
        Self { driver, _chromedriver: chromedriver, _profile: profile }
    }

    /// Opens an address and waits until it is loaded.
    pub(crate) async fn open(&self, url: &str) {
        self.driver.goto(url).await.expect("an address that opens");
    }

    /// Goes back, as with the button.
    pub(crate) async fn back(&self) {
        self.driver.back().await.expect("a page to go back to");
    }

    /// The address of the page.
    pub(crate) async fn address(&self) -> String {
        self.driver.current_url().await.expect("an address").into()
    }

    /// The text of the page that can be seen.
    pub(crate) async fn text(&self) -> String {
        let body = self.driver.find(By::Css("body")).await;
        match body {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Waits until the page shows this text.
    pub(crate) async fn sees(&self, words: &str) {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let text = self.text().await;
            if text.contains(words) {
                return;
            }
            assert!(Instant::now() < deadline, "{words:?} is not on {}:\n{text}", self.address().await);
            tokio::time::sleep(POLL).await;
        }
    }

    /// Clicks on something.
    pub(crate) async fn click(&self, selector: &str) {
        self.element(selector).await.click().await.expect("something to click on");
    }

    /// Types into something, after what is in it.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        self.element(selector).await.send_keys(text).await.expect("something to type into");
    }

    /// Types into whatever has the focus: text, or the names of keys, `Tab` and `Enter`.
    pub(crate) async fn press(&self, keys: &str) {
        let focused = self.driver.active_element().await.expect("a page has a focus");
        let sent = match keys {
            "Tab" => focused.send_keys(Key::Tab + "").await,
            "Enter" => focused.send_keys(Key::Enter + "").await,
            text => focused.send_keys(text).await,
        };
        sent.expect("something to type into");
    }

    /// Runs a script in the page; `return` gives its value.
    pub(crate) async fn run(&self, script: &str) -> Value {
        let result = self.driver.execute(script, Vec::new()).await.expect("a script that runs");
        result.json().clone()
    }

    /// Runs a script that gets a function to call when it is done.
    pub(crate) async fn run_until_done(&self, script: &str) {
        self.driver.execute_async(script, Vec::new()).await.expect("a script that ends");
    }

    /// From now on it is the frame that is looked at.
    pub(crate) async fn enter_frame(&self, selector: &str) {
        let frame = self.element(selector).await;
        frame.enter_frame().await.expect("a frame");
    }

    /// From now on it is the whole page that is looked at.
    pub(crate) async fn leave_frames(&self) {
        self.driver.enter_default_frame().await.expect("a page around the frames");
    }

    /// How many elements fit the selector.
    pub(crate) async fn count(&self, selector: &str) -> usize {
        self.driver.find_all(By::Css(selector)).await.expect("a selector").len()
    }

    /// What axe-core finds wrong with the page as it is: rule and place.
    pub(crate) async fn axe(&self) -> Vec<String> {
        let axe =
            std::fs::read_to_string(installed("npm/node_modules/axe-core/axe.min.js")).expect("axe-core");
        self.run(&axe).await;
        let script = "const [done] = arguments; axe.run(document, {resultTypes: ['violations']}).then(
            (result) => done(result.violations.flatMap((one) => one.nodes.map((node) =>
                `${one.id} (${one.impact}): ${node.html} ${node.failureSummary}`))),
            (error) => done([String(error)]));";
        let result = self.driver.execute_async(script, Vec::new()).await.expect("axe runs");
        result.convert().expect("a list of texts")
    }

    /// Ends the browser.
    pub(crate) async fn quit(self) {
        self.driver.quit().await.expect("a browser that ends");
    }

    async fn element(&self, selector: &str) -> WebElement {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Ok(found) = self.driver.find(By::Css(selector)).await {
                return found;
            }
            if Instant::now() >= deadline {
                panic!("no {selector} on {}:\n{}", self.address().await, self.text().await);
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Browser")
    }
}

fn capabilities(look: Look, profile: &TempDir) -> WebDriverResult<ChromeCapabilities> {
    let mut chrome = ChromeCapabilities::new();
    chrome.set_binary(&wrapper(profile)?)?;
    let folder = format!("--user-data-dir={}", profile.path().join("profile").display());
    let scheme = format!("--blink-settings=preferredColorScheme={}", u8::from(!look.dark));
    for argument in ARGUMENTS.iter().copied().chain([folder.as_str(), scheme.as_str()]) {
        chrome.add_arg(argument)?;
    }
    if look.phone {
        let metrics = json!({"deviceMetrics": {"width": 390, "height": 844, "pixelRatio": 2.0}});
        chrome.add_experimental_option("mobileEmulation", metrics)?;
    }
    Ok(chrome)
}

/// The browser ends when chromedriver does, also when that is killed.
fn wrapper(profile: &TempDir) -> Result<String> {
    let file = profile.path().join("chromium");
    std::fs::write(&file, "#!/bin/sh\nexec setpriv --pdeathsig KILL chromium \"$@\"\n")?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))?;
    Ok(file.display().to_string())
}

/// The tests' own client: a second HTTP stack would be linked for this alone.
struct Client;

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send(&self, request: Request<Body<'_>>) -> WebDriverResult<Response<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = match body {
            Body::Empty => Vec::new(),
            Body::Json(value) => value.to_string().into_bytes(),
        };
        let headers = [("content-type", "application/json; charset=utf-8")];
        let answer = plain::request(parts.method.as_str(), &parts.uri.to_string(), &headers, &body).await;
        let answer = answer.map_err(|error| WebDriverError::HttpError(error.to_string()))?;
        let response = Response::builder().status(answer.status).body(Bytes::from(answer.body));
        response.map_err(|error| WebDriverError::HttpError(error.to_string()))
    }

    async fn new(&self) -> Arc<dyn HttpClient> {
        Arc::new(Self)
    }
}
