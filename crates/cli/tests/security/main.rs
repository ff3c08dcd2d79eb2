//! Attempts on a real gateway: by who has no token, a lesser one or somebody else's, by vendors, and by authors of
//! connectors. SECURITY.md says what each one is about.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the reason")]

mod addresses;
mod canary;
mod consents;
mod headers;
mod links;
mod support;
mod tokens;
mod vendors;
mod webhooks;
mod wire;
