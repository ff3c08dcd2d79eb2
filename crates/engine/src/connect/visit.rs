//! A browser on the page: what it may choose from, and how far it came.

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use koine_connector::Connector;
use koine_model::{Error, Secret};
use koine_store::{Account, Actor, LinkSession};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use super::link::Purpose;
use crate::Engine;
use crate::accounts::store_failed;
use crate::types::Source;

/// What the address of the page asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Offer {
    /// The one connector; nothing else is shown.
    pub integration: Option<String>,
    /// The connectors to choose from; empty for all.
    pub integrations: Vec<String>,
    /// Whether there is no way back to the choice.
    pub no_back: bool,
}

/// A browser that opened a link: proof that it holds the session's secret.
#[derive(Clone, Debug)]
pub struct Visit {
    pub(super) session: LinkSession,
    pub(super) purpose: Purpose,
    offer: Offer,
    secret: Secret,
    form_key: Secret,
    /// The account to connect again, or the one that this visit saved.
    pub(super) account: Option<Account>,
    source: Source,
}

/// How far a visit came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// Credentials can be given.
    Open,
    /// The account is connected.
    Connected,
    /// Another browser used the link, or the account is gone.
    Over,
}

/// A connector to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// The connector's name.
    pub name: String,
    /// The name people know.
    pub label: String,
    /// What kind of product it is.
    pub category: String,
}

impl Visit {
    /// The session's id; no secret.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.session.id
    }

    /// Notes where the browser is, for the audit log.
    #[must_use]
    pub fn coming_from(self, address: Option<IpAddr>) -> Self {
        Self { source: Source::Network(address), ..self }
    }

    /// What the browser holds, so that it is known again when it comes back from elsewhere.
    pub(super) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Credential fields that the customer is not asked for.
    pub(super) fn preset(&self) -> Option<&Map<String, Value>> {
        self.session.context.as_object()
    }

    /// The customer as the audit log knows them: nobody knows their name, but who made the link.
    pub(super) fn actor(&self) -> Actor {
        Actor { name: format!("link_token:{}", self.session.link_id), source: self.source.name() }
    }

    /// What the address of the page asked for.
    #[must_use]
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// Where the customer goes afterwards.
    #[must_use]
    pub fn redirect_uri(&self) -> Option<&Url> {
        self.purpose.redirect_uri.as_ref()
    }

    /// Whether an account is connected again.
    #[must_use]
    pub fn is_reconnect(&self) -> bool {
        self.session.account_id.is_some()
    }

    /// The account that was saved: its id and connector.
    #[must_use]
    pub fn saved(&self) -> Option<(Uuid, &str)> {
        let account = self.account.as_ref()?;
        let id = self.session.saved_account_id?;
        (account.id == id).then_some((id, account.connector.as_str()))
    }

    /// Why the account that was saved is not connected.
    #[must_use]
    pub fn last_error(&self) -> Option<&str> {
        self.account.as_ref()?.last_error.as_deref()
    }

    /// Which step it failed at, as the window that opened the page knows it.
    #[must_use]
    pub fn error_type(&self) -> &str {
        match self.account.as_ref().map(|account| account.status.as_str()) {
            Some("post_install_error") => "post_install_error",
            _ => "validation_error",
        }
    }

    /// What a form of this visit's has to bring back: other sites can send a form, but do not know it.
    #[must_use]
    pub fn form_key(&self) -> &str {
        self.form_key.expose()
    }

    /// Whether a form brought it back.
    #[must_use]
    pub fn is_own_form(&self, key: &str) -> bool {
        constant_time::verify_slices_are_equal(self.form_key().as_bytes(), key.as_bytes()).is_ok()
    }

    /// How far it came.
    #[must_use]
    pub fn stands(&self) -> Stands {
        let is_gone = self.account.is_none()
            && (self.session.saved_account_id.is_some() || self.session.account_id.is_some());
        if self.session.is_used_elsewhere || is_gone {
            return Stands::Over;
        }
        match &self.account {
            Some(account) if self.saved().is_some() && account.status == "active" => Stands::Connected,
            _ => Stands::Open,
        }
    }
}

impl Engine {
    /// Begins a visit under the link with this secret: the visit's id and its own secret, for the browser alone. `None`
    /// when the link is unknown, over or used.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open_link(&self, secret: &str, offer: &Offer) -> Result<Option<(Uuid, Secret)>, Error> {
        let options = serde_json::to_value(offer).map_err(Error::internal)?;
        let opened = self.parts.store.open_link(secret, options).await.map_err(store_failed)?;
        Ok(opened.map(|(id, secret)| (id, Secret::new(secret))))
    }

    /// The visit with this id and secret, while its time lasts.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn visit(&self, id: Uuid, secret: &str) -> Result<Option<Visit>, Error> {
        let store = &self.parts.store;
        let Some(session) = store.link_session(id, secret).await.map_err(store_failed)? else {
            return Ok(None);
        };
        let account = match session.saved_account_id.or(session.account_id) {
            Some(id) => store.get_account(session.environment_id, id).await.map_err(store_failed)?,
            None => None,
        };
        let purpose = serde_json::from_value(session.link_options.clone()).map_err(Error::internal)?;
        let offer = serde_json::from_value(session.options.clone()).map_err(Error::internal)?;
        Ok(Some(Visit {
            session,
            purpose,
            offer,
            secret: Secret::new(secret),
            form_key: form_key(secret),
            account,
            source: Source::Network(None),
        }))
    }

    /// What the customer may choose from, by label. For a reconnect it is the account's own connector.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn offered(&self, visit: &Visit) -> Result<Vec<Vendor>, Error> {
        let mut all = Vec::new();
        for connector in self.parts.catalogue.connectors().filter(|connector| is_offered(visit, connector)) {
            if has_fields(connector) || !self.choices(visit, &connector.name).await?.is_empty() {
                all.push(Vendor {
                    name: connector.name.clone(),
                    label: connector.label.clone(),
                    category: connector.category.replace('-', " "),
                });
            }
        }
        all.sort_by_key(|vendor| vendor.label.to_lowercase());
        Ok(all)
    }

    /// The name of a connector that people know.
    #[must_use]
    pub fn label(&self, connector: &str) -> Option<&str> {
        self.parts.catalogue.connector(connector).map(|connector| connector.label.as_str())
    }

    pub(super) fn offered_connector(&self, visit: &Visit, name: &str) -> Option<&Arc<Connector>> {
        self.parts.catalogue.connector(name).filter(|connector| is_offered(visit, connector))
    }
}

/// Follows from the cookie's secret, which does not follow from it.
fn form_key(secret: &str) -> Secret {
    let hash = digest::digest(&digest::SHA256, format!("koine connect form {secret}").as_bytes());
    Secret::new(URL_SAFE_NO_PAD.encode(hash))
}

/// Whether there is a way that needs nothing but what is typed.
fn has_fields(connector: &Connector) -> bool {
    connector.credentials.values().any(|kind| kind.grant().is_none())
}

fn is_offered(visit: &Visit, connector: &Connector) -> bool {
    if let Some(account) = visit.account.as_ref().filter(|_| visit.is_reconnect()) {
        return account.connector == connector.name;
    }
    let Offer { integration, integrations, .. } = &visit.offer;
    let models = &visit.purpose.models;
    integration.as_ref().is_none_or(|name| *name == connector.name)
        && (integrations.is_empty() || integrations.contains(&connector.name))
        && (models.is_empty() || models.iter().any(|model| connector.models.contains_key(model)))
}
