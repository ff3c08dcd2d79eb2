//! Test harnesses, a dev-dependency only.
//!
//! - [`RealServer`]: servers other people wrote (Okta and GitHub emulators, a SCIM 2.0 server), started on a
//!   free loopback port; its documentation holds what was measured about each of them
//! - [`LosingProxy`]: a proxy between gateway and server that loses answers or requests on command
//! - [`PostgresDatabase`]: a database of its own for a test, where there is a PostgreSQL
//! - [`Peer`]: a server that does to each connection what a test says, however broken
//! - [`Receiver`]: receives webhooks and answers as it is told to
//! - [`Gateway`]: the built `koine serve` with data of its own, and its command line beside it
//! - [`KoineProcess`]: the built `koine` binary, which a test can kill in the middle of its work
//! - [`Runner`]: the same binary, run to its end
//! - [`http`]: a small HTTP client that shares no code with the gateway's own
//! - [`TlsServer`] with an [`Authority`] of the test's own, [`ForwardProxy`]: what a company's network is made of
//! - [`Visitor`]: looks at the connect page as a browser without scripts does
//! - [`python`]: runs a script against the installed SDK
//!
//! A harness that cannot do its work panics with what it saw: there is nothing a test could do about it.

mod command;
mod forward;
mod gateway;
pub mod http;
mod launch;
pub mod peer;
mod postgres;
mod process;
mod proxy;
mod real;
pub mod receiver;
mod script;
mod tls;
mod visitor;
mod wire;

pub use command::{Ran, Runner};
pub use forward::ForwardProxy;
pub use gateway::Gateway;
pub use launch::installed;
pub use peer::{Peer, Reply};
pub use postgres::PostgresDatabase;
pub use process::KoineProcess;
pub use proxy::{LosingProxy, Seen};
pub use real::{RealServer, Refreshing};
pub use receiver::{Received, Receiver};
pub use script::{ScriptOutput, python};
pub use tls::{Authority, TlsServer};
pub use visitor::Visitor;
