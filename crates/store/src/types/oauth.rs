//! OAuth apps, consents and grants. `Debug` never prints their secrets.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::Redacted;

/// An app to set.
#[derive(Clone)]
pub struct NewOauthApp {
    /// The environment it is for.
    pub environment_id: Uuid,
    /// The connector it is for.
    pub connector: String,
    /// Its id at the vendor.
    pub client_id: String,
    /// Its secret at the vendor, if it has one; sealed at rest.
    pub client_secret: Option<String>,
    /// Further credential fields that come from the app rather than from customers; sealed at rest.
    pub fields: Map<String, Value>,
}

impl fmt::Debug for NewOauthApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewOauthApp")
            .field("environment_id", &self.environment_id)
            .field("connector", &self.connector)
            .field("client_id", &self.client_id)
            .field("client_secret", &Redacted)
            .field("fields", &Redacted)
            .finish()
    }
}

/// An app that an environment asks people's consent with.
#[derive(Clone, PartialEq)]
pub struct OauthApp {
    /// Its id.
    pub id: Uuid,
    /// The environment it is for.
    pub environment_id: Uuid,
    /// The connector it is for.
    pub connector: String,
    /// Its id at the vendor.
    pub client_id: String,
    /// As [`NewOauthApp::client_secret`].
    pub client_secret: Option<String>,
    /// As [`NewOauthApp::fields`].
    pub fields: Map<String, Value>,
    /// When it was first set.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
}

impl fmt::Debug for OauthApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OauthApp")
            .field("id", &self.id)
            .field("environment_id", &self.environment_id)
            .field("connector", &self.connector)
            .field("client_id", &self.client_id)
            .field("client_secret", &Redacted)
            .field("fields", &Redacted)
            .field("created_at", &self.created_at)
            .field("updated_at", &self.updated_at)
            .finish()
    }
}

/// A consent to keep while the browser is away.
#[derive(Clone)]
pub struct NewAuthorization {
    /// The environment it is for.
    pub environment_id: Uuid,
    /// The connector it is for.
    pub connector: String,
    /// What the browser comes back with: 256 random bits. Only its hash is kept.
    pub state: String,
    /// What the browser is known by: 256 random bits. Only its hash is kept.
    pub browser: String,
    /// What it is about; sealed at rest.
    pub content: Value,
    /// How long it is kept.
    pub lifetime: Duration,
}

impl fmt::Debug for NewAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAuthorization")
            .field("environment_id", &self.environment_id)
            .field("connector", &self.connector)
            .field("state", &Redacted)
            .field("browser", &Redacted)
            .field("content", &Redacted)
            .field("lifetime", &self.lifetime)
            .finish()
    }
}

/// A consent whose browser came back.
#[derive(Clone, PartialEq)]
pub struct Authorization {
    /// The environment it is for.
    pub environment_id: Uuid,
    /// As [`NewAuthorization::content`].
    pub content: Value,
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("environment_id", &self.environment_id)
            .field("content", &Redacted)
            .finish()
    }
}

/// The tokens of an account.
#[derive(Clone, PartialEq)]
pub struct StoredGrant {
    /// Another one after every change.
    pub version: Uuid,
    /// The tokens and what belongs to them.
    pub content: Value,
}

impl fmt::Debug for StoredGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredGrant").field("version", &self.version).field("content", &Redacted).finish()
    }
}
