//! How a person is asked for a grant (OAuth 2 authorization code), and how the code becomes tokens.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use koine_model::{Credentials, Request, Response, Secret};
use serde_json::{Map, Value};
use url::Url;

use super::{LoginError, form_request, joined, plain};
use crate::compiled::{Consent, Grant, Login};
use crate::plan::wire_scope;

/// What goes to the page of consent besides what the connector says.
#[derive(Debug)]
pub struct Asking<'a> {
    /// Comes back with the answer.
    pub state: &'a str,
    /// Where the answer goes.
    pub redirect_uri: &'a str,
    /// The challenge that only whoever knows the verifier meets; see [`challenge`].
    pub challenge: &'a str,
    /// Scopes in place of the connector's; none: the connector's.
    pub scopes: &'a [String],
}

/// A code that the page of consent gave, and what it is worth something with.
pub struct Code<'a> {
    /// The code.
    pub code: &'a Secret,
    /// What the challenge was made of.
    pub verifier: &'a Secret,
    /// As in [`Asking::redirect_uri`].
    pub redirect_uri: &'a str,
}

/// The challenge for a verifier (RFC 7636, S256).
#[must_use]
pub fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.expose().as_bytes()))
}

impl Login {
    /// Where paths of the page of consent begin at `base`, without its query.
    ///
    /// # Errors
    /// A login that asks nobody, a credential field that is missing, or a URL that is none.
    pub fn consent_page(&self, context: &Value, base: &Url) -> Result<Url, LoginError> {
        let text = plain(&self.consent()?.1.url, context)?;
        let whole = if text.starts_with('/') {
            format!("{}{text}", base.as_str().trim_end_matches('/'))
        } else {
            text
        };
        let invalid = |error| LoginError::Field(format!("the page of consent `{whole}`: {error}"));
        Url::parse(&whole).map_err(invalid)
    }

    /// The address for the browser.
    ///
    /// # Errors
    /// As [`Login::consent_page`].
    pub fn asking(&self, context: &Value, mut page: Url, asking: &Asking<'_>) -> Result<Url, LoginError> {
        let (grant, consent) = self.consent()?;
        let scopes = if asking.scopes.is_empty() {
            joined(&consent.scopes, &consent.scope_separator, context)?
        } else {
            asking.scopes.join(&consent.scope_separator)
        };
        let client_id = plain(&grant.client.id, context)?;
        let mut query = vec![
            ("response_type".to_owned(), "code".to_owned()),
            ("client_id".to_owned(), client_id),
            ("redirect_uri".to_owned(), asking.redirect_uri.to_owned()),
            ("state".to_owned(), asking.state.to_owned()),
        ];
        if !scopes.is_empty() {
            query.push((consent.scope_param.clone(), scopes));
        }
        if consent.pkce {
            query.push(("code_challenge".to_owned(), asking.challenge.to_owned()));
            query.push(("code_challenge_method".to_owned(), "S256".to_owned()));
        }
        for (name, value) in &consent.params {
            query.push((name.clone(), plain(value, context)?));
        }
        page.query_pairs_mut().extend_pairs(query);
        Ok(page)
    }

    /// Whether the answer came from whom the browser was sent to. `told` is what the answer says (`iss`); a vendor that
    /// says nothing is told from others by the address that the answer came to.
    ///
    /// # Errors
    /// As [`Login::consent_page`].
    pub fn is_answer_of(&self, told: Option<&str>, context: &Value, page: &Url) -> Result<bool, LoginError> {
        let issuer = self.consent()?.1.issuer.as_ref().map(|issuer| plain(issuer, context)).transpose()?;
        Ok(match (told, issuer) {
            (None, _) => true,
            (Some(told), Some(issuer)) => told == issuer,
            (Some(told), None) => Url::parse(told).is_ok_and(|told| told.origin() == page.origin()),
        })
    }

    /// The request that makes tokens of a code.
    ///
    /// # Errors
    /// As [`Login::request`].
    pub fn code_request(
        &self,
        context: &Value,
        endpoint: &Url,
        code: &Code<'_>,
    ) -> Result<(Request, Credentials), LoginError> {
        let (grant, consent) = self.consent()?;
        let mut form = vec![
            ("grant_type".to_owned(), "authorization_code".to_owned()),
            ("code".to_owned(), code.code.expose().to_owned()),
            ("redirect_uri".to_owned(), code.redirect_uri.to_owned()),
        ];
        if consent.pkce {
            form.push(("code_verifier".to_owned(), code.verifier.expose().to_owned()));
        }
        let (mut request, credentials) = form_request(endpoint, form, Some(&grant.client), context)?;
        if let Some(koine_model::Body::Form(pairs)) = &mut request.body {
            // Some connectors repeat it with every token, and twice is an error to many endpoints.
            let mut seen = Vec::new();
            pairs.retain(|(name, _)| {
                !seen.contains(name) && {
                    seen.push(name.clone());
                    true
                }
            });
        }
        Ok((request, credentials))
    }

    /// The credential fields that the token answer fills.
    ///
    /// # Errors
    /// One that the answer does not have.
    pub fn filled(&self, response: &Response) -> Result<Map<String, Value>, LoginError> {
        let wire = wire_scope(response);
        let mut filled = Map::new();
        for (name, expr) in &self.consent()?.1.context {
            let value = expr.eval(&wire).ok().flatten().filter(|value| !value.is_null());
            let value = value.ok_or_else(|| LoginError::Refused(format!("the answer has no `{name}`")))?;
            filled.insert(name.clone(), value);
        }
        Ok(filled)
    }

    fn consent(&self) -> Result<(&Grant, &Consent), LoginError> {
        let found = self.grant().and_then(|grant| Some((grant, grant.consent.as_ref()?)));
        found.ok_or_else(|| LoginError::Field("these credentials are not asked for by a consent".to_owned()))
    }
}
