//! A vendor without a network: one answer to everything.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use koine_engine::Outgoing;
use koine_model::{Answer, Credentials, Request, Response, Secret};
use koine_upstream::{Hosts, Login, Token, TokenError};
use serde_json::json;

/// A user of Okta as its API shows one; a made-up person.
pub(crate) fn user() -> Vec<u8> {
    json!({
        "id": "00u1ada0000000000001", "status": "ACTIVE", "created": "2024-01-10T09:00:00.000Z",
        "activated": "2024-01-10T09:05:00.000Z", "statusChanged": "2024-01-10T09:05:00.000Z",
        "lastLogin": "2026-03-01T08:00:00.000Z", "lastUpdated": "2026-02-01T10:00:00.000Z",
        "profile": {
            "login": "ada@example.com", "email": "ada@example.com", "secondEmail": "ada.home@example.org",
            "firstName": "Ada", "lastName": "Byrne", "displayName": "Ada Byrne", "title": "Analyst",
            "mobilePhone": "+15550000101", "preferredLanguage": "en-GB", "timezone": "Europe/London", "userType": "Employee"
        }
    })
    .to_string()
    .into_bytes()
}

/// That user's bytes, written once: what a vendor does is no part of a stage.
static USER: LazyLock<Bytes> = LazyLock::new(|| user().into());

/// The answer with that user.
pub(crate) fn answer() -> Response {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Response { status: 200, headers, body: USER.clone() }
}

/// Answers every request with one user.
pub(crate) struct OneUser;

#[async_trait]
impl Outgoing for OneUser {
    async fn send(&self, _: &Request, _: &Credentials, _: &Hosts) -> Answer {
        Answer::Received(answer())
    }

    async fn token(&self, _: &str, _: &dyn Login, _: &Hosts) -> Result<Token, TokenError> {
        Ok(Token {
            value: Secret::new("token"),
            lifetime: None,
            kept: serde_json::Map::new(),
            fresh_for: None,
            since: Instant::now(),
        })
    }

    fn forget_token(&self, _: &str, _: &Secret) {}

    async fn pause(&self, _: Duration) {}
}
