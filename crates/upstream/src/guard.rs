//! Where a request may go: which hosts, and which addresses behind them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use async_trait::async_trait;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::error::NoAllowedAddress;

/// The only hosts that a request, and the redirects it follows, may go to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(BTreeSet<String>);

impl Hosts {
    /// Takes entries `host` or `host:port`, without the scheme's default port. There are no wildcards.
    pub fn new<T: Into<String>>(entries: impl IntoIterator<Item = T>) -> Self {
        Self(entries.into_iter().map(|entry| entry.into().to_ascii_lowercase()).collect())
    }

    /// These and one more.
    #[must_use]
    pub fn with(&self, entry: impl Into<String>) -> Self {
        Self::new(self.0.iter().cloned().chain([entry.into()]))
    }

    /// Whether the URL's host and port are an entry.
    #[must_use]
    pub fn allows(&self, url: &Url) -> bool {
        match (url.host_str(), url.port()) {
            (None, _) => false,
            (Some(host), None) => self.0.contains(host),
            (Some(host), Some(port)) => self.0.iter().any(|entry| is_authority(entry, host, port)),
        }
    }
}

/// Host, and port if it is not the scheme's default. The URL parser has put the host in lower case.
pub(crate) fn authority(url: &Url) -> Option<Cow<'_, str>> {
    let host = url.host_str()?;
    Some(url.port().map_or(Cow::Borrowed(host), |port| Cow::Owned(format!("{host}:{port}"))))
}

/// Whether an entry is this host with this port, as [`authority`] would write them.
fn is_authority(entry: &str, host: &str, port: u16) -> bool {
    entry.rsplit_once(':').is_some_and(|(name, number)| name == host && number.parse() == Ok(port))
}

/// How far a client reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Public addresses and the operator's ranges: with TLS.
    Everywhere,
    /// The operator's ranges only: without TLS, credentials must not cross a network that is not his.
    AllowedRanges,
}

impl Reach {
    /// The reach that goes with a URL's scheme.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        match url.scheme() {
            "https" => Some(Self::Everywhere),
            "http" => Some(Self::AllowedRanges),
            _ => None,
        }
    }
}

/// Decides on URLs and addresses.
#[derive(Debug)]
pub(crate) struct Guard {
    allow: Vec<IpNet>,
}

impl Guard {
    pub(crate) fn new(allow: Vec<IpNet>) -> Self {
        Self { allow }
    }

    /// Checks what can be checked before the name is looked up; `Err` says why the URL is refused. IP literals
    /// are decided here for good, because the HTTP client does not ask a resolver about them.
    pub(crate) fn check(&self, url: &Url, hosts: &Hosts) -> Result<Reach, String> {
        let host = || authority(url).unwrap_or_default();
        let reach =
            Reach::of(url).ok_or_else(|| format!("scheme `{}` is not allowed: use https", url.scheme()))?;
        if !hosts.allows(url) {
            let host = host();
            return Err(format!("host `{host}` is not one of the hosts that this request may go to"));
        }
        // They would become an Authorization header that is not among the credentials we know to drop.
        if !url.username().is_empty() || url.password().is_some() {
            let host = host();
            return Err(format!("the URL for `{host}` carries a user name or password"));
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        };
        match literal {
            Some(address) if !self.permits(address, reach) => {
                Err(format!("address `{}` may not be called with {}", host(), url.scheme()))
            }
            None if reach == Reach::AllowedRanges && self.allow.is_empty() => {
                Err(format!("host `{}` may not be called with http: use https", host()))
            }
            _ => Ok(reach),
        }
    }

    /// Whether a connection to this address may be opened.
    pub(crate) fn permits(&self, address: IpAddr, reach: Reach) -> bool {
        // ::ffff:127.0.0.1 connects to 127.0.0.1, so it is judged as that.
        let address = address.to_canonical();
        self.allow.iter().any(|range| range.contains(&address))
            || (reach == Reach::Everywhere && is_public(address))
    }
}

/// Longest look-up before a call that a proxy may take: a network that lets nothing out may not answer at all.
const LOOKUP: Duration = Duration::from_secs(2);

