//! Addresses with a scheme; some of them hold a password.

use std::collections::BTreeMap;

use koine_model::Secret;
use url::{Origin, Url};

use super::Value;
use crate::Shape;

/// The address that others know this gateway by; its path ends with a slash, so that paths can be joined to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(Url);

impl PublicUrl {
    /// The address.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }
}

/// Origins of pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<Origin>);

impl Origins {
    /// The origins.
    #[must_use]
    pub fn all(&self) -> &[Origin] {
        &self.0
    }
}

impl Value for Origins {
    const SHAPE: Shape = Shape::List;

    fn form() -> String {
        "origins such as `https://app.example.com`".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(origin).collect::<Result<_, _>>().map(Self)
    }

    fn shown(&self) -> String {
        self.0.iter().map(Origin::ascii_serialization).collect::<Vec<_>>().join(",")
    }
}

fn origin(text: &str) -> Result<Origin, String> {
    let found = Url::parse(text).ok().map(|url| url.origin());
    let is_whole = |origin: &Origin| origin.ascii_serialization() == text.trim_end_matches('/');
    found
        .filter(|origin| origin.is_tuple() && is_whole(origin))
        .ok_or_else(|| format!("`{text}` is not an origin such as https://app.example.com"))
}

impl Value for PublicUrl {
    fn form() -> String {
        "a URL such as `https://koine.example.com`".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{text}` {why}; it should look like https://koine.example.com");
        let mut url = Url::parse(text).map_err(|_| wrong("is not a URL"))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(wrong("is neither https nor http"));
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(wrong("has more than a host and a path"));
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self(url))
    }

    fn shown(&self) -> String {
        self.0.to_string()
    }
}

/// A forward proxy, perhaps with a user and a password.
#[derive(Clone)]
pub struct ProxyUrl(Secret);

impl ProxyUrl {
    /// The address with all it holds.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

impl std::fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Value for ProxyUrl {
    const SECRET: bool = true;

    fn form() -> String {
        "`http://` or `https://`, perhaps with `user:password@`".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "it should look like http://user:password@proxy.example.com:3128".to_owned();
        let url = Url::parse(text).map_err(|_| wrong())?;
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let fits = matches!(url.scheme(), "http" | "https") && url.host().is_some() && bare;
        fits.then(|| Self(Secret::new(text))).ok_or_else(wrong)
    }

    fn shown(&self) -> String {
        without_password(self.0.expose())
    }
}

/// A database, perhaps with a user and a password. Which ones there are, the store knows.
#[derive(Clone)]
pub struct DatabaseUrl(Secret);

impl DatabaseUrl {
    /// The address with all it holds.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Value for DatabaseUrl {
    const SECRET: bool = true;

    fn form() -> String {
        "`sqlite://PATH` or `postgres://user:password@host/database`".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let fits = text.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
        fits.then(|| Self(Secret::new(text))).ok_or_else(|| format!("it should be {}", Self::form()))
    }

    fn shown(&self) -> String {
        without_password(self.0.expose())
    }
}

/// Hides the password before the host, and the parameters, which may hold one too.
fn without_password(url: &str) -> String {
    let (base, parameters) = url.split_once('?').map_or((url, ""), |(base, _)| (base, "?(hidden)"));
    let Some((scheme, rest)) = base.split_once("://") else { return format!("{base}{parameters}") };
    // A password may hold a slash or an at sign that should have been encoded: the last at sign ends it.
    let shown = match rest.rsplit_once('@').map(|(user, host)| (user.split_once(':'), host)) {
        Some((Some((user, _)), host)) => format!("{user}:(hidden)@{host}"),
        _ => rest.to_owned(),
    };
    format!("{scheme}://{shown}{parameters}")
}

/// Addresses in place of others, by what they replace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves(BTreeMap<String, Url>);

impl Moves {
    /// What is replaced, and by what.
    #[must_use]
    pub fn map(&self) -> &BTreeMap<String, Url> {
        &self.0
    }
}

impl Value for Moves {
    const SHAPE: Shape = Shape::Map;

    fn form() -> String {
        "a table of URLs; as text, a JSON object".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let written: BTreeMap<String, String> = serde_json::from_str(text)
            .map_err(|error| format!("not an object, connector -> URL: {error}"))?;
        let read = |(key, url): (String, String)| match Url::parse(&url) {
            Ok(url) => Ok((key, url)),
            Err(error) => Err(format!("`{key}`: `{url}` is not a URL: {error}")),
        };
        written.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    fn shown(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(key, url)| format!("{key} -> {url}")).collect();
        pairs.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_can_be_joined_to() {
        let url = PublicUrl::parse("https://id.example.com/koine").unwrap();
        assert_eq!(url.url().join("connect/x").unwrap().as_str(), "https://id.example.com/koine/connect/x");
        for text in ["id.example.com", "ftp://x", "https://x/?a=b", "https://u@x", "https://x/#a"] {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        for (url, shown) in [
            (
                "postgres://koine:hun/ter2@db.example.com/koine",
                "postgres://koine:(hidden)@db.example.com/koine",
            ),
            ("postgres://koine:hun@ter2@db/koine", "postgres://koine:(hidden)@db/koine"),
            ("postgres:///koine?password=hunter2", "postgres:///koine?(hidden)"),
            ("postgres:koine?password=hunter2", "postgres:koine?(hidden)"),
            ("sqlite:///var/lib/koine/koine.db", "sqlite:///var/lib/koine/koine.db"),
        ] {
            let url = DatabaseUrl::parse(url).unwrap();
            assert_eq!((url.shown().as_str(), format!("{url:?}").as_str()), (shown, shown));
        }
        assert_eq!(
            ProxyUrl::parse("http://me:hunter2@proxy:3128").unwrap().shown(),
            "http://me:(hidden)@proxy:3128"
        );
        for text in ["proxy:3128", "socks5://u:hunter2@proxy", "http://u:hunter2@proxy/path", "http://"] {
            let why = ProxyUrl::parse(text).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
