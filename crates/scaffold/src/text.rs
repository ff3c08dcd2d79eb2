//! Words and quotes.

/// `acme-hr` -> `Acme Hr`.
pub(crate) fn label(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    name.split('-').map(word).collect::<Vec<_>>().join(" ")
}

/// A YAML text on one line, in single quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace(['\n', '\r', '\t'], " ").replace('\'', "''"))
}

/// A name as a step of an expression's path.
pub(crate) fn step(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        true => name.to_owned(),
        false => format!("`{name}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::{label, quoted, step};

    #[test]
    fn words() {
        assert_eq!(label("acme-hr"), "Acme Hr");
        assert_eq!(quoted("it's\nhere"), "'it''s here'");
        assert_eq!((step("a_b"), step("a-b"), step("9a")), ("a_b".into(), "`a-b`".into(), "`9a`".into()));
    }
}
