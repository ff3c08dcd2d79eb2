//! Tables for people, JSON for programs.

use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde_json::Value;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns.
    Table,
    /// JSON.
    Json,
}

/// Prints objects, one row each, with these columns (dots reach inside).
pub(crate) fn rows(format: Format, items: &[Value], columns: &[&str]) {
    if format == Format::Json {
        println!("{}", Value::Array(items.to_vec()));
        return;
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(columns);
    for item in items {
        table.add_row(columns.iter().map(|column| cell(item, column)));
    }
    println!("{table}");
}

/// Prints one object.
pub(crate) fn one(format: Format, item: &Value, columns: &[&str]) {
    match format {
        Format::Json => println!("{item}"),
        Format::Table => {
            for column in columns {
                println!("{column:<24} {}", cell(item, column));
            }
        }
    }
}

fn cell(item: &Value, column: &str) -> String {
    match column.split('.').try_fold(item, |at, part| at.get(part)) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
