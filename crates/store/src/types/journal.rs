//! The journal's types. `Debug` prints no request, snapshot, header value or body: they hold personal data.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::Redacted;

/// A write call about to run.
#[derive(Clone)]
pub struct NewCall {
    /// Its id, chosen by the caller.
    pub id: Uuid,
    /// The node that runs it; `None` for nobody, which makes it abandoned from the start.
    pub node_id: Option<Uuid>,
    /// The environment of the caller's token.
    pub environment_id: Uuid,
    /// The account it acts on.
    pub account_id: Uuid,
    /// The unified model.
    pub model: String,
    /// The resource within the model.
    pub resource: String,
    /// The method on the resource.
    pub method: String,
    /// The vendor's id of what it acts on, when known from the request.
    pub target_id: Option<String>,
    /// The token that asked.
    pub token_id: Option<Uuid>,
    /// What is needed to rebuild the plan; sealed at rest.
    pub request: Value,
    /// The client's `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// A digest of the request: the same key with another fingerprint is a mismatch.
    pub fingerprint: String,
    /// The request's path; a key counts per environment, account and path.
    pub path: String,
}

impl fmt::Debug for NewCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCall")
            .field("id", &self.id)
            .field("environment_id", &self.environment_id)
            .field("account_id", &self.account_id)
            .field("model", &self.model)
            .field("resource", &self.resource)
            .field("method", &self.method)
            .field("target_id", &self.target_id)
            .field("request", &Redacted)
            .finish_non_exhaustive()
    }
}

/// What became of [`begin_call`](crate::Store::begin_call). Only `Started` lets the caller go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The call is in the journal and may run.
    Started,
    /// A call with this key is still running.
    InProgress,
    /// A call with this key is done; this was its answer.
    Replayed(StoredAnswer),
    /// The key was used for a different request.
    Mismatch,
}

/// An answer as it was sent to the client; sealed at rest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Header names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    #[serde(with = "base64_bytes")]
    pub body: Vec<u8>,
}

impl fmt::Debug for StoredAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredAnswer")
            .field("status", &self.status)
            .field("headers", &Redacted)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// How a call ended.
#[derive(Clone, Debug, Default)]
pub struct Finish {
    /// The outcome word of a removal, e.g. `removed`.
    pub outcome: Option<String>,
    /// More about it. Stored readable: no secrets, no personal data.
    pub detail: Option<String>,
    /// What to answer to the same idempotency key; `None` releases the key for another try.
    pub answer: Option<StoredAnswer>,
}

/// One vendor request and its answer, by their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeRow {
    /// Its place within the call; unique there.
    pub seq: u32,
    /// The plan's step.
    pub step: String,
    /// The HTTP method.
    pub method: String,
    /// The URL without secrets.
    pub url_redacted: String,
    /// SHA-256 of the request.
    pub request_sha256: String,
    /// The answer's status; `None` when none came.
    pub status: Option<u16>,
    /// SHA-256 of the answer; `None` when none came.
    pub answer_sha256: Option<String>,
    /// What it was taken for.
    pub result: String,
}

/// A call that recorded an intent and did not finish: the next step is to read what became of it.
#[derive(Clone, PartialEq)]
pub struct OpenIntent {
    /// The call.
    pub call_id: Uuid,
    /// Its environment.
    pub environment_id: Uuid,
    /// Its account.
    pub account_id: Uuid,
    /// Its model.
    pub model: String,
    /// Its resource.
    pub resource: String,
    /// Its method.
    pub method: String,
    /// The vendor's id of what it acts on.
    pub target_id: Option<String>,
    /// The request given to `begin_call`.
    pub request: Value,
    /// The earliest snapshot given to `record_intent`: what was there before the call.
    pub target: Option<Value>,
    /// When the call began.
    pub started_at: String,
}

impl fmt::Debug for OpenIntent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenIntent")
            .field("call_id", &self.call_id)
            .field("environment_id", &self.environment_id)
            .field("account_id", &self.account_id)
            .field("model", &self.model)
            .field("resource", &self.resource)
            .field("method", &self.method)
            .field("target_id", &self.target_id)
            .field("request", &Redacted)
            .field("target", &self.target.as_ref().map(|_| Redacted))
            .field("started_at", &self.started_at)
            .finish()
    }
}

/// A call as the journal shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// Its id.
    pub id: Uuid,
    /// Its environment.
    pub environment_id: Uuid,
    /// Its account, which may be gone by now.
    pub account_id: Uuid,
    /// Its model.
    pub model: String,
    /// Its resource.
    pub resource: String,
    /// Its method.
    pub method: String,
    /// The vendor's id of what it acted on.
    pub target_id: Option<String>,
    /// The token that asked.
    pub token_id: Option<Uuid>,
    /// The request's path.
    pub path: String,
    /// The client's `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The outcome word of a removal.
    pub outcome: Option<String>,
    /// More about how it ended.
    pub detail: Option<String>,
    /// When it began.
    pub started_at: String,
    /// When it ended; `None` while it runs or waits to be settled.
    pub finished_at: Option<String>,
    /// When a restart gave it up because it had no intent yet.
    pub released_at: Option<String>,
    /// Its exchanges, by `seq`.
    pub exchanges: Vec<ExchangeRow>,
}

/// Bodies are base64 within the sealed JSON: a list of numbers would be four times as long.
mod base64_bytes {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}