impl Guard {
    /// Whether a checked URL leads into the operator's own ranges, so that the call goes there directly and not
    /// through the egress proxy; `Err` says why it is refused.
    ///
    /// The proxy looks names up itself. What we can know is what they mean here: a name that leads nowhere but to
    /// addresses that may not be called is refused, and one that means nothing here is the proxy's to judge.
    pub(crate) async fn is_inside(&self, url: &Url, lookup: &dyn Lookup) -> Result<bool, String> {
        let host = url.host_str().unwrap_or_default();
        let found: Vec<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            _ => match tokio::time::timeout(LOOKUP, lookup.lookup(host)).await {
                Ok(Ok(found)) => found,
                Ok(Err(_)) | Err(_) => Vec::new(),
            },
        };
        if !found.is_empty() && !found.iter().any(|address| self.permits(*address, Reach::Everywhere)) {
            return Err(NoAllowedAddress { host: host.to_owned() }.to_string());
        }
        Ok(!found.is_empty() && found.iter().all(|address| self.permits(*address, Reach::AllowedRanges)))
    }
}

/// Where names are looked up.
#[async_trait]
pub trait Lookup: Send + Sync + fmt::Debug {
    /// The addresses of a name.
    ///
    /// # Errors
    /// When it has none, or nobody could be asked.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's own way: `/etc/hosts`, then DNS.
#[derive(Debug)]
pub(crate) struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|found| found.ip()).collect())
    }
}

/// Looks names up and hands on only the addresses that may be called. The connection is opened to exactly these,
/// so a name that answers differently the next time (DNS rebinding) gains nothing.
pub(crate) struct CheckedResolver {
    pub(crate) guard: Arc<Guard>,
    pub(crate) reach: Reach,
    pub(crate) lookup: Arc<dyn Lookup>,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, reach, lookup) = (Arc::clone(&self.guard), self.reach, Arc::clone(&self.lookup));
        Box::pin(async move {
            let host = name.as_str();
            let found = lookup.lookup(host).await?;
            if found.is_empty() {
                return Err(format!("host `{host}` has no address").into());
            }
            let kept: Vec<SocketAddr> = found
                .into_iter()
                .filter(|found| guard.permits(*found, reach))
                .map(|found| SocketAddr::new(found, 0))
                .collect();
            if kept.is_empty() {
                return Err(NoAllowedAddress { host: host.to_owned() }.into());
            }
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is a public unicast one.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Looks public, and is answered by the machine's own cloud: Azure's platform server, which hands out configuration.
const PLATFORM: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    if address == PLATFORM {
        return false;
    }
    !matches!(
        (a, b, c),
        (0 | 10 | 127, ..)             // this network, private, loopback
            | (100, 64..=127, _)       // shared address space of carriers (CGNAT), with a cloud's metadata server
            | (169, 254, _)            // link-local, with the clouds' metadata servers
            | (172, 16..=31, _)        // private
            | (192, 0, 0 | 2)          // protocol assignments, documentation
            | (192, 88, 99)            // 6to4 relays, abandoned
            | (192, 168, _)            // private
            | (198, 18..=19, _)        // benchmarking
            | (198, 51, 100)           // documentation
            | (203, 0, 113)            // documentation
            | (224..=255, ..) // multicast, reserved, broadcast
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    // ISATAP: a tunnel leads to the IPv4 address in the last 32 bits, whatever the prefix.
    if matches!((e, f), (0 | 0x200, 0x5efe)) {
        return is_public_v6_prefix(a, b) && embedded(g, h);
    }
    match (a, b) {
        // NAT64: a translator connects to the IPv4 address in the last 32 bits.
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => embedded(g, h),
        // 6to4: likewise, the 32 bits after the prefix.
        (0x2002, high) => embedded(high, c),
        _ => is_public_v6_prefix(a, b),
    }
}

fn is_public_v6_prefix(a: u16, b: u16) -> bool {
    match (a, b) {
        // IETF protocol assignments (Teredo, benchmarking, ORCHID …) and documentation.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) => false,
        // Global unicast. All else is unspecified, loopback, IPv4-compatible, unique local, link-local,
        // site-local, multicast, or not assigned at all.
        (0x2000..=0x3fff, _) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
