//! How a token is asked for and read. Pure: the request is built here and sent elsewhere.

mod complaint;
mod consent;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{EncodingKey, Header};
use koine_model::{Body, Credentials, Request, Response, Secret, Verb};
use serde_json::{Map, Value, json};
use url::Url;

use crate::compiled::{Assertion, Client, Grant, Login, Proof};
use crate::expr::Expr;
use crate::plan::wire_scope;
use crate::template::{Template, TemplateError, TextTemplate};

pub use consent::{Asking, Code, challenge};

/// A token, as the endpoint gave it.
pub struct Obtained {
    /// The token.
    pub token: Secret,
    /// Seconds it lives, if the endpoint tells.
    pub lifetime: Option<f64>,
    /// What requests see as `session`.
    pub kept: Map<String, Value>,
    /// The refresh token, or the one in place of that which was used.
    pub refresh_token: Option<Secret>,
}

impl std::fmt::Debug for Obtained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Obtained").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// Why a login cannot be built or its answer cannot be used. The texts hold no credential.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// A credential field is missing or not usable.
    #[error("{0}")]
    Field(String),
    /// The endpoint said no.
    #[error("{0}")]
    Refused(String),
    /// The endpoint does not know the client, or not with this secret: no grant of it can be used.
    #[error("{0}")]
    Client(String),
    /// The grant was revoked or is over.
    #[error("{0}")]
    Revoked(String),
    /// The endpoint said nothing that could be understood.
    #[error("the token endpoint answered with something that is not JSON")]
    Unreadable,
}

impl From<TemplateError> for LoginError {
    fn from(error: TemplateError) -> Self {
        Self::Field(error.to_string())
    }
}

impl Login {
    /// The endpoint; `base` is where paths begin.
    ///
    /// # Errors
    /// A credential field that is missing, or a URL that is none.
    pub fn endpoint(&self, context: &Value, base: &Url) -> Result<Url, LoginError> {
        let text = plain(&self.url, context)?;
        let whole = if text.starts_with('/') {
            format!("{}{text}", base.as_str().trim_end_matches('/'))
        } else {
            text
        };
        Url::parse(&whole)
            .map_err(|error| LoginError::Field(format!("the token endpoint is no URL: {error}")))
    }

