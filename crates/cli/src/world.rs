//! Sandbox and engine in one process, with one connected account per connector.

use std::path::{Path, PathBuf};

use koine_engine::{AccountPatch, AccountQuery, BaseUrls, Caller, Engine, NewAccount};
use koine_sandbox::{Serving, StandIn};
use koine_store::MasterKey;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::commands::sandbox;
use crate::config::{self, Config};
use crate::failure::Failure;
use crate::open;

/// The customer that the accounts belong to.
pub(crate) const TENANT: &str = "acme";

/// Everything there is to make calls on.
pub(crate) struct World {
    /// Makes them.
    pub engine: Engine,
    /// The vendors.
    pub serving: Serving,
    /// The operator.
    pub caller: Caller,
    /// Connector -> account.
    pub accounts: Map<String, Value>,
}

impl World {
    /// Starts the sandbox on a port of loopback (0: a free one), with a database in the folder if none is named.
    pub(crate) async fn start(
        data: &Path,
        database_url: Option<String>,
        port: u16,
        seed: u64,
        connectors: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let serving = sandbox::start(port, seed, connectors.as_deref()).await?;
        let engine = open::engine(&settings(data, database_url, &serving, connectors)?).await?;
        let environment = open::environment(engine.store(), None).await?;
        let caller = Caller::operator(environment.id);
        let accounts = connect(&engine, &caller, &serving).await?;
        Ok(Self { engine, serving, caller, accounts })
    }
}

/// Settings of its own: nothing of the operator's but the connectors.
fn settings(
    data: &Path,
    database_url: Option<String>,
    serving: &Serving,
    connectors: Option<PathBuf>,
) -> Result<Config, Failure> {
    let fail = |what: &Path, error: std::io::Error| Failure::usage(format!("{}: {error}", what.display()));
    config::private_folder(data).map_err(|error| fail(data, error))?;
    let parsed = |text: String| url::Url::parse(&text).expect("the sandbox's own address is a URL");
    let base_urls = serving.stand_ins().iter().flat_map(StandIn::base_urls);
    let base_urls = base_urls.map(|(key, url)| (key, parsed(url))).collect();
    let base_urls = BaseUrls::new(base_urls).map_err(Failure::other)?;
    let key = master_key(&data.join("master.key"))?;
    let mut config = Config::demo(data, connectors, base_urls, "127.0.0.0/8", &key)?;
    if let Some(url) = database_url {
        config.database_url = url;
    }
    Ok(config)
}

/// Kept beside the data, so that `--data` opens again.
fn master_key(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let fail = |error: std::io::Error| Failure::usage(format!("{}: {error}", file.display()));
    match std::fs::read_to_string(file) {
        Ok(key) => Ok(Zeroizing::new(key)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = MasterKey::generate().to_base64();
            write_private(file, &key).map_err(fail)?;
            Ok(key)
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

/// The account of every vendor of the sandbox; those of an earlier run are used again.
async fn connect(engine: &Engine, caller: &Caller, serving: &Serving) -> Result<Map<String, Value>, Failure> {
    let mut accounts = known(engine, caller).await?;
    for vendor in serving.stand_ins().iter().filter(|vendor| !vendor.context.is_empty()) {
        if let Some(id) = accounts.get(&vendor.name).and_then(Value::as_str) {
            renew(engine, caller, id, vendor).await?;
            continue;
        }
        let new = NewAccount {
            tenant_id: TENANT.to_owned(),
            connector: vendor.name.clone(),
            authentication_method: None,
            context: vendor.context.clone(),
        };
        let account = engine.create_account(caller, new).await?;
        accounts.insert(vendor.name.clone(), account["id"].clone());
    }
    Ok(accounts)
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
