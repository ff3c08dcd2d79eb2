//! `/connect-account`: the page on which a customer connects an account.
//!
//! The link's secret is in the address of the first request only. It is exchanged for a cookie at once, so that it is in
//! no history, referrer or log; everything after that is below `/connect-account/{visit}`, and a browser may have several
//! visits at once. A browser that leaves for a vendor's page has one more cookie, for the address that it comes back to.

mod browser;
mod ends;
mod help;
mod page;
mod steps;

pub(crate) use page::asset;
pub(crate) use steps::{callback, choose, close, done, enter, form, submit};
