//! Operator settings: the only place that reads the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use koine_engine::BaseUrls;
use koine_model::Secret;
use koine_store::{MasterKey, Vault};

use crate::failure::Failure;

/// Everything that an operator may set.
pub(crate) struct Config {
    /// Where the database is.
    pub database_url: String,
    /// The address to listen on.
    pub listen: String,
    /// A folder of connectors laid over the built-in ones.
    pub connectors_dir: Option<PathBuf>,
    /// Ranges that outgoing calls may also reach.
    pub allow: Vec<ipnet::IpNet>,
    /// Addresses in place of the vendors' own.
    pub base_urls: BaseUrls,
    /// Longest time for one exchange with a vendor.
    pub upstream_timeout: Duration,
    master_key: Option<Secret>,
}

impl Config {
    /// Reads the variables.
    pub(crate) fn read() -> Result<Self, Failure> {
        let data_dir = variable("KOINE_DATA_DIR").unwrap_or_else(|| "koine-data".to_owned());
        let master_key = match (variable("KOINE_MASTER_KEY"), variable("KOINE_MASTER_KEY_FILE")) {
            (Some(key), _) => Some(Secret::new(key)),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(&file)
                    .map_err(|error| Failure::usage(format!("KOINE_MASTER_KEY_FILE {file}: {error}")))?;
                Some(Secret::new(text.trim()))
            }
            (None, None) => None,
        };
        let database_url = match variable("KOINE_DATABASE_URL") {
            Some(url) => url,
            None => {
                std::fs::create_dir_all(&data_dir)
                    .map_err(|error| Failure::usage(format!("KOINE_DATA_DIR {data_dir}: {error}")))?;
                format!("sqlite://{data_dir}/koine.db")
            }
        };
        Ok(Self {
            database_url,
            listen: variable("KOINE_LISTEN").unwrap_or_else(|| "127.0.0.1:8585".to_owned()),
            connectors_dir: connectors_dir(),
            allow: ranges(&variable("KOINE_ALLOW_ADDRESSES").unwrap_or_default())?,
            base_urls: base_urls(variable("KOINE_BASE_URLS"))?,
            upstream_timeout: upstream_timeout()?,
            master_key,
        })
    }

    /// Those of a demo, which takes nothing from the environment but the connectors and the time limit.
    pub(crate) fn demo(
        data: &Path,
        connectors_dir: Option<PathBuf>,
        base_urls: BaseUrls,
        allow: Vec<ipnet::IpNet>,
        key: &str,
    ) -> Result<Self, Failure> {
        Ok(Self {
            database_url: format!("sqlite://{}/koine.db", data.display()),
            listen: String::new(),
            connectors_dir,
            allow,
            base_urls,
            upstream_timeout: upstream_timeout()?,
            master_key: Some(Secret::new(key)),
        })
    }

    /// The key that seals credentials, and the one derived from it that signs cursors.
    pub(crate) fn keys(&self) -> Result<(Vault, Secret), Failure> {
        let key = self.master_key.as_ref().ok_or_else(|| {
            Failure::usage(
                "KOINE_MASTER_KEY (or KOINE_MASTER_KEY_FILE) is not set; `koine key generate` makes one",
            )
        })?;
        let master = MasterKey::from_base64(key.expose()).map_err(Failure::store)?;
        Ok((Vault::new(master), Secret::new(format!("koine cursor key {}", key.expose()))))
    }
}

/// `KOINE_CONNECTORS_DIR`, for commands that need nothing else.
pub(crate) fn connectors_dir() -> Option<PathBuf> {
    variable("KOINE_CONNECTORS_DIR").map(PathBuf::from)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn upstream_timeout() -> Result<Duration, Failure> {
    let Some(text) = variable("KOINE_UPSTREAM_TIMEOUT") else { return Ok(Duration::from_secs(30)) };
    match text.parse() {
        Ok(seconds @ 1..=300) => Ok(Duration::from_secs(seconds)),
        _ => Err(Failure::usage(format!("KOINE_UPSTREAM_TIMEOUT: `{text}` is not 1 to 300 (seconds)"))),
    }
}

fn ranges(text: &str) -> Result<Vec<ipnet::IpNet>, Failure> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let wrong = |_| {
                Failure::usage(format!("KOINE_ALLOW_ADDRESSES: `{part}` is not a range such as 10.0.0.0/8"))
            };
            part.parse().map_err(wrong)
        })
        .collect()
}

fn base_urls(text: Option<String>) -> Result<BaseUrls, Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::usage(format!("KOINE_BASE_URLS: {why}"));
    let Some(text) = text else { return Ok(BaseUrls::default()) };
    let map: BTreeMap<String, url::Url> = serde_json::from_str(&text)
        .map_err(|error| wrong(&format!("not an object, connector -> URL: {error}")))?;
    BaseUrls::new(map).map_err(|why| wrong(&why))
}
