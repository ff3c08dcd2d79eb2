//! Where to listen, and ranges of addresses.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;

use super::Value;
use crate::Shape;

/// A place to listen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketAt {
    /// `host:port`; port 0 takes a free one.
    Tcp(String),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl fmt::Display for SocketAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Value for SocketAt {
    fn form() -> String {
        "`host:port`, or `unix:` and an absolute path".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            let absolute = path.is_absolute();
            return absolute
                .then_some(Self::Unix(path))
                .ok_or_else(|| format!("`{text}` is no absolute path"));
        }
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                Ok(Self::Tcp(text.to_owned()))
            }
            _ => Err(format!("`{text}` is not an address such as 127.0.0.1:8585")),
        }
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

/// Ranges of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses(Vec<IpNet>);

impl Addresses {
    /// The ranges.
    #[must_use]
    pub fn ranges(&self) -> &[IpNet] {
        &self.0
    }
}

impl Value for Addresses {
    const SHAPE: Shape = Shape::List;

    fn form() -> String {
        "ranges such as `10.0.0.0/8`, or single addresses".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(range).collect::<Result<_, _>>().map(Self)
    }

    fn shown(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

fn range(text: &str) -> Result<IpNet, String> {
    let single = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| single()).map_err(|_| format!("`{text}` is not a range such as 10.0.0.0/8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_place_is_an_address_or_a_path() {
        for text in ["127.0.0.1:0", "[::1]:8585", "localhost:80", "unix:/run/koine.sock"] {
            assert_eq!(SocketAt::parse(text).unwrap().shown(), text);
        }
        for text in ["8585", ":8585", "localhost", "127.0.0.1:99999", "unix:", "unix:run/koine.sock"] {
            assert!(SocketAt::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ranges_may_be_single_addresses() {
        let ranges = Addresses::parse(" 10.0.0.0/8, ::1 ,,192.0.2.7").unwrap();
        assert_eq!(ranges.shown(), "10.0.0.0/8,::1/128,192.0.2.7/32");
        assert_eq!(Addresses::parse("").unwrap(), Addresses::default());
        assert_eq!(
            Addresses::parse("10.0.0.0/8,ten").unwrap_err(),
            "`ten` is not a range such as 10.0.0.0/8"
        );
    }
}
