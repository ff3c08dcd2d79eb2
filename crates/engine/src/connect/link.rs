//! What a link is for: read from what a developer asked, and kept with the token.

use std::net::IpAddr;

use koine_model::{Error, ErrorCode};
use koine_store::NewLinkToken;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::{Host, Url};
use uuid::Uuid;

use crate::accounts::store_failed;
use crate::{Caller, Engine};

/// Longest text of a tenant's name or an address.
const LONGEST: usize = 2048;
const REGIONS: &[&str] = &["wnam", "enam", "apac", "eu"];

/// What is kept with a link, readable.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Purpose {
    /// Where the customer goes afterwards.
    pub redirect_uri: Option<Url>,
    /// In place of the scopes that a connector asks for by itself.
    pub scopes: Vec<String>,
    /// Only connectors that have one of these models.
    pub models: Vec<String>,
    /// Whether a reconnect keeps what the account had.
    pub persist_previous_context: bool,
    pub region: Option<String>,
    pub is_sandbox: bool,
}

impl Engine {
    /// Makes a link for connecting an account, as `POST /link-token` describes it: `{"link_token": …}`.
    ///
    /// # Errors
    /// A field that cannot be meant, an account or environment that the caller does not have.
    pub async fn create_link_token(
        &self,
        caller: &Caller,
        body: &Map<String, Value>,
    ) -> Result<Value, Error> {
        let environment =
            given(body, "environment_id").map(|value| id("environment_id", value)).transpose()?;
        if environment.is_some_and(|id| id != caller.environment_id()) {
            return Err(Error::not_found("there is no such environment"));
        }
        let account_id = given(body, "integrated_account_id")
            .map(|value| id("integrated_account_id", value))
            .transpose()?;
        let tenant_id = match account_id {
            Some(id) => {
                self.get_account(caller, id).await?;
                None // the account has one
            }
            None => Some(tenant(body)?),
        };
        let purpose = self.purpose(body)?;
        let new = NewLinkToken {
            environment_id: caller.environment_id(),
            tenant_id,
            account_id,
            options: serde_json::to_value(&purpose).map_err(Error::internal)?,
            context: Value::Object(object(body, "context")?),
        };
        let made = self.parts.store.create_link_token(new, &caller.as_actor()).await;
        let (_, secret) = made.map_err(store_failed)?;
        Ok(json!({"link_token": secret}))
    }

    fn purpose(&self, body: &Map<String, Value>) -> Result<Purpose, Error> {
        if given(body, "truto_static_gate_id").is_some() {
            return Err(Error::invalid(
                "there are no static gates here: the operator decides how calls leave (leave `truto_static_gate_id` out)",
            ));
        }
        let region = given(body, "region").map(|value| text("region", value)).transpose()?;
        if region.as_ref().is_some_and(|region| !REGIONS.contains(&region.as_str())) {
            return Err(Error::invalid(format!("`region` must be one of {}", REGIONS.join(", "))));
        }
        let uri = given(body, "redirect_uri").map(|value| text("redirect_uri", value)).transpose()?;
        // The SDKs send one name, the API knows the other; one text or a list.
        let models = ["environment_unified_model_id", "unified_model_id"];
        let models = models.iter().filter_map(|name| Some((*name, given(body, name)?)));
        let models: Result<Vec<_>, Error> = models.map(|(name, value)| self.models(name, value)).collect();
        Ok(Purpose {
            redirect_uri: uri.map(|text| redirect_uri(&text)).transpose()?,
            scopes: given(body, "scopes").map_or(Ok(Vec::new()), |value| texts("scopes", value))?,
            models: models?.concat(),
            persist_previous_context: flag(body, "persist_previous_context")?,
            region,
            is_sandbox: flag(body, "is_sandbox")?,
        })
    }

