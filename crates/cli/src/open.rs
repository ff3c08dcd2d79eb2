//! From settings to a working engine.

use std::path::Path;
use std::sync::Arc;

use koine_connector::catalogue::Catalogue;
use koine_engine::{Caller, Engine, EngineParts, Receivers, ServerParts};
use koine_model::Secret;
use koine_store::{Environment, Store, Vault};
use koine_upstream::{Settings, Upstream};

use crate::config::Config;
use crate::failure::Failure;

/// The environment that exists without being asked for.
pub(crate) const DEFAULT_ENVIRONMENT: &str = "default";

/// The connectors in the binary, with those of the operator's folder in place of theirs.
pub(crate) fn catalogue(folder: Option<&Path>) -> Result<Catalogue, Failure> {
    let catalogue = match folder {
        Some(folder) => Catalogue::with_folder(folder),
        None => Catalogue::embedded(),
    };
    catalogue.map_err(|problems| Failure::other(format!("connectors have problems:\n{problems}")))
}

/// Durable state alone, for commands that call nobody.
pub(crate) async fn store(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    let keys = config.master_keys()?;
    let vault = Vault::with_source(keys.clone());
    koine_store::open(&config.database_url, vault).await.map_err(Failure::store)
}

pub(crate) async fn engine(config: &Config) -> Result<Engine, Failure> {
    let settings = &config.settings;
    let outgoing = outgoing(settings)?;
    let webhooks = to_webhooks(settings, &outgoing);
    // The four wait for none of the others, and a start waits for all.
    let folder = settings.connectors_dir.clone();
    let catalogue = tokio::task::spawn_blocking(move || catalogue(folder.as_deref()));
    let upstream = tokio::task::spawn_blocking(move || Upstream::new(outgoing));
    let webhooks = tokio::task::spawn_blocking(move || Upstream::new(webhooks));
    let store = store(config).await?;
    let cursor_key = store.installation_key("cursors").await.map_err(Failure::store)?;
    let catalogue = catalogue.await.map_err(|panic| Failure::caused(&panic))??;
    let upstream = upstream.await.map_err(|panic| Failure::caused(&panic))?;
    let upstream = upstream.map_err(|error| Failure::caused(&error))?;
    let webhooks = webhooks.await.map_err(|panic| Failure::caused(&panic))?;
    let webhooks = webhooks.map_err(|error| Failure::caused(&error))?;
    let receivers = Receivers {
        outgoing: Arc::new(webhooks),
        timeout: settings.webhook_timeout.get(),
        retries: settings.webhook_retries.list().to_vec(),
    };
    let parts = EngineParts {
        store,
        catalogue: Arc::new(catalogue),
        upstream: Arc::new(upstream),
        base_urls: config.base_urls.clone(),
        cursor_key: Secret::new(cursor_key.as_str()),
        public_url: config.settings.public_url.as_ref().map(|url| url.url().clone()),
    };
    let server = ServerParts { receivers, node_files: config.settings.data_dir.join("nodes") };
    Ok(Engine::serving(parts, server))
}

/// The way to vendors, and nothing else of an engine.
pub(crate) fn upstream(settings: &koine_settings::Settings) -> Result<Upstream, Failure> {
    Upstream::new(outgoing(settings)?).map_err(|error| Failure::caused(&error))
}

/// What the operator set for calls to vendors.
fn outgoing(settings: &koine_settings::Settings) -> Result<Settings, Failure> {
    let total_timeout = settings.upstream_timeout.get();
    let extra_ca = match &settings.extra_ca_file {
        None => Vec::new(),
        Some(path) => std::fs::read(path)
            .map_err(|error| Failure::usage(format!("KOINE_EXTRA_CA_FILE {}: {error}", path.display())))?,
    };
    Ok(Settings {
        allow: settings.allow_addresses.ranges().to_vec(),
        connect_timeout: settings.upstream_connect_timeout.get().min(total_timeout),
        total_timeout,
        max_body: settings.upstream_answer_limit.bytes(),
        proxy: settings.egress_proxy.as_ref().map(|proxy| proxy.secret().clone()),
        extra_ca,
        ..Settings::default()
    })
}

/// The way to webhooks: as that to vendors, with ranges of its own, and of an answer no more than its beginning.
fn to_webhooks(settings: &koine_settings::Settings, vendors: &Settings) -> Settings {
    let timeout = settings.webhook_timeout.get();
    Settings {
        allow: settings.webhook_allow_addresses.ranges().to_vec(),
        connect_timeout: vendors.connect_timeout.min(timeout),
        total_timeout: timeout,
        max_body: 64 << 10,
        cut_large_bodies: true,
        ..vendors.clone()
    }
}

/// The named environment, or the default one, made when it is missing.
pub(crate) async fn environment(store: &Arc<dyn Store>, name: Option<&str>) -> Result<Environment, Failure> {
    let wanted = name.unwrap_or(DEFAULT_ENVIRONMENT);
    if let Some(found) = store.find_environment(wanted).await.map_err(Failure::store)? {
        return Ok(found);
    }
    match name {
        Some(name) => Err(Failure::not_found(format!(
            "there is no environment `{name}`; `koine environment create` makes one"
        ))),
        None => store.create_environment(wanted).await.map_err(Failure::store),
    }
}

/// The engine and the operator's hand in one environment.
pub(crate) async fn operator(environment_name: Option<&str>) -> Result<(Engine, Caller), Failure> {
    let engine = engine(&Config::read()?).await?;
    let environment = environment(engine.store(), environment_name).await?;
    Ok((engine, Caller::operator(environment.id)))
}
