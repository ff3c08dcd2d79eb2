//! docs/functions.md: every function beyond standard JSONata, each with an example that was run.

mod dates;
mod formats;
mod table;

use koine_connector::expr::{self, Expr};
use serde_json::Value;

use dates::METHODS;
use table::{Doc, Group, TABLE};

const INTRODUCTION: &str = "\
# Functions

Expressions are [JSONata](https://docs.jsonata.org/) with the functions below. `$eval` is missing: it would hide code
from the check that runs when a connector is loaded. `$join`, `$each`, `$sift`, `$pad`, `$base64encode` and
`$base64decode` take the place of the standard functions of these names.

`koine jsonata '<expression>'` tries one. What a limit stops (250 ms, depth, size of texts and results) is an error.
*Nothing* is what a path gives that leads nowhere, `nope` in the examples.

<!-- Written by `cargo xtask generate` from xtask/src/functions/, which is where to change it. -->
";

/// The page; fails when a function lacks documentation, or an example is wrong.
pub(crate) fn page() -> Result<String, String> {
    complete()?;
    let mut page = INTRODUCTION.to_owned();
    for group in TABLE {
        page.push_str(&section(group)?);
    }
    page.push_str(&section(&METHODS)?);
    Ok(page)
}

/// Everything that can be called is documented, and nothing else is.
fn complete() -> Result<(), String> {
    let compare = |what: &str, known: Vec<&str>, documented: Vec<&str>| {
        let missing: Vec<_> = known.iter().filter(|name| !documented.contains(name)).collect();
        let unknown: Vec<_> = documented.iter().filter(|name| !known.contains(name)).collect();
        match (missing.is_empty(), unknown.is_empty()) {
            (true, true) => Ok(()),
            (false, _) => Err(format!("{what} without documentation: {missing:?}")),
            (true, false) => Err(format!("documentation of {what} that do not exist: {unknown:?}")),
        }
    };
    let names = |docs: &[Doc]| docs.iter().flat_map(|doc| doc.names.iter().copied()).collect::<Vec<_>>();
    let functions = TABLE.iter().flat_map(|group| names(group.docs)).collect();
    compare("functions", expr::functions().collect(), functions)?;
    compare("methods", expr::date_methods().to_vec(), names(METHODS.docs))?;
    let told = |name: &&str| TABLE.iter().any(|group| group.about.contains(&format!("`{name}`")));
    match expr::search_methods().iter().find(|name| !told(name)) {
        Some(name) => Err(format!("`{name}` of search parameters without documentation")),
        None => Ok(()),
    }
}

fn section(group: &Group) -> Result<String, String> {
    let mut text = format!("\n## {}\n\n", group.title);
    if !group.about.is_empty() {
        text.push_str(&format!("{}\n\n", group.about));
    }
    text.push_str("| call | gives | example |\n|---|---|---|\n");
    for doc in group.docs {
        let result = run(doc)?;
        let cell = |text: &str| text.replace('|', "\\|");
        text.push_str(&format!(
            "| `{}` | {} | `{}` → {} |\n",
            cell(doc.call),
            cell(doc.gives),
            cell(doc.example),
            cell(&result)
        ));
    }
    Ok(text)
}

/// Runs the example; it must give what the table says.
fn run(doc: &Doc) -> Result<String, String> {
    let fail = |what: &str| format!("{}: {what}", doc.example);
    let expr = Expr::compile(doc.example, &[]).map_err(|error| fail(&error.to_string()))?;
    let result = expr.eval(&Value::Null).map_err(|error| fail(&error.to_string()))?;
    let shown = result.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
    if shown != doc.result {
        return Err(fail(&format!("gives {shown}, the table says {}", doc.result)));
    }
    Ok(if result.is_some() { format!("`{shown}`") } else { shown })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_documented_and_every_example_is_true() {
        page().unwrap();
    }

    #[test]
    fn an_example_that_is_wrong_or_fails_is_refused() {
        let doc = |example, result| Doc { names: &[], call: "", gives: "", example, result };
        assert_eq!(run(&doc("$compact([0,1])", "[1]")), Ok("`[1]`".to_owned()));
        assert_eq!(run(&doc("nope", "nothing")), Ok("nothing".to_owned()));
        assert!(run(&doc("1 + 1", "3")).is_err());
        assert!(run(&doc("$gone()", "nothing")).is_err());
        assert!(run(&doc("$removeEmpty(nope)", "nothing")).is_err());
    }

    #[test]
    fn every_call_names_its_functions_and_its_example_calls_one() {
        for doc in TABLE.iter().flat_map(|group| group.docs).chain(METHODS.docs) {
            for name in doc.names {
                assert!(doc.call.contains(&format!("{name}(")), "{name} in {}", doc.call);
            }
            assert!(
                doc.names.iter().any(|name| doc.example.contains(&format!("{name}("))),
                "{}",
                doc.example
            );
        }
    }
}
