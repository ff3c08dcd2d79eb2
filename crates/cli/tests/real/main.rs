//! Removals on real servers that others wrote, through `koine serve`.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the reason")]

mod browser;
mod crash;
mod github;
mod nodes;
mod oauth;
mod okta;
mod page;
mod page_consent;
mod scim;
mod support;
