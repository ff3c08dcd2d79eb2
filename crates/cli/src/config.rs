//! Operator settings as commands use them: the only place that reads the environment and the configuration file.
//! What there is to set stands in `koine_settings`, one row each.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use koine_engine::BaseUrls;
use koine_model::Secret;
use koine_server::Site;
use koine_settings::{ConfigFile, Read, Settings, SocketAt, Sources};

use crate::failure::Failure;
use crate::master_key::{MasterKeys, Place};

/// Read when no other file is named.
const DEFAULT_FILE: &str = "/etc/koine/koine.toml";

/// The file of `--config`, so that not every command has to hand it on. Set once, before any command runs.
static NAMED: OnceLock<PathBuf> = OnceLock::new();

/// Takes the file of `--config`.
pub(crate) fn name_file(path: PathBuf) {
    NAMED.set(path).expect("the command line is read once");
}

/// Everything that an operator may set, ready for use.
pub(crate) struct Config {
    /// The values as they were set.
    pub settings: Settings,
    /// Where the database is; may hold a password.
    pub database_url: String,
    /// Addresses in place of the vendors' own.
    pub base_urls: BaseUrls,
    master_keys: Option<MasterKeys>,
}

impl Config {
    /// Reads file and environment.
    pub(crate) fn read() -> Result<Self, Failure> {
        Self::of(read(BTreeMap::new())?)
    }

    /// From what was read; the folder of the database is made when it is missing.
    pub(crate) fn of(read: Read) -> Result<Self, Failure> {
        if read.settings.database_url.is_none() {
            let folder = &read.settings.data_dir;
            private_folder(folder).map_err(|error| {
                Failure::usage(format!("{} {}: {error}", spelling("data_dir"), folder.display()))
            })?;
        }
        Self::as_read(read)
    }

    /// From what was read, and nothing is made.
    pub(crate) fn as_read(read: Read) -> Result<Self, Failure> {
        let master_keys = master_keys(&read)?;
        let settings = read.settings;
        let database_url = match &settings.database_url {
            Some(url) => with_authorities(url.secret().expose(), settings.extra_ca_file.as_deref())?,
            None => format!("sqlite://{}/koine.db", settings.data_dir.display()),
        };
        let base_urls = BaseUrls::new(settings.base_urls.map().clone());
        let base_urls =
            base_urls.map_err(|why| Failure::usage(format!("{}: {why}", spelling("base_urls"))))?;
        Ok(Self { database_url, base_urls, master_keys, settings })
    }

    /// Those of a demo, which takes nothing of the operator's but the connectors and the time limit.
    pub(crate) fn demo(
        data: &Path,
        connectors_dir: Option<PathBuf>,
        base_urls: BaseUrls,
        allow: &str,
        key: &str,
    ) -> Result<Self, Failure> {
        let own = public_sources()?;
        let mut sources = Sources::default();
        let timeout = read_from(&own)?.settings.upstream_timeout.get().as_secs();
        sources.flags.insert("upstream-timeout".to_owned(), timeout.to_string());
        sources.flags.insert("allow-addresses".to_owned(), allow.to_owned());
        let mut settings = read_from(&sources)?.settings;
        settings.connectors_dir = connectors_dir;
        settings.data_dir = data.to_owned();
        let database_url = format!("sqlite://{}/koine.db", data.display());
        Ok(Self { settings, database_url, base_urls, master_keys: Some(MasterKeys::text(Secret::new(key))) })
    }

    /// Where the master key comes from.
    pub(crate) fn master_keys(&self) -> Result<&MasterKeys, Failure> {
        self.master_keys.as_ref().ok_or_else(|| {
            Failure::usage(
                "no master key: set KOINE_MASTER_KEY_FILE, KOINE_MASTER_KEY_COMMAND or KOINE_MASTER_KEY; \
                 `koine key generate` makes one",
            )
        })
    }
}

impl Config {
    /// What the pages need to know.
    pub(crate) fn site(&self) -> Site {
        let public_url = self.settings.public_url.as_ref().map(|url| url.url().clone());
        Site { public_url, connect_origins: self.settings.connect_origins.all().to_vec() }
    }

