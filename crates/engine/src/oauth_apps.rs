//! OAuth apps: what an environment asks people's consent with, and renews what they granted.

use koine_connector::Connector;
use koine_connector::authorize;
use koine_connector::compiled::{CredentialKind, REDIRECT_URI};
use koine_connector::template::TextTemplate;
use koine_model::{Error, Secret};
use koine_store::{AuditEntry, NewOauthApp, OauthApp};
use koine_upstream::TokenError;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{Caller, Engine};

/// What a field that takes any host takes.
const SOMEWHERE: &str = "somewhere.example.net";

/// An app to set.
#[derive(Clone, Debug)]
pub struct OauthAppChange {
    /// The connector it is for.
    pub connector: String,
    /// Its id at the vendor.
    pub client_id: String,
    /// Its secret at the vendor, if it has one.
    pub client_secret: Option<Secret>,
    /// Further credential fields that come from the app rather than from customers.
    pub fields: Map<String, Value>,
}

/// What a login is rendered from.
pub(crate) struct LoginScope {
    pub(crate) context: Value,
    /// Names of what must not be shown.
    pub(crate) secret: Vec<String>,
    /// Whether it is the account that the app belongs to, rather than the environment.
    pub(crate) is_own: bool,
}

impl LoginScope {
    /// Puts a secret in.
    pub(crate) fn put(&mut self, name: &str, secret: &str) {
        self.context[name] = Value::String(secret.to_owned());
        self.secret.push(name.to_owned());
    }

    /// Puts in what is not there.
    fn add(&mut self, name: String, value: &Value, is_secret: bool) {
        let Some(context) = self.context.as_object_mut() else { return };
        if context.get(&name).is_none_or(|own| own.as_str() == Some("")) {
            context.insert(name.clone(), value.clone());
            if is_secret {
                self.secret.push(name);
            }
        }
    }
}

impl Engine {
    /// Sets the caller's environment's app for a connector, in place of an earlier one.
    ///
    /// # Errors
    /// A connector that is unknown or has nothing to do with OAuth apps, or a value that cannot be one.
    pub async fn set_oauth_app(&self, caller: &Caller, change: OauthAppChange) -> Result<Value, Error> {
        let connector = self.parts.catalogue.connector(&change.connector);
        let connector = connector.ok_or_else(|| Self::unknown("connector", &change.connector))?;
        check(connector, &change)?;
        let detail = json!({"connector": change.connector, "client_id": change.client_id});
        let app = NewOauthApp {
            environment_id: caller.environment_id,
            connector: change.connector,
            client_id: change.client_id,
            client_secret: change.client_secret.map(|secret| secret.expose().to_owned()),
            fields: change.fields,
        };
        let app = self.parts.store.set_oauth_app(app).await.map_err(Error::internal)?;
        self.note_app(caller, "oauth_app.set", detail).await?;
        Ok(self.shown_app(&app))
    }

