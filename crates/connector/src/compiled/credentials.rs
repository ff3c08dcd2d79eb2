//! Credentials after compilation: what the customer supplies, and how it gets onto a request.

use koine_model::NameMap;
use koine_model::Verb;
use serde_json::Value;

use crate::expr::Expr;
use crate::pattern::Pattern;
use crate::template::{Template, TextTemplate};

/// One way to authenticate.
#[derive(Debug)]
pub struct CredentialKind {
    /// Shown to people.
    pub label: Option<String>,
    /// What the customer supplies.
    pub fields: NameMap<CredentialField>,
    /// How it gets onto a request.
    pub authorization: Authorization,
}

impl CredentialKind {
    /// The grant that it rests on, if it does on one.
    #[must_use]
    pub fn grant(&self) -> Option<&Grant> {
        match &self.authorization {
            Authorization::Login(login) => login.grant(),
            _ => None,
        }
    }

    /// How a person is asked for it.
    #[must_use]
    pub fn consent(&self) -> Option<&Consent> {
        self.grant()?.consent.as_ref()
    }

    /// The fields that the customer fills in before they consent: neither what names the app, nor what consent brings.
    pub fn asked_before_consent(&self) -> impl Iterator<Item = (&String, &CredentialField)> {
        let grant = self.grant();
        self.fields.iter().filter(move |(name, _)| !grant.is_some_and(|grant| grant.brings(name)))
    }
}

impl Login {
    /// The grant that it rests on, if it does on one.
    #[must_use]
    pub fn grant(&self) -> Option<&Grant> {
        match &self.proof {
            Proof::Grant(grant) => Some(grant),
            _ => None,
        }
    }
}

impl Grant {
    /// Whether a consent has no need of this credential field: it names the app, or the answer fills it.
    #[must_use]
    pub fn brings(&self, field: &str) -> bool {
        let of_answer = self.consent.as_ref().is_some_and(|consent| consent.context.contains_key(field));
        of_answer
            || self.field.as_deref() == Some(field)
            || field == REDIRECT_URI
            || self.client.names().any(|name| name == field)
    }
}

impl Client {
    /// The credential fields that its id and secret are made of.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let secret = self.secret.iter().flat_map(TextTemplate::roots);
        self.id.roots().into_iter().chain(secret)
    }
}

/// What a login may call the address that a consent comes back to.
pub const REDIRECT_URI: &str = "redirect_uri";

/// One value that the customer supplies.
#[derive(Debug)]
pub struct CredentialField {
    /// Shown to people.
    pub label: String,
    /// Whether it must never be shown again.
    pub secret: bool,
    /// Whether an account cannot do without.
    pub required: bool,
    /// Whether it may hold line breaks, as a key in PEM does.
    pub multiline: bool,
    /// What the whole value must look like.
    pub pattern: Option<Pattern>,
    /// A made-up value.
    pub example: Option<String>,
    /// The value when none is given.
    pub default: Option<Value>,
    /// Where to find it.
    pub help: Option<String>,
}

/// How credentials get onto a request.
#[derive(Debug)]
pub enum Authorization {
    /// One header.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: TextTemplate,
    },
    /// `Authorization: Bearer …`.
    Bearer {
        /// The token.
        token: TextTemplate,
    },
    /// A query parameter.
    Query {
        /// Its name.
        name: String,
        /// Its value.
        value: TextTemplate,
    },
    /// HTTP basic.
    Basic {
        /// The user name.
        username: Template,
        /// The password, which may be empty.
        password: Template,
    },
    /// A token fetched with a request, kept until shortly before it ends.
    Login(Box<Login>),
}

/// How a token is fetched and used.
#[derive(Debug)]
pub struct Login {
    /// What is proved to the endpoint.
    pub proof: Proof,
    /// The endpoint: a whole URL, or a path below the base URL.
    pub url: TextTemplate,
    /// The token, in the answer.
    pub token: Expr,
    /// Its life in seconds, in the answer or fixed.
    pub lifetime: Option<Expr>,
    /// When the answer is an error although its status says success.
    pub is_error: Option<Expr>,
    /// When the answer to a request says, whatever its status, that the token is not in force any more.
    pub expired: Option<Expr>,
    /// What else of the answer requests see as `session`.
    pub keep: NameMap<Expr>,
    /// The header that carries it.
    pub header_name: String,
    /// Its value; sees `token`.
    pub header_value: TextTemplate,
}

/// What a token request proves, and with what.
#[derive(Debug)]
pub enum Proof {
    /// OAuth 2 client credentials.
    ClientCredentials(Client),
    /// What a person granted: a refresh token, or a consent that is asked for.
    Grant(Box<Grant>),
    /// A signed assertion (RFC 7523).
    Jwt(Box<Assertion>),
    /// A request of the vendor's own.
    Session {
        /// The verb.
        verb: Verb,
        /// Headers.
        headers: Vec<(String, TextTemplate)>,
        /// The body.
        body: Option<Template>,
        /// Whether the body is a form rather than JSON.
        is_form: bool,
        /// HTTP basic: user name and password.
        basic: Option<(Template, Template)>,
    },
}

/// An OAuth 2 grant: renewed with a refresh token where there is one, given by a person's consent where that is asked for.
#[derive(Debug)]
pub struct Grant {
    /// The client that it is for.
    pub client: Client,
    /// The credential field that holds the refresh token.
    pub field: Option<String>,
    /// The refresh token in place of the one that was used, in the answer.
    pub refresh_token: Expr,
    /// When a refusal means that the grant was revoked or is over.
    pub revoked: Expr,
    /// How a person is asked.
    pub consent: Option<Consent>,
}

/// The page of a vendor on which a person consents (OAuth 2 authorization code).
#[derive(Debug)]
pub struct Consent {
    /// The page: a whole URL, or a path below the base URL.
    pub url: TextTemplate,
    /// Scopes to ask for.
    pub scopes: Vec<TextTemplate>,
    /// The parameter that names them.
    pub scope_param: String,
    /// What is between two scopes.
    pub scope_separator: String,
    /// Further parameters of the page.
    pub params: Vec<(String, TextTemplate)>,
    /// Whether a challenge (PKCE, S256) goes with it.
    pub pkce: bool,
    /// Who answers, where the page's own origin does not say so (RFC 9207).
    pub issuer: Option<TextTemplate>,
    /// Credential fields that the token answer fills.
    pub context: NameMap<Expr>,
}

/// An OAuth 2 client.
#[derive(Debug)]
pub struct Client {
    /// Its id.
    pub id: TextTemplate,
    /// Its secret.
    pub secret: Option<TextTemplate>,
    /// Scopes to ask for with each token.
    pub scopes: Vec<TextTemplate>,
    /// Whether id and secret go into the body rather than a basic header.
    pub in_body: bool,
    /// Further fields of the form.
    pub extra: Vec<(String, TextTemplate)>,
}

/// The claims and key of a signed assertion.
#[derive(Debug)]
pub struct Assertion {
    /// `RS256` or `ES256`.
    pub algorithm: jsonwebtoken::Algorithm,
    /// The private key in PEM.
    pub private_key: TextTemplate,
    /// `kid`.
    pub key_id: Option<TextTemplate>,
    /// `iss`.
    pub issuer: TextTemplate,
    /// `sub`.
    pub subject: Option<TextTemplate>,
    /// `aud`.
    pub audience: TextTemplate,
    /// Scopes to ask for, inside the assertion.
    pub scopes: Vec<TextTemplate>,
    /// Seconds until the assertion ends.
    pub lifetime: u64,
}
