//! What each vendor delivers, found out by calling: every case of every connector's sandbox, through the engine.
//!
//! [`observe`] makes the calls of one connector and notes what came back, [`Matrix`] gathers observations and the
//! connectors' facts into cells (operation, field, vendor), [`compare`] holds the cells against somebody's list of them,
//! and `render` writes them for people.

mod cells;
mod compare;
mod html;
mod observe;
mod parameters;
mod render;
mod world;

pub use cells::{Cells, Evidence, Matrix, Need, VendorRow};
pub use compare::{Comparison, Missing, Published, compare};
pub use observe::{Observed, observe};
pub use world::World;
