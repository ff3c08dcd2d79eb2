//! Where the gateway is, as browsers see it.

use url::{Origin, Url};

/// Addresses that the pages need. The default is a gateway on loopback whose pages nobody frames.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The address that people reach the gateway at; a path in it is in front of ours.
    pub public_url: Option<Url>,
    /// Who may frame the connect page, and is told how connecting an account went.
    pub connect_origins: Vec<Origin>,
}

impl Site {
    /// What is in front of our paths; begins with a slash unless it is empty.
    pub(crate) fn base(&self) -> &str {
        self.public_url.as_ref().map_or("", |url| url.path().trim_end_matches('/'))
    }

    /// Whether people come over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
    }

    /// The origins, with blanks between.
    pub(crate) fn origins(&self) -> String {
        self.connect_origins.iter().map(Origin::ascii_serialization).collect::<Vec<_>>().join(" ")
    }
}
