//! The only outgoing HTTP: one client, one address guard, bounded in time and size. It sends a request once;
//! whether to send it again is the plan's decision.

mod client;
mod error;
mod guard;
mod outgoing;
mod token;

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use koine_model::Secret;

pub use client::Upstream;
pub use error::{TokenError, UpstreamError};
pub use guard::{Hosts, Lookup};
pub use token::{Login, Token, lifetime, received};

/// Limits and exceptions, set by the operator.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Ranges that calls may reach besides public addresses; plain `http` is allowed to these only.
    pub allow: Vec<IpNet>,
    /// A forward proxy, with user and password where it wants them, for all calls but those to `allow`. It looks
    /// names up itself, so that only names that resolve here are held against the addresses that may be called.
    pub proxy: Option<Secret>,
    /// Certificates in PEM form of authorities to believe besides the system's.
    pub extra_ca: Vec<u8>,
    /// Longest time to connect: name lookup, TCP and TLS together. Keep it under `total_timeout`: a connection
    /// attempt that only the latter ends is reported as lost, because by then it is not known what was sent.
    pub connect_timeout: Duration,
    /// Longest time for a whole exchange, redirects and body included.
    pub total_timeout: Duration,
    /// Most bytes of an answer's body, after decompression.
    pub max_body: usize,
    /// Whether a larger one is cut there, for who needs no more than its beginning, instead of being lost.
    pub cut_large_bodies: bool,
    /// Most redirects that a read follows.
    pub max_redirects: usize,
    /// Where names are looked up; what it finds is judged like any other address.
    pub lookup: Arc<dyn Lookup>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            proxy: None,
            extra_ca: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(30),
            max_body: 10 << 20,
            cut_large_bodies: false,
            max_redirects: 5,
            lookup: Arc::new(guard::SystemLookup),
        }
    }
}
