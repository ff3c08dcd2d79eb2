//! What enters and leaves the engine.

use std::net::IpAddr;

use koine_model::Outcome;
use koine_store::Actor;
use serde_json::{Map, Value};
use uuid::Uuid;

/// What the caller asks of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `GET /unified/{model}/{resource}`.
    List,
    /// `GET …/{id}`.
    Get,
    /// `POST /unified/{model}/{resource}`.
    Create,
    /// `PATCH …/{id}`.
    Update,
    /// `DELETE …/{id}`.
    Delete,
    /// `POST …/{method}`.
    Custom(String),
}

impl Operation {
    /// The operation that a model calls by this name; every other name is a custom method.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "list" => Self::List,
            "get" => Self::Get,
            "create" => Self::Create,
            "update" => Self::Update,
            "delete" => Self::Delete,
            custom => Self::Custom(custom.to_owned()),
        }
    }

    /// The method's name in models and connectors.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::List => "list",
            Self::Get => "get",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Custom(name) => name,
        }
    }

    /// Whether it may change something at the vendor.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self, Self::List | Self::Get)
    }
}

/// One unified call, decoded but not yet judged.
#[derive(Clone, Debug)]
pub struct UnifiedCall {
    /// Model name as in the path.
    pub model: String,
    /// Resource name as in the path.
    pub resource: String,
    /// What to do.
    pub operation: Operation,
    /// The path id, percent-decoded.
    pub id: Option<String>,
    /// The whole decoded query, special parameters included.
    pub query: Map<String, Value>,
    /// The JSON body; an absent body is an empty object.
    pub body: Map<String, Value>,
    /// The path as received (for idempotency keys), without the query.
    pub path: String,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
    /// The body as received, to go to the vendor byte for byte (`truto_body_passthrough`); `body` is still what ids
    /// and guards are taken from.
    pub passthrough: Option<koine_model::Body>,
}

/// A successful answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// HTTP status, always 2xx.
    pub status: u16,
    /// Further headers (lower case): rate limits, vendor headers by allow-list.
    pub headers: Vec<(String, String)>,
    /// The outcome of a removal.
    pub outcome: Option<Outcome>,
    /// The body.
    pub body: ReplyBody,
}

/// The body of a [`Reply`].
#[derive(Clone, Debug, PartialEq)]
pub enum ReplyBody {
    /// JSON of ours.
    Json(Value),
    /// The vendor's own bytes (`truto_response_format=stream`, `raw` of something that is not JSON).
    Vendor {
        /// The vendor's content type.
        content_type: String,
        /// The bytes.
        bytes: bytes::Bytes,
    },
}

/// A new integrated account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The customer's customer.
    pub tenant_id: String,
    /// The connector's name.
    pub connector: String,
    /// Which of the connector's kinds of credential; `None` for the first.
    pub authentication_method: Option<String>,
    /// Credential fields.
    pub context: Map<String, Value>,
}

/// Which accounts to list.
#[derive(Clone, Debug, Default)]
pub struct AccountQuery {
    /// Only of this tenant.
    pub tenant_id: Option<String>,
    /// Only of this connector.
    pub connector: Option<String>,
    /// Only with this status.
    pub status: Option<String>,
    /// Most accounts in the answer, 1 to 100.
    pub limit: Option<u32>,
    /// The cursor of the page before.
    pub next_cursor: Option<String>,
}

/// Changes to an account; absent parts stay.
#[derive(Clone, Debug, Default)]
pub struct AccountPatch {
    /// A new tenant.
    pub tenant_id: Option<String>,
    /// Credential fields, merged by top-level key.
    pub context: Option<Map<String, Value>>,
}

/// Which webhooks to list.
#[derive(Clone, Debug, Default)]
pub struct WebhookQuery {
    /// Only those that are on, or off.
    pub is_active: Option<bool>,
    /// Only of this environment; another one than the caller's has none.
    pub environment_id: Option<Uuid>,
    /// Most webhooks in the answer, 1 to 100.
    pub limit: Option<u32>,
    /// The cursor of the page before.
    pub next_cursor: Option<String>,
}

