//! The engine without a server in front.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the reason")]

mod known;
mod rights;
mod support;
