//! The HTTP surface. [`routes`] lists every route and what it needs; everything that leaves is JSON with one error envelope,
//! except for the pages of [`connect`].

mod access;
mod answer;
mod body;
mod client;
mod connect;
mod connections;
mod gateway;
mod listen;
mod router;
mod routes;
mod site;

pub use access::{About, Needs};
pub use listen::{Listener, Serving, serve};
pub use router::{Route, routes};
pub use site::Site;