/// Changes to a webhook; absent parts stay.
#[derive(Clone, Default)]
pub struct WebhookPatch {
    /// A new address.
    pub target_url: Option<String>,
    /// A new choice of events; `Some(None)` is all.
    pub event_types: Option<Option<Vec<String>>>,
    /// On or off.
    pub is_active: Option<bool>,
}

/// Which deliveries of a webhook to list.
#[derive(Clone, Debug, Default)]
pub struct DeliveryQuery {
    /// Only of this event.
    pub event: Option<String>,
    /// Only in this status: `pending`, `held`, `delivered`, `failed`.
    pub status: Option<String>,
    /// Most deliveries in the answer, 1 to 100.
    pub limit: Option<u32>,
    /// The cursor of the page before.
    pub next_cursor: Option<String>,
}

/// Which deliveries of an environment to list.
#[derive(Clone, Debug, Default)]
pub struct DeliveryLogQuery {
    /// Only to this webhook.
    pub webhook_id: Option<Uuid>,
    /// Only of this event.
    pub event: Option<String>,
    /// Only those queued after this time.
    pub after: Option<String>,
    /// Only those queued before this time.
    pub until: Option<String>,
    /// Most deliveries in the answer, 1 to 100.
    pub limit: Option<u32>,
    /// The cursor of the page before.
    pub next_cursor: Option<String>,
}

/// What a token may do, each more than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rights {
    /// Read.
    Read,
    /// Read and write.
    Write,
    /// Read, write, and administer the environment: its tokens, its name, its audit log.
    Administer,
}

/// Who calls: proof that authentication took place. Only [`crate::Engine::authenticate`] and
/// [`Caller::operator`] make one. What a caller may do is asked before a call enters the engine, by whoever lets it in
/// (the server's table of routes); the engine keeps every look-up to the caller's environment and accounts.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(crate) environment_id: Uuid,
    pub(crate) token_id: Option<Uuid>,
    pub(crate) accounts: Option<Vec<Uuid>>,
    pub(crate) rights: Rights,
    pub(crate) own_account: Option<Uuid>,
    pub(crate) expires_at: Option<String>,
    pub(crate) source: Source,
}

/// Where a call comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    CommandLine,
    /// This address, if there is one.
    Network(Option<IpAddr>),
}

impl Source {
    /// As the audit log has it.
    pub(crate) fn name(self) -> String {
        match self {
            Self::CommandLine => Actor::operator().source,
            Self::Network(Some(address)) => address.to_string(),
            Self::Network(None) => "unknown".to_owned(),
        }
    }
}

impl Caller {
    /// The person at the command line of the machine that holds the master key.
    #[must_use]
    pub fn operator(environment_id: Uuid) -> Self {
        Self {
            environment_id,
            token_id: None,
            accounts: None,
            rights: Rights::Administer,
            own_account: None,
            expires_at: None,
            source: Source::CommandLine,
        }
    }

    /// Notes where the call comes from, for the audit log.
    #[must_use]
    pub fn calling_from(self, address: Option<IpAddr>) -> Self {
        Self { source: Source::Network(address), ..self }
    }

    /// The environment that every look-up is limited to.
    #[must_use]
    pub fn environment_id(&self) -> Uuid {
        self.environment_id
    }

    /// What the token may do.
    #[must_use]
    pub fn rights(&self) -> Rights {
        self.rights
    }

    /// Whether the token is for some accounts only.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.accounts.is_some()
    }

    /// The account of an integrated-account token.
    #[must_use]
    pub fn own_account(&self) -> Option<Uuid> {
        self.own_account
    }

    /// Whether the token may see this account.
    #[must_use]
    pub fn may_use(&self, account: Uuid) -> bool {
        self.accounts.as_ref().is_none_or(|allowed| allowed.contains(&account))
    }

    /// The caller as the audit log knows them.
    #[must_use]
    pub fn as_actor(&self) -> Actor {
        let name = self.token_id.map(|id| format!("token:{id}"));
        Actor { name: name.unwrap_or_else(|| Actor::operator().name), source: self.source.name() }
    }
}
