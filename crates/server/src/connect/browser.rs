//! What a browser sends: the cookie of a visit, queries and forms.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use koine_engine::{Engine, Visit};
use koine_model::{Error, Secret};
use url::form_urlencoded;
use uuid::Uuid;

use crate::{Site, access, body};

const NAME: &str = "koine_connect";
/// Seconds; the visit itself ends on our side.
const LIFE: u32 = 2 * 60 * 60;

/// The cookie with which a browser is known again when it comes back from a vendor's page.
const CONSENT: &str = "koine_consent";

/// The cookie of a browser that leaves for a vendor's page. It comes back from another site, but with a GET that is seen
/// in the address bar: `Lax` lets that through, and nothing else. The pages that begin a consent see it too, so that a second
/// one does not end the first.
pub(super) fn consent_cookie(site: &Site, secret: &Secret) -> HeaderValue {
    let secure = if site.is_secure() { "; Secure" } else { "" };
    let (base, secret) = (site.base(), secret.expose());
    sensitive(&format!("{CONSENT}={secret}; Path={base}/; Max-Age=600; HttpOnly{secure}; SameSite=Lax"))
}

fn sensitive(text: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(text).expect("an id, base64url and a URL's path are ASCII");
    value.set_sensitive(true);
    value
}

/// The cookie of a new visit: for this visit's pages alone, and out of reach of scripts.
///
/// A frame on another site gets its cookies only with `SameSite=None`, which browsers take over TLS only.
pub(super) fn cookie(site: &Site, visit: Uuid, secret: &Secret) -> HeaderValue {
    let policy = match (site.is_secure(), site.connect_origins.is_empty()) {
        (true, false) => "; Secure; SameSite=None; Partitioned",
        (true, true) => "; Secure; SameSite=Lax",
        (false, _) => "; SameSite=Lax",
    };
    let (base, secret) = (site.base(), secret.expose());
    sensitive(&format!(
        "{NAME}={secret}; Path={base}/connect-account/{visit}; Max-Age={LIFE}; HttpOnly{policy}"
    ))
}

/// Who asks for a page, and whom they ask.
pub(crate) struct Browser {
    pub(super) engine: Engine,
    pub(super) site: Arc<Site>,
    headers: HeaderMap,
    pub(super) address: Option<IpAddr>,
}

impl FromRequestParts<Engine> for Browser {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, engine: &Engine) -> Result<Self, Infallible> {
        let site = parts.extensions.get::<Arc<Site>>().cloned().unwrap_or_default();
        let address = access::address(&parts.extensions);
        Ok(Self { engine: engine.clone(), site, headers: parts.headers.clone(), address })
    }
}

impl Browser {
    /// The visit that the path names, if the browser holds its secret.
    pub(super) async fn visit(&self, id: &str) -> Result<Option<Visit>, Error> {
        let Ok(id) = Uuid::parse_str(id) else { return Ok(None) };
        for secret in cookies(&self.headers, NAME) {
            if let Some(visit) = self.engine.visit(id, secret).await? {
                return Ok(Some(visit.coming_from(self.address)));
            }
        }
        Ok(None)
    }

    /// What the browser was given when it last left for a vendor's page.
    pub(super) fn consent(&self) -> Option<Secret> {
        cookies(&self.headers, CONSENT).next().map(Secret::new)
    }
}

fn cookies<'a>(headers: &'a HeaderMap, wanted: &str) -> impl Iterator<Item = &'a str> {
    let texts = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(name, _)| *name == wanted).map(|(_, value)| value).take(4)
}

/// The first value of every name of a query or form.
pub(super) fn pairs(encoded: &[u8]) -> HashMap<String, String> {
    let mut all = HashMap::new();
    for (name, value) in form_urlencoded::parse(encoded) {
        all.entry(name.into_owned()).or_insert_with(|| value.into_owned());
    }
    all
}

/// A form that was sent.
pub(super) async fn form(content: Body) -> Result<HashMap<String, String>, Error> {
    Ok(pairs(&body::whole(content).await?))
}