    fn models(&self, name: &str, value: &Value) -> Result<Vec<String>, Error> {
        let known = |asked: String| {
            let model = self.parts.catalogue.model(&asked).ok_or_else(|| Self::unknown("model", &asked))?;
            Ok(model.name.clone())
        };
        texts(name, value)?.into_iter().map(known).collect()
    }
}

/// Null and an empty text are as good as nothing.
fn given<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    body.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""))
}

fn wrong(name: &str, wanted: &str) -> Error {
    Error::invalid(format!("`{name}` must be {wanted}"))
}

fn text(name: &str, value: &Value) -> Result<String, Error> {
    value.as_str().map(ToOwned::to_owned).ok_or_else(|| wrong(name, "text"))
}

/// A list of texts, or one of them.
fn texts(name: &str, value: &Value) -> Result<Vec<String>, Error> {
    let many = || wrong(name, "text or a list of texts");
    match value {
        Value::String(one) => Ok(vec![one.clone()]),
        Value::Array(all) => all.iter().map(|one| text(name, one).map_err(|_| many())).collect(),
        _ => Err(many()),
    }
}

fn flag(body: &Map<String, Value>, name: &str) -> Result<bool, Error> {
    given(body, name).map_or(Ok(false), |value| crate::options::boolean(name, value))
}

fn object(body: &Map<String, Value>, name: &str) -> Result<Map<String, Value>, Error> {
    match given(body, name) {
        None => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map.clone()),
        Some(_) => Err(wrong(name, "an object")),
    }
}

/// An id that is none belongs to nothing there is.
fn id(name: &str, value: &Value) -> Result<Uuid, Error> {
    let text = text(name, value)?;
    Uuid::parse_str(&text).map_err(|_| match name {
        "integrated_account_id" => {
            Error::not_found(format!("there is no integrated account {}", text.escape_debug()))
        }
        _ => Error::not_found("there is no such environment"),
    })
}

fn tenant(body: &Map<String, Value>) -> Result<String, Error> {
    let missing = || {
        Error::new(
            ErrorCode::MissingParameter,
            "`tenant_id` is required (the customer the new account will belong to), or `integrated_account_id` to connect one again",
        )
    };
    let tenant = text("tenant_id", given(body, "tenant_id").ok_or_else(missing)?)?;
    if tenant.trim().is_empty() {
        return Err(missing());
    }
    if tenant.len() > LONGEST || tenant.chars().any(char::is_control) {
        return Err(wrong("tenant_id", "plain text"));
    }
    Ok(tenant)
}

/// Where a customer may be sent: over TLS, or to a developer's own machine. Kept exactly as it was given.
fn redirect_uri(text: &str) -> Result<Url, Error> {
    let refused = || {
        wrong("redirect_uri", "a whole https address (http on loopback only), without user name or fragment")
    };
    let url = Url::parse(text).map_err(|_| refused())?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => return Err(refused()),
    };
    let fits = (url.scheme() == "https" || url.scheme() == "http" && is_loopback)
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
        && text.len() <= LONGEST
        && text == text.trim()
        && !text.chars().any(char::is_control);
    if fits { Ok(url) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::redirect_uri;

    #[test]
    fn customers_are_sent_to_safe_addresses_only() {
        for good in [
            "https://app.example.com/done?a=b&c=%20d",
            "https://app.example.com",
            "http://localhost:3000/back",
            "http://127.0.0.1:3000/back",
            "http://[::1]:3000/",
        ] {
            assert!(redirect_uri(good).is_ok(), "{good}");
        }
        for bad in [
            "http://app.example.com/done",
            "//app.example.com",
            "/done",
            "app.example.com",
            "javascript:alert(1)",
            "data:text/html,hello",
            "ftp://app.example.com",
            "https://user@app.example.com",
            "https://user:pass@app.example.com",
            "https://app.example.com/#part",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1/",
            " https://app.example.com",
            "https://app.example.com/\r\nSet-Cookie: a=b",
            "https://",
            "",
        ] {
            assert!(redirect_uri(bad).is_err(), "{bad}");
        }
    }
}
