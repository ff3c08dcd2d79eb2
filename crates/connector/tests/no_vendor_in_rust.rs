//! A vendor is data: no code of the gateway knows one by name.

use std::path::{Path, PathBuf};

use koine_connector::catalogue::Catalogue;

/// The crates that carry a call, and the command line over them.
const CRATES: &[&str] = &[
    "model",
    "connector",
    "upstream",
    "store",
    "engine",
    "server",
    "sandbox",
    "fixtures",
    "conformance",
    "cli",
];

/// Where a name may stand, and why. Each must be needed.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("connector/src/expr/dates/format.rs", "monday", "the day"),
    ("connector/src/expr/dates/math.rs", "monday", "the day"),
    ("conformance/src/read/mod.rs", "google", "a form of specifications"),
    ("cli/src/commands/demo.rs", "okta", "the example that the demo prints"),
    ("cli/src/commands/connector.rs", "okta", "examples in the help"),
    ("cli/src/commands/connector/verify.rs", "google", "a form of specifications"),
    ("cli/src/commands/connector/verify.rs", "okta", "an example in the help"),
    ("cli/src/commands/account.rs", "miro-scim", "an example in the help"),
    ("cli/src/commands/link_token.rs", "okta", "an example in the help"),
];

/// Names that are words of the language, too: these are looked for as a whole text in quotes.
const EVERYDAY: &[&str] = &["box"];

/// Names and labels of all connectors, in lower case.
fn names() -> Vec<String> {
    let catalogue = Catalogue::embedded().unwrap_or_else(|problems| panic!("{problems}"));
    let mut names: Vec<String> = catalogue
        .connectors()
        .flat_map(|connector| [connector.name.to_lowercase(), connector.label.to_lowercase()])
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The code of a file: neither comments nor the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n").to_lowercase()
}

/// The names that stand in a code as words.
fn found<'a>(code: &str, names: &'a [String]) -> Vec<&'a str> {
    let is_word = |text: Option<char>| text.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let stands = |name: &str| {
        if EVERYDAY.contains(&name) {
            return code.contains(&format!("\"{name}\""));
        }
        code.match_indices(name).any(|(at, _)| {
            !is_word(code[..at].chars().next_back()) && !is_word(code[at + name.len()..].chars().next())
        })
    };
    names.iter().map(String::as_str).filter(|name| stands(name)).collect()
}

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if path.is_dir() && path.file_name().is_none_or(|name| name != "tests") {
            files(&path, all);
        } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("tests.rs") {
            all.push(path);
        }
    }
}

#[test]
fn no_code_names_a_vendor() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let names = names();
    assert!(names.len() > 15, "{names:?}");
    let mut all = Vec::new();
    for name in CRATES {
        files(&crates.join(name).join("src"), &mut all);
    }
    assert!(all.len() > 80, "{} files", all.len());
    let mut seen = Vec::new();
    for path in all {
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = path.strip_prefix(&crates).expect("it is below").to_string_lossy().replace('\\', "/");
        seen.extend(found(&code(&text), &names).into_iter().map(|name| (file.clone(), name.to_owned())));
    }
    let allowed: Vec<(String, String)> =
        ALLOWED.iter().map(|(file, name, _)| ((*file).to_owned(), (*name).to_owned())).collect();
    for one in &seen {
        assert!(allowed.contains(one), "{} names {}: write it as data in connectors/{}", one.0, one.1, one.1);
    }
    for one in &allowed {
        assert!(seen.contains(one), "{one:?} is allowed, but not there");
    }
}

#[test]
fn a_name_in_code_is_found() {
    let names = ["okta".to_owned(), "help scout".to_owned(), "box".to_owned()];
    assert_eq!(found(&code("if connector.name == \"Okta\" {"), &names), ["okta"]);
    assert_eq!(found(&code("let label = \"Help Scout\";"), &names), ["help scout"]);
    assert_eq!(found(&code("fn of(name: Box<str>) { name == \"Box\" }"), &names), ["box"]);
    assert!(found(&code("fn of(name: Box<str>) {}"), &names).is_empty());
    assert!(found(&code("// as okta does\nlet oktal = 8;"), &names).is_empty());
    assert!(found(&code("#[cfg(test)]\nmod tests {\n\"okta\""), &names).is_empty());
}