    /// The beginning of every page's address.
    pub(crate) fn page_base(&self) -> url::Url {
        let listening = || match &self.settings.listen {
            SocketAt::Tcp(address) => url::Url::parse(&format!("http://{address}")).ok(),
            SocketAt::Unix(_) => None,
        };
        let known = self.settings.public_url.as_ref().map(|url| url.url().clone()).or_else(listening);
        known.unwrap_or_else(|| url::Url::parse("http://127.0.0.1:8585").expect("an address"))
    }
}

/// Who may frame the connect page of a demo.
pub(crate) fn connect_origins() -> Result<Vec<url::Origin>, Failure> {
    Ok(read_from(&public_sources()?)?.settings.connect_origins.all().to_vec())
}

/// Reads the settings, with these flags over file and environment.
pub(crate) fn read(flags: BTreeMap<String, String>) -> Result<Read, Failure> {
    read_from(&Sources { file: file()?, variables: variables(), flags })
}

/// `connectors_dir`, for commands that need nothing else and run for users who may not read the gateway's settings.
pub(crate) fn connectors_dir() -> Result<Option<PathBuf>, Failure> {
    Ok(read_from(&public_sources()?)?.settings.connectors_dir)
}

fn read_from(sources: &Sources) -> Result<Read, Failure> {
    koine_settings::read(sources).map_err(|problems| Failure::usage(problems.join("\n")))
}

/// As for every command, but the default file counts only where this user may read it.
fn public_sources() -> Result<Sources, Failure> {
    let file = match file() {
        Err(_) if named().is_none() => None,
        file => file?,
    };
    Ok(Sources { file, variables: variables(), flags: BTreeMap::new() })
}

fn variables() -> BTreeMap<String, String> {
    let all = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
    all.filter(|(name, _)| name.starts_with("KOINE_")).collect()
}

/// The file that somebody asked for.
fn named() -> Option<PathBuf> {
    let variable = std::env::var_os("KOINE_CONFIG").filter(|value| !value.is_empty());
    NAMED.get().cloned().or_else(|| variable.map(PathBuf::from))
}

fn file() -> Result<Option<ConfigFile>, Failure> {
    let named = named();
    let path = named.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    let fail = |error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(error)),
    };
    let public = std::fs::metadata(&path).map_err(fail)?.permissions().mode() & 0o004 != 0;
    Ok(Some(ConfigFile { path, text, public }))
}

/// The key, from wherever it was set last: flags and environment go before the file.
fn master_keys(read: &Read) -> Result<Option<MasterKeys>, Failure> {
    let settings = &read.settings;
    let rank = |name: &str| read.origin(name).rank();
    // The place that was set latest (file, environment, flag) counts.
    let places = [
        (rank("master_key"), settings.master_key.clone().map(Place::Text)),
        (rank("master_key_file"), settings.master_key_file.clone().map(Place::File)),
        (rank("master_key_command"), settings.master_key_command.as_deref().map(Place::command).transpose()?),
    ];
    let latest = places.into_iter().filter_map(|(rank, place)| Some((rank, place?))).rev();
    let place = latest.max_by_key(|(rank, _)| *rank).map(|(_, place)| place);
    Ok(place.map(|place| MasterKeys::new(place, settings.master_key_previous.clone())))
}

/// A server that is to be verified is believed by the same authorities as vendors are, unless its address names others.
/// `require` alone verifies nobody, and is no stricter because vendors need an authority.
fn with_authorities(url: &str, extra: Option<&Path>) -> Result<String, Failure> {
    let has_own = ["sslrootcert=", "sslmode=require"].iter().any(|part| url.contains(part));
    let Some(path) = extra.filter(|_| url.starts_with("postgres") && !has_own) else {
        return Ok(url.to_owned());
    };
    let path = path.display().to_string();
    // The database would not say which file it misses.
    std::fs::File::open(&path)
        .map_err(|error| Failure::usage(format!("{} {path}: {error}", spelling("extra_ca_file"))))?;
    let file: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
    Ok(format!("{url}{}sslrootcert={file}", if url.contains('?') { '&' } else { '?' }))
}

/// Makes a folder that its owner alone may enter, whatever the umask; one that is there keeps its mode.
pub(crate) fn private_folder(folder: &Path) -> std::io::Result<()> {
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made,
    }
}

/// What messages call a setting: the variable is the spelling that everybody knows.
fn spelling(name: &str) -> String {
    format!("KOINE_{}", name.to_ascii_uppercase())
}
