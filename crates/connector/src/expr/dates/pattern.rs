//! Patterns like `yyyy-MM-dd'T'HH:mm`, cut into fields and literal text.

/// A piece of a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A run of one letter: the letter and how many.
    Field(char, usize),
    /// Text that stands for itself.
    Literal(String),
}

/// Text between single quotes is literal; so is all that is no letter.
pub(super) fn tokens(pattern: &str) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    let mut quoted = false;
    // Two equal letters on both sides of a quote are two fields.
    let mut fresh = true;
    for letter in pattern.chars() {
        if letter == '\'' {
            quoted = !quoted;
            fresh = true;
            continue;
        }
        match out.last_mut() {
            Some(Token::Field(last, count)) if !quoted && !fresh && *last == letter => *count += 1,
            _ if !quoted && letter.is_ascii_alphabetic() => out.push(Token::Field(letter, 1)),
            Some(Token::Literal(text)) => text.push(letter),
            _ => out.push(Token::Literal(letter.to_string())),
        }
        fresh = false;
    }
    out
}
