//! `koine demo`: sandbox and gateway in one process, with one connected account per connector.

use std::path::{Path, PathBuf};

use clap::Args;
use koine_engine::{AccountPatch, AccountQuery, BaseUrls, Caller, Engine, NewAccount};
use koine_sandbox::{Serving, StandIn};
use koine_store::{MasterKey, NewToken};
use serde_json::{Map, Value, json};

use super::{sandbox, serve};
use crate::config::Config;
use crate::failure::Failure;
use crate::open;

/// The customer that the demo's accounts belong to.
const TENANT: &str = "acme";

/// Ports and data.
#[derive(Args)]
#[command(after_help = "Example:\n  koine demo --json --port 0 --sandbox-port 0")]
pub(crate) struct Demo {
    /// Print one line of JSON with addresses, token and accounts, then keep running.
    #[arg(long)]
    json: bool,
    /// The gateway's port on loopback; 0 takes a free one.
    #[arg(long, default_value_t = 8585)]
    port: u16,
    /// The sandbox's port on loopback; 0 takes a free one.
    #[arg(long, default_value_t = 8686)]
    sandbox_port: u16,
    /// Keep the database here; without it, it goes when the demo ends.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Decides who the made-up people are.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) async fn run(options: &Demo) -> Result<(), Failure> {
    let stop = serve::stop();
    let temporary =
        tempfile::tempdir().map_err(|error| Failure::other(format!("temporary folder: {error}")))?;
    let data = options.data.as_deref().unwrap_or(temporary.path());
    let serving = sandbox::start(options.sandbox_port, options.seed).await?;
    let engine = open::engine(&config(data, &serving)?).await?;
    engine.settle().await?;
    let fail = |error: std::io::Error| Failure::other(format!("--port {}: {error}", options.port));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", options.port)).await.map_err(fail)?;
    let url = format!("http://{}", listener.local_addr().map_err(fail)?);
    let (token, accounts) = connect(&engine, &serving).await?;
    let facts = json!({"url": url, "token": token, "sandbox_url": serving.url(), "accounts": accounts});
    if options.json {
        println!("{facts}");
    } else {
        println!("{}", welcome(&facts));
    }
    koine_server::serve(listener, engine, stop).await.map_err(fail)
}

/// Settings of the demo's own: nothing of the operator's but the connectors.
fn config(data: &Path, serving: &Serving) -> Result<Config, Failure> {
    let fail = |what: &Path, error: std::io::Error| Failure::usage(format!("{}: {error}", what.display()));
    std::fs::create_dir_all(data).map_err(|error| fail(data, error))?;
    let parsed = |text: String| url::Url::parse(&text).expect("the sandbox's own address is a URL");
    let base_urls = serving.stand_ins().iter().flat_map(StandIn::base_urls);
    let base_urls = base_urls.map(|(key, url)| (key, parsed(url))).collect();
    let base_urls = BaseUrls::new(base_urls).map_err(Failure::other)?;
    let loopback = "127.0.0.0/8".parse().expect("a range");
    Config::demo(data, base_urls, vec![loopback], &master_key(&data.join("master.key"))?)
}

/// Kept beside the data, so that `--data` opens again.
fn master_key(file: &Path) -> Result<String, Failure> {
    let fail = |error: std::io::Error| Failure::usage(format!("{}: {error}", file.display()));
    match std::fs::read_to_string(file) {
        Ok(key) => Ok(key.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = MasterKey::generate().to_base64();
            write_private(file, &key).map_err(fail)?;
            Ok(key.to_string())
        }
        Err(error) => Err(fail(error)),
    }
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?
        .write_all(text.as_bytes())
}

/// A new token, and the account of every vendor of the sandbox; those of an earlier run are used again.
async fn connect(engine: &Engine, serving: &Serving) -> Result<(String, Map<String, Value>), Failure> {
    let environment = open::environment(engine.store(), None).await?;
    let token = NewToken {
        environment_id: environment.id,
        name: "demo".to_owned(),
        account_ids: None,
        read_only: false,
        expires_at: None,
    };
    let (_, token) = engine.store().create_token(token).await.map_err(Failure::store)?;
    let caller = Caller::operator(environment.id);
    let mut accounts = known(engine, &caller).await?;
    for vendor in serving.stand_ins().iter().filter(|vendor| !vendor.context.is_empty()) {
        if let Some(id) = accounts.get(&vendor.name).and_then(Value::as_str) {
            renew(engine, &caller, id, vendor).await?;
            continue;
        }
        let new = NewAccount {
            tenant_id: TENANT.to_owned(),
            connector: vendor.name.clone(),
            authentication_method: None,
            context: vendor.context.clone(),
        };
        let account = engine.create_account(&caller, new).await?;
        accounts.insert(vendor.name.clone(), account["id"].clone());
    }
    Ok((token, accounts))
}

/// An account of an earlier run gets the keys that the sandbox made for this one.
async fn renew(engine: &Engine, caller: &Caller, id: &str, vendor: &StandIn) -> Result<(), Failure> {
    let made = vendor.context.iter().filter(|(field, _)| vendor.made.contains(field));
    let made: Map<String, Value> = made.map(|(field, key)| (field.clone(), key.clone())).collect();
    let Some(id) = id.parse().ok().filter(|_| !made.is_empty()) else { return Ok(()) };
    engine.patch_account(caller, id, AccountPatch { context: Some(made), ..AccountPatch::default() }).await?;
    Ok(())
}

async fn known(engine: &Engine, caller: &Caller) -> Result<Map<String, Value>, Failure> {
    let query = AccountQuery { limit: Some(100), ..AccountQuery::default() };
    let mut accounts = Map::new();
    let mut cursor = None;
    loop {
        let page =
            engine.list_accounts(caller, AccountQuery { next_cursor: cursor, ..query.clone() }).await?;
        for account in page["result"].as_array().into_iter().flatten() {
            if let Some(name) = account["integration"]["name"].as_str() {
                accounts.insert(name.to_owned(), account["id"].clone());
            }
        }
        cursor = page["next_cursor"].as_str().map(ToOwned::to_owned);
        if cursor.is_none() {
            return Ok(accounts);
        }
    }
}

fn welcome(facts: &Value) -> String {
    let text = |name: &str| facts[name].as_str().unwrap_or_default();
    let rows: Vec<String> = facts["accounts"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, id)| format!("  {name:<16} {}", id.as_str().unwrap_or_default()))
        .collect();
    let okta = facts["accounts"]["okta"].as_str().unwrap_or_default();
    let (url, token) = (text("url"), text("token"));
    let call = |verb: &str, path: &str| {
        let mark = if path.contains('?') { '&' } else { '?' };
        format!(
            "  curl -sS -i -X {verb} -H 'Authorization: Bearer {token}' \\\n    '{url}/unified/user-directory/{path}{mark}integrated_account_id={okta}'"
        )
    };
    format!(
        "Koine runs on {url}, the sandbox on {}.\n\nConnected accounts of `{TENANT}`:\n{}\n\n\
         Find a person:\n{}\n\nWhat would removing her do? Only reads are sent:\n{}\n\nRemove her:\n{}\n\n\
         Look for her: nobody has that e-mail any more.\n{}\n\nEnd with Ctrl-C.",
        text("sandbox_url"),
        rows.join("\n"),
        call("GET", "users?limit=2"),
        call("DELETE", "users/-?emails=ada@example.com&koine_plan=true"),
        call("DELETE", "users/-?emails=ada@example.com"),
        call("GET", "users/-?emails=ada@example.com"),
    )
}
