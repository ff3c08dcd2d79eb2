//! Test harnesses, a dev-dependency only.
//!
//! - [`RealServer`]: servers other people wrote (Okta and GitHub emulators, a SCIM 2.0 server), started on a
//!   free loopback port; its documentation holds what was measured about each of them
//! - [`LosingProxy`]: a proxy between gateway and server that loses answers or requests on command
//! - [`PostgresDatabase`]: a database of its own for a test, where there is a PostgreSQL
//! - [`KoineProcess`]: the built `koine` binary, which a test can kill in the middle of its work
//! - [`http`]: a small HTTP client that shares no code with the gateway's own
//! - [`python`]: runs a script against the installed SDK
//!
//! A harness that cannot do its work panics with what it saw: there is nothing a test could do about it.

pub mod http;
mod launch;
mod postgres;
mod process;
mod proxy;
mod real;
mod script;
mod wire;

pub use postgres::PostgresDatabase;
pub use process::KoineProcess;
pub use proxy::{LosingProxy, Seen};
pub use real::RealServer;
pub use script::{ScriptOutput, python};
