//! Who is at the other end: the peer itself, or whom a trusted reverse proxy says that it speaks for.
//!
//! Anybody can send `Forwarded` and `X-Forwarded-…`. They are read from the right, where the nearest proxy wrote, and
//! only as far as each address is a proxy that the operator trusts; the first one that is none is the client.

use std::net::IpAddr;

use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Where a call came from; an extension of every request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Client {
    /// `None` when nobody told.
    pub(crate) address: Option<IpAddr>,
    /// Whether it came by TLS, as far as is known.
    pub(crate) secure: bool,
}

/// One step of the way, as a proxy wrote it down.
#[derive(Clone, Copy, Debug, Default)]
struct Hop {
    /// `None` for `unknown` and for names that a proxy made up.
    address: Option<IpAddr>,
    secure: bool,
}

/// Finds the client behind the other end of a connection; a socket in the file system has no address, and who may
/// write to it was decided by whoever set its folder's permissions.
pub(crate) fn identify(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Client {
    let peer = peer.map(|address| address.to_canonical());
    let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.contains(&address));
    let mut client = Client { address: peer, secure: false };
    if !peer.is_none_or(is_trusted) {
        return client;
    }
    let hops = if headers.contains_key(FORWARDED) { forwarded(headers) } else { x_forwarded(headers) };
    for hop in hops.iter().rev() {
        let Some(address) = hop.address else { break };
        client = Client { address: Some(address), secure: hop.secure };
        if !is_trusted(address) {
            break;
        }
    }
    client
}

/// `Forwarded: for=192.0.2.7;proto=https, for="[2001:db8::7]:4711"` (RFC 7239).
fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let mut hops = Vec::new();
    for element in elements(headers, &FORWARDED) {
        let mut hop = Hop::default();
        for pair in element.split(';') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => hop.address = address(value),
                "proto" => hop.secure = value.eq_ignore_ascii_case("https"),
                _ => {}
            }
        }
        hops.push(hop);
    }
    hops
}

/// `X-Forwarded-For` with a scheme for each address, or one for all.
fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let schemes = elements(headers, &X_FORWARDED_PROTO);
    let addresses = elements(headers, &X_FORWARDED_FOR);
    let scheme = |index: usize| {
        if schemes.len() == addresses.len() { schemes.get(index) } else { schemes.last() }
    };
    let hop = |(index, text): (usize, &&str)| Hop {
        address: address(text),
        secure: scheme(index).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")),
    };
    addresses.iter().enumerate().map(hop).collect()
}

/// The elements of a list that may stand in several headers of one name.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    values.flat_map(|value| value.split(',')).map(str::trim).collect()
}

/// An address, perhaps with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if text.matches(':').count() == 1 => text.split(':').next().unwrap_or_default(),
        None => text,
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn told(peer: Option<&str>, headers: &[(&'static str, &'static str)]) -> (Option<String>, bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let peer = peer.map(|peer| peer.parse().unwrap());
        let client = identify(peer, &map, &["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        (client.address.map(|address| address.to_string()), client.secure)
    }

    fn at(address: &str, secure: bool) -> (Option<String>, bool) {
        (Some(address.to_owned()), secure)
    }

    #[test]
    fn strangers_are_not_believed() {
        let lies = [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=203.0.113.9;proto=https"),
        ];
        assert_eq!(told(Some("198.51.100.7"), &lies), at("198.51.100.7", false));
        assert_eq!(told(Some("198.51.100.7"), &[]), at("198.51.100.7", false));
    }

    #[test]
    fn a_trusted_proxy_is_believed_in_either_form() {
        let x = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")];
        assert_eq!(told(Some(PROXY), &x), at("203.0.113.9", true));
        let forwarded = [("forwarded", "for=\"[2001:db8::7]:4711\";Proto=HTTPS;by=10.0.0.1")];
        assert_eq!(told(Some(PROXY), &forwarded), at("2001:db8::7", true));
        assert_eq!(told(Some(PROXY), &[]), at(PROXY, false), "it says nothing");
        assert_eq!(told(None, &x), at("203.0.113.9", true), "the peer of a socket");
        assert_eq!(told(None, &[]), (None, false));
    }

    #[test]
    fn what_a_client_put_in_front_is_not_believed() {
        let x = [("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.0.0.2")];
        assert_eq!(told(Some(PROXY), &x), at("203.0.113.9", false));
        let twice = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(told(Some(PROXY), &twice), at("203.0.113.9", false), "two headers are one list");
        let forwarded =
            [("forwarded", "for=1.1.1.1;proto=https"), ("forwarded", "for=203.0.113.9;proto=http")];
        assert_eq!(told(Some(PROXY), &forwarded), at("203.0.113.9", false));
        let both = [("forwarded", "for=203.0.113.9"), ("x-forwarded-for", "1.1.1.1")];
        assert_eq!(told(Some(PROXY), &both), at("203.0.113.9", false), "the standard goes first");
    }

    #[test]
    fn the_way_ends_at_what_is_no_address() {
        for unknown in ["unknown", "_hidden", "nonsense", "", "1.1.1.1.1"] {
            let hops = ["1.1.1.1", unknown, "10.0.0.3"].join(", ");
            let hops: &'static str = hops.leak();
            assert_eq!(told(Some(PROXY), &[("x-forwarded-for", hops)]), at("10.0.0.3", false), "{unknown}");
        }
        assert_eq!(
            told(Some(PROXY), &[("x-forwarded-for", "10.0.0.3")]),
            at("10.0.0.3", false),
            "all are proxies"
        );
        assert_eq!(told(Some("fd00::1"), &[("x-forwarded-for", "192.0.2.1:99")]), at("192.0.2.1", false));
    }

    #[test]
    fn schemes_belong_to_their_addresses() {
        let x = [("x-forwarded-for", "203.0.113.9, 10.0.0.2"), ("x-forwarded-proto", "https, http")];
        assert_eq!(told(Some(PROXY), &x), at("203.0.113.9", true));
        let one = [("x-forwarded-for", "203.0.113.9, 10.0.0.2"), ("x-forwarded-proto", "https")];
        assert_eq!(told(Some(PROXY), &one), at("203.0.113.9", true));
    }
}
