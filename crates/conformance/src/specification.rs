//! A vendor's specification in the one form that everything here works with, whatever it was written in.

use std::fmt;

use koine_model::Verb;
use percent_encoding::percent_decode_str;
use regex::Regex;
use serde_json::Value;

use crate::schema::Schemas;

/// One specification, read.
#[derive(Debug)]
pub struct Specification {
    /// The file's name.
    pub file: String,
    pub(crate) operations: Vec<Operation>,
    pub(crate) schemas: Schemas,
}

/// A verb on a path.
#[derive(Debug)]
pub(crate) struct Operation {
    pub verb: Verb,
    /// The path as the specification writes it.
    pub path: String,
    pub route: Route,
    /// Hosts of the servers, with parameters in braces; empty when the specification names none that is real.
    pub hosts: Vec<String>,
    pub parameters: Vec<Parameter>,
    pub body: Option<Body>,
    /// Empty when the specification says nothing of answers.
    pub answers: Vec<Answer>,
    /// Where it stands in the document, as a JSON pointer.
    pub pointer: String,
}

impl Operation {
    /// `GET /users/{id}`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.verb.as_str(), self.path)
    }

    /// Whether one of the servers may have this host.
    pub(crate) fn is_served_at(&self, host: &str) -> bool {
        let fits = |pattern: &String| {
            let pattern = format!("(?i)^{}$", matcher(pattern, |_| ".+"));
            Regex::new(&pattern).is_ok_and(|pattern| pattern.is_match(host))
        };
        self.hosts.is_empty() || self.hosts.iter().any(fits)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub name: String,
    pub place: Place,
    pub required: bool,
    pub style: Style,
    pub schema: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
}

impl Place {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Path, Self::Query, Self::Header].into_iter().find(|place| place.as_str() == word)
    }
}

/// How a parameter becomes text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// As it is; the items of a list apart by this character, or in repeated parameters.
    Plain(char),
    /// `name[key]=value`.
    Deep,
    /// JSON.
    Json,
}

#[derive(Debug)]
pub(crate) struct Body {
    pub required: bool,
    pub contents: Vec<Content>,
}

#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// Media type, in lower case and without parameters.
    pub media: String,
    /// `None` when anything goes.
    pub schema: Option<Value>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub status: Status,
    /// Empty when the specification describes no body.
    pub contents: Vec<Content>,
}

/// Which statuses an answer speaks of; the more exact comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    Exactly(u16),
    /// `4XX`.
    Hundred(u16),
    Any,
}

impl Status {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        if word == "default" {
            return Some(Self::Any);
        }
        match (word.parse().ok(), word.as_bytes()) {
            (Some(status), _) => Some(Self::Exactly(status)),
            (None, [digit @ b'1'..=b'5', b'x' | b'X', b'x' | b'X']) => {
                Some(Self::Hundred(u16::from(digit - b'0')))
            }
            _ => None,
        }
    }

    pub(crate) fn covers(self, status: u16) -> bool {
        match self {
            Self::Exactly(own) => own == status,
            Self::Hundred(digit) => status / 100 == digit,
            Self::Any => true,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(status) => write!(f, "{status}"),
            Self::Hundred(digit) => write!(f, "{digit}XX"),
            Self::Any => f.write_str("default"),
        }
    }
}

/// A path with parameters, below one of several bases.
#[derive(Debug)]
pub(crate) struct Route {
    fits: Regex,
    names: Vec<String>,
    /// A literal segment before a mixed one before a parameter, from left to right.
    rank: Vec<u8>,
}

