//! Texts, paths, secrets and choices.

use std::path::PathBuf;

use koine_model::Secret;

use super::Value;

impl Value for String {
    fn form() -> String {
        "text".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn shown(&self) -> String {
        self.clone()
    }
}

impl Value for PathBuf {
    fn form() -> String {
        "a path".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::from(text))
    }

    fn shown(&self) -> String {
        self.display().to_string()
    }
}

impl Value for Secret {
    const SECRET: bool = true;

    fn form() -> String {
        "32 bytes in base64".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::new(text))
    }

    fn shown(&self) -> String {
        "(hidden)".to_owned()
    }
}

/// What log lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Value for LogFormat {
    fn form() -> String {
        "`text` or `json`".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("`{text}` is neither `text` nor `json`")),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Json => "json".to_owned(),
        }
    }
}
