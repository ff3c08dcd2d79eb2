//! Through `koine demo`: every connector's life cycle, faults on demand, bad input, and an SDK written by others.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the reason")]

mod access;
mod administration;
mod bad_input;
mod connect;
mod connect_hostile;
mod faults;
mod hostile;
mod kinds;
mod life;
mod logins;
mod meta;
mod parameters;
mod real_sdk;
mod rotation;
mod running;
mod support;
mod webhooks;
