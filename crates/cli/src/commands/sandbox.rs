//! `koine sandbox`.

use clap::Args;
use serde_json::{Map, Value, json};

use super::serve::stop;
use crate::config;
use crate::failure::Failure;
use crate::output::Format;

/// Where and with whom.
#[derive(Args)]
#[command(
    after_help = "Example:\n  koine sandbox --port 8686\n\ndocs/sandbox.md says how to make it fail on demand."
)]
pub(crate) struct Sandbox {
    /// Port on loopback; 0 takes a free one.
    #[arg(long, default_value_t = 8686)]
    port: u16,
    /// Decides who the made-up people are.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) async fn run(options: &Sandbox, format: Format) -> Result<(), Failure> {
    let stop = stop();
    let serving = start(options.port, options.seed, config::connectors_dir()?.as_deref()).await?;
    let base_urls: Map<String, Value> = serving
        .stand_ins()
        .iter()
        .flat_map(koine_sandbox::StandIn::base_urls)
        .map(|(key, url)| (key, Value::String(url)))
        .collect();
    if format == Format::Json {
        let vendors: Vec<_> = serving
            .stand_ins()
            .iter()
            .map(
                |vendor| json!({"name": vendor.name, "base_url": vendor.base_url, "context": vendor.context}),
            )
            .collect();
        println!("{}", json!({"url": serving.url(), "base_urls": base_urls, "vendors": vendors}));
    } else {
        println!("sandbox on {}\n", serving.url());
        for vendor in serving.stand_ins() {
            println!("  {:<16} {}\n{:19}{}", vendor.name, vendor.base_url, "", Value::Object(shown(vendor)));
        }
        println!("\nA gateway reaches it with\n\n  export KOINE_ALLOW_ADDRESSES=127.0.0.0/8");
        println!("  export KOINE_BASE_URLS='{}'", Value::Object(base_urls));
    }
    stop.await;
    Ok(())
}

/// Credential fields for people; a key is many lines, and `-o json` has it.
fn shown(vendor: &koine_sandbox::StandIn) -> Map<String, Value> {
    let mut context = vendor.context.clone();
    for field in &vendor.made {
        context.insert(field.clone(), Value::String("made at start; see -o json".to_owned()));
    }
    context
}

/// The sandbox of all connectors, the operator's own included, on loopback.
pub(crate) async fn start(
    port: u16,
    seed: u64,
    connectors: Option<&std::path::Path>,
) -> Result<koine_sandbox::Serving, Failure> {
    let files = koine_connector::catalogue::files(connectors);
    let problems = |problems| Failure::other(format!("connectors have problems:\n{problems}"));
    let sandbox = koine_sandbox::Sandbox::new(&files.map_err(problems)?, seed).map_err(problems)?;
    let fail = |error| Failure::other(format!("--port {port}: {error}"));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.map_err(fail)?;
    sandbox.serve(listener).map_err(fail)
}