impl Route {
    /// `bases` and `path` hold parameters in braces; those of a base stand for any one segment.
    pub(crate) fn new(bases: &[String], path: &str) -> Option<Self> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let mut names = Vec::new();
        let mut pattern = String::from("^(?:");
        for (at, base) in bases.iter().enumerate() {
            pattern.push_str(if at > 0 { "|" } else { "" });
            pattern.push_str(&matcher(base.trim_end_matches('/'), |_| "[^/]+"));
        }
        pattern.push(')');
        pattern.push_str(&matcher(path, |name| {
            names.push(name.trim_start_matches('+').to_owned());
            // `{+name}` takes slashes too
            if name.starts_with('+') { "(.+)" } else { "([^/]+)" }
        }));
        pattern.push_str("/?$");
        let rank = path.split('/').map(|segment| match segment.find('{') {
            None => 0,
            Some(0) if segment.ends_with('}') => 2,
            Some(_) => 1,
        });
        Some(Self { fits: Regex::new(&pattern).ok()?, names, rank: rank.collect() })
    }

    /// The decoded parameters of a path that fits.
    pub(crate) fn parameters(&self, path: &str) -> Option<Vec<(&str, String)>> {
        let found = self.fits.captures(path)?;
        let text = |at: usize| found.get(at + 1).map_or("", |part| part.as_str());
        let decoded = |at: usize| percent_decode_str(text(at)).decode_utf8_lossy().into_owned();
        Some(self.names.iter().enumerate().map(|(at, name)| (name.as_str(), decoded(at))).collect())
    }

    pub(crate) fn rank(&self) -> &[u8] {
        &self.rank
    }
}

/// The host of a URL whose parts may be parameters, without its port; `None` when there is none, or a stand-in's.
pub(crate) fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
    (!host.is_empty() && host != "localhost").then(|| host.to_owned())
}

/// The path of a server's URL, whose parts may be parameters.
pub(crate) fn path_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map(|(_, rest)| rest);
    let path = after_scheme.map_or(url, |rest| rest.find('/').map_or("", |at| &rest[at..]));
    path.trim_end_matches('/')
}

/// A pattern for text with parameters in braces; `of` gives that of each.
fn matcher(text: &str, mut of: impl FnMut(&str) -> &'static str) -> String {
    let mut pattern = String::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        pattern.push_str(&regex::escape(literal));
        pattern.push_str(of(name));
        rest = after;
    }
    pattern + &regex::escape(rest)
}

#[cfg(test)]
mod tests {
    use super::{Route, Status, host, path_of};

    fn route(bases: &[&str], path: &str) -> Route {
        let bases: Vec<_> = bases.iter().map(ToString::to_string).collect();
        Route::new(&bases, path).unwrap()
    }

    #[test]
    fn paths_are_matched_below_their_bases() {
        let users = route(&["/api/v1", "/{tenant}/v2/"], "/users/{id}");
        let id = |path: &str| users.parameters(path).map(|found| found[0].1.clone());
        assert_eq!(id("/api/v1/users/7"), Some("7".to_owned()));
        assert_eq!(id("/acme/v2/users/a%2Fb"), Some("a/b".to_owned()), "decoded after matching");
        assert_eq!(id("/users/7"), None);
        assert_eq!(id("/api/v1/users/7/x"), None);
        assert!(route(&[""], "/users(id='{id}').json").parameters("/users(id='7').json").is_some());
        assert!(route(&[""], "/v1/{+name}").parameters("/v1/a/b").is_some());
    }

    #[test]
    fn servers_have_hosts_and_paths() {
        let parts = |url| (host(url), path_of(url));
        let some = |host: &str| Some(host.to_owned());
        assert_eq!(parts("https://{yourOktaDomain}"), (some("{yourOktaDomain}"), ""));
        assert_eq!(parts("https://api.example.com:443/v3/"), (some("api.example.com"), "/v3"));
        assert_eq!(parts("{protocol}://{name}/x"), (some("{name}"), "/x"));
        assert_eq!(parts("http://localhost:8080/api"), (None, "/api"));
        assert_eq!(parts("/relative"), (None, "/relative"));
    }

    #[test]
    fn literal_segments_rank_before_parameters() {
        assert!(route(&[""], "/users/me").rank() < route(&[""], "/users/{id}").rank());
        assert!(route(&[""], "/users/u-{id}").rank() < route(&[""], "/users/{id}").rank());
    }

    #[test]
    fn statuses() {
        let parsed = |word| Status::parse(word).unwrap();
        assert!(parsed("404").covers(404) && parsed("4XX").covers(404) && parsed("default").covers(404));
        assert!(!parsed("4xx").covers(500) && Status::parse("6XX").is_none());
        assert!(parsed("404") < parsed("4XX") && parsed("4XX") < parsed("default"));
    }
}
