//! What was found, and how it is told.

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::Format;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Ok,
    Warning,
    Error,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

struct Finding {
    level: Level,
    /// What was looked at.
    about: &'static str,
    what: String,
    /// What to do; empty when nothing has to be done.
    advice: String,
}

/// Everything that was found, in order.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn ok(&mut self, about: &'static str, what: impl Into<String>) {
        self.0.push(Finding { level: Level::Ok, about, what: what.into(), advice: String::new() });
    }

    pub(super) fn warning(
        &mut self,
        about: &'static str,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.0.push(Finding { level: Level::Warning, about, what: what.into(), advice: advice.into() });
    }

    pub(super) fn error(&mut self, about: &'static str, what: impl Into<String>, advice: impl Into<String>) {
        self.0.push(Finding { level: Level::Error, about, what: what.into(), advice: advice.into() });
    }

    fn count(&self, level: Level) -> usize {
        self.0.iter().filter(|finding| finding.level == level).count()
    }

    pub(super) fn print(&self, format: Format) {
        if format == Format::Json {
            let one = |finding: &Finding| json!({"about": finding.about, "level": finding.level.word(), "finding": finding.what, "do": finding.advice});
            println!("{}", Value::Array(self.0.iter().map(one).collect()));
            return;
        }
        for Finding { level, about, what, advice } in &self.0 {
            println!("{:<8} {about:<11} {what}", level.word());
            if !advice.is_empty() {
                println!("{:<20} -> {advice}", "");
            }
        }
    }

    /// Fails when there is an error.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        match self.count(Level::Error) {
            0 => Ok(()),
            errors => {
                Err(Failure::other(format!("{errors} errors, {} warnings", self.count(Level::Warning))))
            }
        }
    }
}