    /// The apps of the caller's environment, without secrets.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_oauth_apps(&self, caller: &Caller) -> Result<Vec<Value>, Error> {
        let all = self.parts.store.list_oauth_apps(caller.environment_id).await.map_err(Error::internal)?;
        Ok(all.iter().map(|app| self.shown_app(app)).collect())
    }

    /// Forgets the environment's app for a connector. What was granted to it cannot be renewed any more.
    ///
    /// # Errors
    /// 404 when there is none.
    pub async fn remove_oauth_app(&self, caller: &Caller, connector: &str) -> Result<Value, Error> {
        let store = &self.parts.store;
        if !store.remove_oauth_app(caller.environment_id, connector).await.map_err(Error::internal)? {
            return Err(Error::not_found(format!("this environment has no OAuth app for `{connector}`")));
        }
        self.note_app(caller, "oauth_app.remove", json!({"connector": connector})).await?;
        Ok(json!({"connector": connector}))
    }

    /// Credential fields, with those of the environment's app where they name none of their own.
    pub(crate) async fn login_scope(
        &self,
        environment_id: Uuid,
        connector: &Connector,
        kind: &CredentialKind,
        context: Value,
        secret: Vec<String>,
    ) -> Result<LoginScope, TokenError> {
        let grant = kind.grant().expect("only grants have an app");
        let mut scope = LoginScope { context, secret, is_own: true };
        if let Some(uri) = self.redirect_uri(&connector.name) {
            scope.add(REDIRECT_URI.to_owned(), &Value::String(uri), false);
        }
        let has = |name: &String| {
            scope.context.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty())
        };
        if grant.client.names().all(|name| has(&name)) {
            return Ok(scope);
        }
        let app = self.parts.store.find_oauth_app(environment_id, &connector.name).await;
        let app = app.map_err(|error| TokenError::Lost(error.to_string()))?;
        let app = app.ok_or_else(|| TokenError::App(no_app(connector)))?;
        scope.is_own = false;
        check_address(connector, kind, &scope.context, &app)?;
        for name in grant.client.id.roots() {
            scope.add(name, &json!(app.client_id), false);
        }
        for name in grant.client.secret.iter().flat_map(TextTemplate::roots) {
            scope.add(name, &json!(app.client_secret.as_deref().unwrap_or_default()), true);
        }
        for (name, value) in app.fields {
            scope.add(name, &value, true);
        }
        Ok(scope)
    }

    /// Where a vendor sends browsers back to: exactly this, whatever the request to us looked like.
    pub(crate) fn redirect_uri(&self, connector: &str) -> Option<String> {
        let base = self.parts.public_url.as_ref()?;
        Some(format!("{}/connect/{connector}/callback", base.as_str().trim_end_matches('/')))
    }

    async fn note_app(&self, caller: &Caller, action: &str, detail: Value) -> Result<(), Error> {
        let subject = detail["connector"].as_str().unwrap_or_default().to_owned();
        let by = caller.as_actor();
        let entry = AuditEntry::new(&by, Some(caller.environment_id), action, &subject).making(detail);
        self.parts.store.audit(entry).await.map_err(Error::internal)
    }

    fn shown_app(&self, app: &OauthApp) -> Value {
        json!({
            "connector": app.connector, "client_id": app.client_id, "has_secret": app.client_secret.is_some(),
            "fields": app.fields.keys().collect::<Vec<_>>(), "redirect_uri": self.redirect_uri(&app.connector),
            "created_at": app.created_at, "updated_at": app.updated_at,
        })
    }
}

pub(crate) fn no_app(connector: &Connector) -> String {
    format!(
        "there is no OAuth app for {} in this environment; `koine oauth-app set {}` makes one known",
        connector.label, connector.name
    )
}

/// The app's secret goes where it is the vendor, or the operator, who said so: not to a host that a customer thought of.
fn check_address(
    connector: &Connector,
    kind: &CredentialKind,
    context: &Value,
    app: &OauthApp,
) -> Result<(), TokenError> {
    for name in authorize::address_fields(connector, kind) {
        let Some(field) = kind.fields.get(&name) else { continue };
        let is_free = field.pattern.as_ref().is_none_or(|pattern| pattern.is_match(SOMEWHERE));
        let given = context.get(&name);
        let is_known = given.is_none() || given == field.default.as_ref() || given == app.fields.get(&name);
        if is_free && !is_known {
            return Err(TokenError::Unusable(format!(
                "this environment's OAuth app for {} is not for another `{name}`; give the account an app of its own",
                connector.label
            )));
        }
    }
    Ok(())
}

fn check(connector: &Connector, change: &OauthAppChange) -> Result<(), Error> {
    let grants: Vec<_> = connector.credentials.values().filter(|kind| kind.grant().is_some()).collect();
    if grants.is_empty() {
        return Err(Error::invalid(format!("{} is not connected through OAuth apps", connector.label)));
    }
    let plain = |text: &str| !text.trim().is_empty() && !text.contains(char::is_control);
    if !plain(&change.client_id)
        || change.client_secret.as_ref().is_some_and(|secret| !plain(secret.expose()))
    {
        return Err(Error::invalid("client id and secret are texts of one line each"));
    }
    for (name, value) in &change.fields {
        let field = grants.iter().find_map(|kind| kind.fields.get(name));
        let field = field.ok_or_else(|| {
            Error::invalid(format!("{} has no credential field `{name}` with OAuth", connector.label))
        })?;
        let fits =
            |text: &str| plain(text) && field.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text));
        if !value.as_str().is_some_and(fits) {
            return Err(Error::invalid(format!("`{name}` is not a possible {}", field.label)));
        }
    }
    Ok(())
}
