//! A customer connects an account: the link that a developer makes, the visit of a browser, the credentials that are
//! saved, and the call that tries them.
//!
//! `link -> visit -> form -> typed -> save -> check`: one file each; [`consent`] is the way by a vendor's own page, and
//! [`words`] is what a customer is told.

mod check;
mod consent;
mod form;
mod link;
mod save;
mod typed;
mod visit;
mod words;

pub use consent::Returned;
pub use form::{Form, FormField, Typed, Way};
pub use save::{Rejected, Step, Trouble};
pub use visit::{Offer, Stands, Vendor, Visit};
