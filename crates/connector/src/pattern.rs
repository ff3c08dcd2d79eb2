//! Patterns that whole values must fit.

use std::sync::OnceLock;

use regex::Regex;

/// Classes that hold letters and digits of every script: `\d` would let digits into a path that no vendor means.
const WIDE_CLASSES: &[&str] = &[r"\d", r"\D", r"\w", r"\W", r"\b", r"\B"];
/// Longest value that a pattern may demand or, where it says so, allow: more takes memory and means nothing.
const LONGEST: usize = 10_000;

/// A regular expression over a whole value. It is read when the connector is, and made into an automaton when it is
/// first used: most connectors of the catalogue never are.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    /// None when it would be too large; nothing fits it then.
    regex: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Reads a pattern; it is anchored on both sides.
    ///
    /// # Errors
    /// What is wrong with it, for its author.
    pub fn new(text: &str) -> Result<Self, String> {
        if let Some(class) = WIDE_CLASSES.iter().find(|class| text.contains(**class)) {
            return Err(format!("holds `{class}`, which takes every script; say which, such as [0-9A-Za-z]"));
        }
        let parsed = regex_syntax::parse(text);
        let parsed = parsed.map_err(|error| format!("is not a regular expression: {error}"))?;
        let properties = parsed.properties();
        let longest = properties.minimum_len().max(properties.maximum_len()).unwrap_or_default();
        if longest > LONGEST {
            return Err(format!("is for values of {longest} bytes; the most is {LONGEST}"));
        }
        Ok(Self { text: text.to_owned(), regex: OnceLock::new() })
    }

    /// The pattern as the connector has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole value fits.
    #[must_use]
    pub fn is_match(&self, value: &str) -> bool {
        let regex = self.regex.get_or_init(|| Regex::new(&format!("^(?:{})$", self.text)).ok());
        regex.as_ref().is_some_and(|regex| regex.is_match(value))
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn the_whole_value_has_to_fit() {
        let pattern = Pattern::new("[0-9]{1,3}|x").unwrap();
        for (value, fits) in
            [("12", true), ("x", true), ("1x", false), ("1234", false), ("", false), ("1\n", false)]
        {
            assert_eq!(pattern.is_match(value), fits, "{value:?}");
        }
        assert_eq!(pattern.as_str(), "[0-9]{1,3}|x");
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        for (text, wanted) in [
            ("[0-9", "is not a regular expression"),
            (r"\d+", "takes every script"),
            ("(a{1000}){1000}", "is for values of"),
            ("(a{0,1000}){0,1000}", "is for values of"),
        ] {
            let error = Pattern::new(text).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
        let large = Pattern::new("((a{0,1000}){0,1000})+").unwrap();
        assert!(!large.is_match("a"), "too large to be made: nothing fits");
    }
}
