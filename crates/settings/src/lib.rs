//! What an operator may set.
//!
//! [`TABLE`] has one row per setting, and everything else follows from it: the key in the file, the environment
//! variable, the flag of `koine serve`, the type, the default, `koine config` and `docs/reference/settings.md`.
//! A setting has one name in three spellings: `upstream_timeout`, `KOINE_UPSTREAM_TIMEOUT`, `--upstream-timeout`.
//!
//! [`read`] merges the sources: the file, over it the environment, over it the flags. It touches neither files nor
//! environment, and reports every problem at once, each with its place. To add a setting, add a row in `table.rs`.

#[macro_use]
mod define;
mod file;
mod read;
mod reference;
mod table;
mod value;

pub use define::{Setting, Shape};
pub use read::{ConfigFile, InForce, Origin, Read, Sources, read};
pub use reference::{example, page};
pub use table::{Settings, TABLE};
pub use value::{
    Addresses, DatabaseUrl, LogFormat, Moves, Origins, Pauses, ProxyUrl, PublicUrl, Seconds, Size, SocketAt,
    Value,
};
