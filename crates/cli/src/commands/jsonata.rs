//! `koine jsonata`: try an expression as connectors evaluate it.

use std::io::Read as _;
use std::path::Path;

use koine_connector::expr::{Expr, ExprError};
use serde_json::Value;

use crate::failure::Failure;

/// Evaluate an expression with the functions and limits that connectors have, and print the result as JSON.
///
/// Nothing is printed when the expression gives nothing.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  koine jsonata '$mapValues(\"ADMIN\", {\"admin\": \"administrator\"})'\n  koine jsonata 'emails[primary].value' --input user.json\n  curl -s https://api.example.com/users | koine jsonata 'users.{\"id\": $string(id), \"email\": email}' --input -"
)]
pub(crate) struct Jsonata {
    /// The expression.
    #[arg(allow_hyphen_values = true)]
    expression: String,
    /// The JSON that it sees: a file, or `-` for what is piped in. Without it, null.
    #[arg(short, long, value_name = "FILE")]
    input: Option<String>,
}

pub(crate) fn run(options: &Jsonata) -> Result<(), Failure> {
    let expr = Expr::compile(&options.expression, &[]).map_err(|error| refused(&error))?;
    let input = match &options.input {
        Some(name) => read(name)?,
        None => Value::Null,
    };
    let result = expr.eval(&input).map_err(|error| Failure::other(error.to_string()))?;
    if let Some(value) = result {
        println!("{value}");
    }
    Ok(())
}

fn refused(error: &ExprError) -> Failure {
    let hint = error.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    Failure::other(format!("{error}{hint}"))
}

fn read(name: &str) -> Result<Value, Failure> {
    let mut text = String::new();
    let read = match name {
        "-" => std::io::stdin().read_to_string(&mut text).map(drop),
        path => std::fs::read_to_string(Path::new(path)).map(|content| text = content),
    };
    let shown = if name == "-" { "the input" } else { name };
    read.map_err(|error| Failure::other(format!("{shown}: {error}")))?;
    serde_json::from_str(&text).map_err(|error| Failure::other(format!("{shown} is not JSON: {error}")))
}
