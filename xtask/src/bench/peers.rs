//! The three that are compared: a vendor that always says the same, nginx in front of it, and the gateway.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::machine::{Running, binary, free_port, need};

/// A made-up user, as Okta shows one.
const USER: &str = r#"{"id":"00u1ada0000000000001","status":"ACTIVE","created":"2024-01-10T09:00:00.000Z","activated":"2024-01-10T09:05:00.000Z","statusChanged":"2024-01-10T09:05:00.000Z","lastLogin":"2026-03-01T08:00:00.000Z","lastUpdated":"2026-02-01T10:00:00.000Z","profile":{"login":"ada@example.com","email":"ada@example.com","secondEmail":"ada.home@example.org","firstName":"Ada","lastName":"Byrne","displayName":"Ada Byrne","title":"Analyst","mobilePhone":"+15550000101","preferredLanguage":"en-GB","timezone":"Europe/London","userType":"Employee"}}"#;
/// Where it is.
const PATH: &str = "/api/v1/users/00u1ada0000000000001";

pub(super) struct Nginx {
    pub(super) running: Running,
    pub(super) port: u16,
}

impl Nginx {
    pub(super) fn vendor(folder: &Path) -> Result<Self, String> {
        let location = format!("location / {{ default_type application/json; return 200 '{USER}'; }}");
        Self::start(folder, "vendor", "", &location)
    }

    /// A proxy that keeps its connections to the vendor, as the gateway does.
    pub(super) fn proxy(folder: &Path, vendor: u16) -> Result<Self, String> {
        let upstream = format!(
            "upstream vendor {{ server 127.0.0.1:{vendor}; keepalive 64; keepalive_requests 100000; }}"
        );
        let location = "location / { proxy_pass http://vendor; proxy_http_version 1.1; proxy_set_header Connection ''; }";
        Self::start(folder, "proxy", &upstream, location)
    }

    fn start(folder: &Path, name: &str, upstream: &str, location: &str) -> Result<Self, String> {
        need("nginx", "nginx-light")?;
        need("wrk", "wrk")?;
        let (port, folder) = (free_port()?, folder.join(name));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let here = folder.display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {here}/{kind};"))
            .join(" ");
        let text = format!(
            "worker_processes 2; daemon off; pid {here}/pid; error_log {here}/error.log;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; keepalive_requests 100000; {temporary}\n{upstream}\n\
             server {{ listen 127.0.0.1:{port}; {location} }} }}\n"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, text).map_err(|error| error.to_string())?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&folder).arg("-e").arg(folder.join("error.log")).arg("-c").arg(&file);
        let running = Running::start(command.stderr(Stdio::null()), port, PATH)?;
        Ok(Self { running, port })
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }
}

pub(super) struct Gateway {
    pub(super) running: Running,
    pub(super) token: String,
    port: u16,
    account: String,
}

impl Gateway {
    /// A gateway with one account, whose vendor is the one on this port.
    pub(super) fn start(folder: &Path, vendor: u16) -> Result<Self, String> {
        let data = folder.join("gateway");
        let port = free_port()?;
        let mut settings = settings(&data, port)?;
        settings.push((
            "KOINE_BASE_URLS".to_owned(),
            format!(r#"{{"okta":"http://127.0.0.1:{vendor}/api/v1"}}"#),
        ));
        let context =
            r#"{"domain":"acme.okta.com","api_token":"00Made-Up_For_The_Benchmark_No_Token_0000a"}"#;
        let token = told(&settings, &["token", "create", "--name", "bench", "-o", "json"], "token")?;
        let add = ["account", "add", "okta", "--tenant", "acme", "--context", context, "-o", "json"];
        let account = told(&settings, &add, "id")?;
        let running = serve(&settings, port)?;
        Ok(Self { running, token, port, account })
    }

    pub(super) fn url(&self) -> String {
        let id = PATH.rsplit('/').next().unwrap_or_default();
        let (port, account) = (self.port, &self.account);
        format!("http://127.0.0.1:{port}/unified/user-directory/users/{id}?integrated_account_id={account}")
    }
}

fn settings(data: &Path, port: u16) -> Result<Vec<(String, String)>, String> {
    let key = Command::new(binary("koine"))
        .args(["key", "generate"])
        .output()
        .map_err(|error| error.to_string())?;
    let setting = |name: &str, value: String| (name.to_owned(), value);
    Ok(vec![
        setting("KOINE_MASTER_KEY", String::from_utf8_lossy(&key.stdout).trim().to_owned()),
        setting("KOINE_DATA_DIR", data.display().to_string()),
        setting("KOINE_LISTEN", format!("127.0.0.1:{port}")),
        setting("KOINE_ALLOW_ADDRESSES", "127.0.0.0/8".to_owned()),
        // One event per call is written in any case; this keeps it from being a terminal's speed.
        setting("RUST_LOG", "warn".to_owned()),
    ])
}

fn serve(settings: &[(String, String)], port: u16) -> Result<Running, String> {
    let mut command = Command::new(binary("koine"));
    command.arg("serve").envs(settings.iter().cloned()).stdout(Stdio::null()).stderr(Stdio::null());
    Running::start(&mut command, port, "/readyz")
}

/// One field of what a command prints as JSON.
fn told(settings: &[(String, String)], args: &[&str], field: &str) -> Result<String, String> {
    let output = Command::new(binary("koine")).args(args).envs(settings.iter().cloned()).output();
    let output = output.map_err(|error| error.to_string())?;
    let value: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    let text = value.as_ref().and_then(|value| value[field].as_str()).map(ToOwned::to_owned);
    text.ok_or_else(|| format!("koine {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr)))
}

/// Milliseconds until the gateway and nginx answer, the median of several starts.
pub(super) fn starts(folder: &Path, rounds: usize) -> Result<(f64, f64), String> {
    let (mut gateway, mut nginx) = (Vec::new(), Vec::new());
    for round in 0..rounds.max(3) {
        let port = free_port()?;
        // A database of its own, so that every start is a first one.
        let settings = settings(&folder.join(format!("start-{round}")), port)?;
        gateway.push(serve(&settings, port)?.ready_ms);
        nginx.push(Nginx::vendor(folder)?.running.ready_ms);
    }
    let middle = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    Ok((middle(gateway), middle(nginx)))
}
