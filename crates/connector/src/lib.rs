//! The connector language, pure: YAML in, compiled connectors and sans-IO plans out.
//!
//! No module here opens a connection, reads a clock or touches a file, except [`catalogue`], which reads the
//! folders it is given, and [`keypair`], which needs randomness. One call goes `yaml` -> `compile` -> [`plan`]: text becomes a spanned tree, the tree
//! becomes a [`compile::Connector`] with every problem reported at once, and a plan walks one of its methods.

pub mod authorize;
mod build;
pub mod catalogue;
pub mod compile;
pub mod compiled;
pub mod cursor;
pub mod expr;
pub mod facts;
pub mod keypair;
pub mod login;
pub mod map;
pub mod models;
mod multipart;
pub mod pattern;
pub mod plan;
pub mod problem;
pub mod reader;
pub mod template;
pub mod xml;
pub mod yaml;

pub use compiled::Connector;
pub use problem::{Problem, Problems};
