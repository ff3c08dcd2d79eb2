//! Handlers, one file per group of routes.

pub(crate) mod accounts;
pub(crate) mod health;
pub(crate) mod meta;
pub(crate) mod unified;
