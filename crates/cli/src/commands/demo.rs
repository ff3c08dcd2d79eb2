//! `koine demo`: sandbox and gateway in one process, with one connected account per connector.

use std::path::PathBuf;

use clap::Args;
use koine_engine::{Caller, Engine};
use koine_server::{Serving, Site};
use koine_store::NewToken;
use serde_json::{Map, Value, json};

use super::{link_token, serve};
use crate::config;
use crate::failure::Failure;
use crate::world::{TENANT, World};

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
    /// Use this database in place of one in a folder; for trying out, because others can see a password in it.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Decides who the made-up people are.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) async fn run(options: &Demo) -> Result<(), Failure> {
    let stop = serve::stop();
    let temporary =
        tempfile::tempdir().map_err(|error| Failure::other(format!("temporary folder: {error}")))?;
    let data = options.data.as_deref().unwrap_or(temporary.path());
    let connectors = config::connectors_dir()?;
    let World { engine, serving, caller, accounts } =
        World::start(data, options.database_url.clone(), options.sandbox_port, options.seed, connectors)
            .await?;
    engine.settle().await?;
    let site = Site { connect_origins: config::connect_origins()?, ..Site::default() };
    let fail = |error: std::io::Error| Failure::other(format!("--port {}: {error}", options.port));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", options.port)).await.map_err(fail)?;
    let url = format!("http://{}", listener.local_addr().map_err(fail)?);
    let token = token(&engine, &caller).await?;
    let connect_url = connect_url(&engine, &caller, &url).await?;
    let facts = json!({"url": url, "token": token, "connect_url": connect_url, "sandbox_url": serving.url(), "accounts": accounts});
    if options.json {
        println!("{facts}");
    } else {
        println!("{}", welcome(&facts));
    }
    serve::serve(listener, engine, Serving { site, ..Serving::default() }, stop).await.map_err(fail)
}

/// A new token for this run.
async fn token(engine: &Engine, caller: &Caller) -> Result<String, Failure> {
    let token = NewToken {
        environment_id: caller.environment_id(),
        name: "demo".to_owned(),
        account_ids: None,
        read_only: false,
        administrator: true,
        expires_at: None,
    };
    let (_, token) = engine.store().create_token(token).await.map_err(Failure::store)?;
    Ok(token)
}

/// A link to the page on which a customer connects an account.
async fn connect_url(engine: &Engine, caller: &Caller, url: &str) -> Result<String, Failure> {
    let body = Map::from_iter([("tenant_id".to_owned(), json!(TENANT))]);
    let made = engine.create_link_token(caller, &body).await?;
    let base = url::Url::parse(url).expect("the gateway's own address is a URL");
    Ok(link_token::page(&base, made["link_token"].as_str().unwrap_or_default(), &[]))
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
         Look for her: nobody has that e-mail any more.\n{}\n\n\
         Connect one more account, as a customer does (credentials: {}/_sandbox/vendors):\n  {}\n\nEnd with Ctrl-C.",
        text("sandbox_url"),
        rows.join("\n"),
        call("GET", "users?limit=2"),
        call("DELETE", "users/-?emails=ada@example.com&koine_plan=true"),
        call("DELETE", "users/-?emails=ada@example.com"),
        call("GET", "users/-?emails=ada@example.com"),
        text("sandbox_url"),
        text("connect_url"),
    )
}