    /// The request for a token. `now` is the epoch second.
    ///
    /// # Errors
    /// A credential field that is missing, or a key that cannot sign.
    pub fn request(
        &self,
        context: &Value,
        endpoint: &Url,
        now: u64,
    ) -> Result<(Request, Credentials), LoginError> {
        match &self.proof {
            Proof::ClientCredentials(client) => {
                let form = vec![("grant_type".to_owned(), "client_credentials".to_owned())];
                form_request(endpoint, form, Some(client), context)
            }
            Proof::Grant(grant) => {
                let field = grant.refresh_field();
                let token = context.get(field).and_then(Value::as_str).filter(|token| !token.is_empty());
                let token = token.ok_or_else(|| LoginError::Field(format!("`{field}` is missing")))?;
                let form = vec![
                    ("grant_type".to_owned(), "refresh_token".to_owned()),
                    ("refresh_token".to_owned(), token.to_owned()),
                ];
                form_request(endpoint, form, Some(&grant.client), context)
            }
            Proof::Jwt(assertion) => {
                let form = vec![
                    ("grant_type".to_owned(), "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
                    ("assertion".to_owned(), signed(assertion, context, now)?),
                ];
                form_request(endpoint, form, None, context)
            }
            Proof::Session { verb, headers, body, is_form, basic } => {
                let mut rendered = Vec::new();
                for (name, value) in headers {
                    rendered.push((name.clone(), plain(value, context)?));
                }
                let body = body.as_ref().map(|body| body.render(context)).transpose()?;
                let body =
                    body.map(|body| if *is_form { Body::Form(pairs(&body)) } else { Body::Json(body) });
                let mut credentials = Credentials::default();
                if let Some((username, password)) = basic {
                    credentials
                        .headers
                        .push(basic_header(&text(username, context)?, &text(password, context)?));
                }
                Ok((Request { verb: *verb, url: endpoint.clone(), headers: rendered, body }, credentials))
            }
        }
    }

    /// What the endpoint gave.
    ///
    /// # Errors
    /// A refusal, in the endpoint's own words as far as they hold no credential of `context`.
    pub fn read(
        &self,
        response: &Response,
        context: &Value,
        secret_fields: &[String],
    ) -> Result<Obtained, LoginError> {
        let wire = wire_scope(response);
        let erring = self.is_error.as_ref().is_some_and(|expr| expr.test(&wire).unwrap_or(true));
        if !(200..300).contains(&response.status) || erring {
            return Err(self.refusal(response, &wire, context, secret_fields));
        }
        let token = self.token.eval(&wire).ok().flatten();
        let token = token.as_ref().and_then(Value::as_str).filter(|token| !token.is_empty());
        let Some(token) = token else {
            // A page of HTML in between says nothing about the credentials.
            if response.json().is_none() {
                return Err(LoginError::Unreadable);
            }
            if wire["data"].get("error").is_some() {
                return Err(self.refusal(response, &wire, context, secret_fields));
            }
            return Err(LoginError::Refused("no token in the answer".to_owned()));
        };
        let lifetime = self.lifetime.as_ref().and_then(|expr| expr.eval(&wire).ok().flatten());
        let mut kept = Map::new();
        for (name, expr) in &self.keep {
            let value = expr.eval(&wire).ok().flatten();
            let value = value
                .ok_or_else(|| LoginError::Refused(format!("the answer to the login has no `{name}`")))?;
            kept.insert(name.clone(), value);
        }
        let refresh_token = self.grant().and_then(|grant| grant.refresh_token.eval(&wire).ok().flatten());
        let refresh_token = refresh_token.as_ref().and_then(Value::as_str).filter(|token| !token.is_empty());
        Ok(Obtained {
            token: Secret::new(token),
            lifetime: lifetime.as_ref().and_then(Value::as_f64),
            kept,
            refresh_token: refresh_token.map(Secret::new),
        })
    }

    /// The tokens in an answer: one that is refused may hold them nevertheless.
    fn issued(&self, wire: &Value) -> Vec<String> {
        let exprs = [Some(&self.token), self.grant().map(|grant| &grant.refresh_token)].into_iter().flatten();
        let named = exprs.filter_map(|expr| expr.eval(wire).ok().flatten());
        let mut issued: Vec<_> = named.filter_map(|value| value.as_str().map(ToOwned::to_owned)).collect();
        complaint::gather_tokens(&wire["data"], &mut issued);
        issued
    }

    /// Whose fault a refusal is.
    fn refusal(
        &self,
        response: &Response,
        wire: &Value,
        context: &Value,
        secret_fields: &[String],
    ) -> LoginError {
        let said = complaint::of(response, context, secret_fields, &self.issued(wire));
        let Some(grant) = self.grant() else { return LoginError::Refused(said) };
        if grant.revoked.test(wire).unwrap_or(false) {
            return LoginError::Revoked(said);
        }
        match wire["data"]["error"].as_str() {
            Some("invalid_client" | "unauthorized_client") => LoginError::Client(said),
            _ => LoginError::Refused(said),
        }
    }

    /// Whether an answer to a request says that its token is not in force any more.
    #[must_use]
    pub fn has_expired(&self, response: &Response) -> bool {
        let told = |expired: &Expr| expired.test(&wire_scope(response)).unwrap_or(false);
        response.status == 401 || self.expired.as_ref().is_some_and(told)
    }

    /// The header that carries the token.
    ///
    /// # Errors
    /// A credential field that is missing.
    pub fn header(&self, token: &Secret, context: &Value) -> Result<(String, Secret), LoginError> {
        let mut scope = context.clone();
        scope["token"] = Value::String(token.expose().to_owned());
        Ok((self.header_name.clone(), Secret::new(plain(&self.header_value, &scope)?)))
    }
}

impl Grant {
    /// Where the refresh token is among the credential fields.
    #[must_use]
    pub fn refresh_field(&self) -> &str {
        self.field.as_deref().unwrap_or("refresh_token")
    }
}

fn plain(template: &TextTemplate, context: &Value) -> Result<String, TemplateError> {
    template.render(context, &|value| Ok(value.to_owned()))
}

fn text(template: &Template, context: &Value) -> Result<String, TemplateError> {
    Ok(template.render(context)?.as_str().unwrap_or_default().to_owned())
}

/// The fields of a form; what is no text goes as JSON writes it, and null not at all.
fn pairs(body: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let entries = body.as_object().into_iter().flatten();
    entries.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

fn joined(scopes: &[TextTemplate], separator: &str, context: &Value) -> Result<String, TemplateError> {
    let scopes: Result<Vec<_>, _> = scopes.iter().map(|scope| plain(scope, context)).collect();
    Ok(scopes?.join(separator))
}

fn basic_header(username: &str, password: &str) -> (String, Secret) {
    let pair = STANDARD.encode(format!("{username}:{password}"));
    ("authorization".to_owned(), Secret::new(format!("Basic {pair}")))
}

fn form_request(
    endpoint: &Url,
    mut form: Vec<(String, String)>,
    client: Option<&Client>,
    context: &Value,
) -> Result<(Request, Credentials), LoginError> {
    let mut credentials = Credentials::default();
    if let Some(client) = client {
        if !client.scopes.is_empty() {
            form.push(("scope".to_owned(), joined(&client.scopes, " ", context)?));
        }
        let id = plain(&client.id, context)?;
        let secret = client.secret.as_ref().map(|secret| plain(secret, context)).transpose()?;
        match secret {
            // Form-encoded before they are joined, as RFC 6749 section 2.3.1 asks: either may hold a colon.
            Some(secret) if !client.in_body => {
                let encode =
                    |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                credentials.headers.push(basic_header(&encode(&id), &encode(&secret)));
            }
            secret => {
                form.push(("client_id".to_owned(), id));
                form.extend(secret.map(|secret| ("client_secret".to_owned(), secret)));
            }
        }
        for (name, value) in &client.extra {
            form.push((name.clone(), plain(value, context)?));
        }
    }
    let body = Some(Body::Form(form));
    Ok((Request { verb: Verb::Post, url: endpoint.clone(), headers: Vec::new(), body }, credentials))
}

fn signed(assertion: &Assertion, context: &Value, now: u64) -> Result<String, LoginError> {
    let optional = |template: &Option<TextTemplate>| -> Result<Option<String>, LoginError> {
        Ok(template
            .as_ref()
            .map(|template| plain(template, context))
            .transpose()?
            .filter(|text| !text.is_empty()))
    };
    let mut claims = json!({
        "iss": plain(&assertion.issuer, context)?, "aud": plain(&assertion.audience, context)?,
        "iat": now, "exp": now + assertion.lifetime,
    });
    if let Some(subject) = optional(&assertion.subject)? {
        claims["sub"] = Value::String(subject);
    }
    if !assertion.scopes.is_empty() {
        claims["scope"] = Value::String(joined(&assertion.scopes, " ", context)?);
    }
    let mut header = Header::new(assertion.algorithm);
    // An account whose owner did not name the key does without.
    header.kid = optional(&assertion.key_id).ok().flatten();
    // A key that was pasted into JSON often arrives with its line breaks written out.
    let pem = plain(&assertion.private_key, context)?.replace("\\n", "\n");
    let key = match assertion.algorithm {
        jsonwebtoken::Algorithm::ES256 => EncodingKey::from_ec_pem(pem.as_bytes()),
        _ => EncodingKey::from_rsa_pem(pem.as_bytes()),
    };
    let unusable =
        |_| LoginError::Field(format!("the private key is not a PEM key for {:?}", assertion.algorithm));
    jsonwebtoken::encode(&header, &claims, &key.map_err(unusable)?).map_err(unusable)
}

#[cfg(test)]
mod tests;
