//! The types of values: what they look like, how they are read, what of them may be shown.

mod address;
mod amount;
mod pauses;
mod plain;
mod urls;

pub use address::{Addresses, SocketAt};
pub use amount::{Seconds, Size};
pub use pauses::Pauses;
pub use plain::LogFormat;
pub use urls::{DatabaseUrl, Moves, Origins, ProxyUrl, PublicUrl};

use crate::Shape;

/// A value that can be set.
pub trait Value: Sized {
    /// How the file may write it.
    const SHAPE: Shape = Shape::One;
    /// Whether all or part of it is secret.
    const SECRET: bool = false;

    /// Which values there are, in words.
    fn form() -> String;

    /// Reads the text of a variable or flag.
    ///
    /// # Errors
    /// Why it is none, to follow the setting's name. The text of a secret is never repeated.
    fn parse(text: &str) -> Result<Self, String>;

    /// The value for people, without its secret part.
    fn shown(&self) -> String;
}
