//! Where the operator sends what is meant for a vendor: an emulator, the sandbox, or a gateway in front of it.

use std::collections::BTreeMap;

use url::Url;

/// The operator's addresses in place of the vendors' own.
#[derive(Clone, Debug, Default)]
pub struct BaseUrls {
    bases: BTreeMap<String, Url>,
    /// The most particular first.
    moves: Vec<Move>,
}

/// What begins with `prefix` goes to `target`.
#[derive(Clone, Debug)]
struct Move {
    /// `None`: whoever asks.
    connector: Option<String>,
    prefix: Url,
    target: Url,
}

impl BaseUrls {
    /// From what the operator wrote. A key is a connector's name, for its base URL; the beginning of a token
    /// endpoint's URL; or both with a blank between, for that connector's endpoint only.
    ///
    /// # Errors
    /// A key or an address that cannot be meant.
    pub fn new(written: BTreeMap<String, Url>) -> Result<Self, String> {
        let mut all = Self::default();
        for (key, target) in written {
            check(&target)?;
            let (connector, prefix) = match key.split_once(' ') {
                Some((connector, prefix)) => (Some(connector.to_owned()), prefix),
                None if key.contains("://") => (None, key.as_str()),
                None => {
                    all.bases.insert(key, target);
                    continue;
                }
            };
            let prefix = Url::parse(prefix).map_err(|error| format!("`{key}`: {error}"))?;
            check(&prefix)?;
            all.moves.push(Move { connector, prefix, target });
        }
        all.moves.sort_by_key(|one| (one.connector.is_none(), usize::MAX - one.prefix.path().len()));
        Ok(all)
    }

    /// What takes the place of a connector's base URL.
    pub(crate) fn base(&self, connector: &str) -> Option<&Url> {
        self.bases.get(connector)
    }

    /// Where a connector's token endpoint is instead.
    pub(crate) fn moved(&self, connector: &str, endpoint: &Url) -> Option<Url> {
        let fits = |one: &&Move| one.connector.as_deref().is_none_or(|name| name == connector);
        self.moves.iter().filter(fits).find_map(|one| relocated(endpoint, &one.prefix, &one.target))
    }
}

/// Nothing but scheme, host and path: credentials have a place of their own, and a query cannot begin anything.
fn check(url: &Url) -> Result<(), String> {
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    // The host only: whatever else is in it may be a secret.
    let host = url.host_str().unwrap_or_default();
    if plain { Ok(()) } else { Err(format!("the address at `{host}` must be scheme, host and path alone")) }
}

/// `url` with `target` in place of `prefix`, which ends where a host or a path segment ends.
pub(crate) fn relocated(url: &Url, prefix: &Url, target: &Url) -> Option<Url> {
    if url.origin() != prefix.origin() || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let rest = url.path().strip_prefix(prefix.path().trim_end_matches('/'))?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let mut moved = target.clone();
    moved.set_path(&format!("{}{rest}", target.path().trim_end_matches('/')));
    moved.set_query(url.query());
    Some(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(pairs: &[(&str, &str)]) -> Result<BaseUrls, String> {
        let url = |text: &str| Url::parse(text).expect("a URL");
        BaseUrls::new(pairs.iter().map(|(key, target)| ((*key).to_owned(), url(target))).collect())
    }

    fn moved(urls: &BaseUrls, connector: &str, endpoint: &str) -> Option<String> {
        let endpoint = Url::parse(endpoint).expect("a URL");
        urls.moved(connector, &endpoint).map(String::from)
    }

    #[test]
    fn a_prefix_ends_where_a_name_ends() {
        let urls = urls(&[("https://id.example.com/oauth", "http://127.0.0.1:9/x/")]).unwrap();
        let to = |endpoint| moved(&urls, "acme", endpoint);
        assert_eq!(
            to("https://id.example.com/oauth/token?a=b").as_deref(),
            Some("http://127.0.0.1:9/x/token?a=b")
        );
        assert_eq!(to("https://id.example.com:443/oauth").as_deref(), Some("http://127.0.0.1:9/x"));
        for other in [
            "https://id.example.com/oauthor/token",
            "https://id.example.com.evil.example/oauth/token",
            "https://id.example.com:444/oauth/token",
            "http://id.example.com/oauth/token",
            "https://id.example.com@evil.example/oauth/token",
            "https://me@id.example.com/oauth/token",
            "https://evil.example/https://id.example.com/oauth",
            "https://id.example.com/oauth/../token",
        ] {
            assert_eq!(to(other), None, "{other}");
        }
    }

    #[test]
    fn the_most_particular_wins() {
        let urls = urls(&[
            ("https://id.example.com", "http://127.0.0.1:1"),
            ("https://id.example.com/a", "http://127.0.0.1:2"),
            ("acme https://id.example.com", "http://127.0.0.1:3/acme"),
            ("acme", "http://127.0.0.1:4"),
        ])
        .unwrap();
        let endpoint = "https://id.example.com/a/token";
        assert_eq!(moved(&urls, "acme", endpoint).as_deref(), Some("http://127.0.0.1:3/acme/a/token"));
        assert_eq!(moved(&urls, "other", endpoint).as_deref(), Some("http://127.0.0.1:2/token"));
        assert_eq!(urls.base("acme").map(Url::as_str), Some("http://127.0.0.1:4/"));
        assert_eq!(urls.base("other"), None);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (key, target) in [
            ("acme", "ftp://127.0.0.1"),
            ("acme", "http://me:secret@127.0.0.1"),
            ("acme", "http://127.0.0.1/?a=b"),
            ("acme nonsense", "http://127.0.0.1"),
            ("https://id.example.com/?tenant=1", "http://127.0.0.1"),
            ("https://", "http://127.0.0.1"),
        ] {
            let error = urls(&[(key, target)]).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
