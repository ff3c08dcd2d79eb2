//! The table as documentation: a page, and the file that a package installs.

use std::fmt::Write as _;

use crate::{Setting, Shape, TABLE};

/// `docs/reference/settings.md`.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(
        "# Settings\n\nGenerated from the table in `crates/settings/src/table.rs` by `cargo xtask generate`.\n\n\
         Each setting is read from the configuration file (`/etc/koine/koine.toml`, or the one that `--config` or `KOINE_CONFIG` \
         names), from the\nenvironment, and from flags of `koine serve`; a later one goes before an earlier one. The file is \
         [TOML](https://toml.io). A key that is no\nsetting is an error. A setting that may hold a secret has no flag, because every \
         user of the machine sees arguments; in the file it may\nstand only where not everybody can read it. `koine config` \
         prints what is in force and where it came from.\n",
    );
    let mut section = "";
    for setting in TABLE {
        if setting.section != section {
            section = setting.section;
            let _ = write!(text, "\n## {section}\n");
        }
        let _ = write!(text, "\n### {}\n\n{}\n\n", setting.name, setting.summary());
        let _ = writeln!(text, "* environment: `{}`", setting.variable());
        match setting.flag() {
            Some(flag) => {
                let _ = writeln!(text, "* flag: `--{flag}`");
            }
            None => text.push_str("* secret: no flag\n"),
        }
        let _ = writeln!(text, "* value: {}", value(setting));
        if let Some(default) = setting.default.filter(|default| !default.is_empty()) {
            let _ = writeln!(text, "* default: `{default}`");
        }
    }
    text
}

fn value(setting: &Setting) -> String {
    let form = (setting.form)();
    match setting.shape {
        Shape::One | Shape::Map => form,
        Shape::List => format!("{form}; an array, or as text with commas between"),
    }
}

/// A file with every setting as a comment, but those that are given a value.
#[must_use]
pub fn example(set: &[(&str, &str)]) -> String {
    let mut text = String::from(
        "# Settings of Koine. Environment variables (KOINE_LISTEN for `listen`) and flags of `koine serve` go before them.\n\
         # `koine config` prints what is in force; docs/reference/settings.md explains each.\n",
    );
    let mut section = "";
    for setting in TABLE.iter().filter(|setting| setting.shape != Shape::Map) {
        if setting.section != section {
            section = setting.section;
            let _ = write!(text, "\n# --- {section}\n");
        }
        text.push('\n');
        for line in setting.help {
            let _ = writeln!(text, "#{}", line.trim_end());
        }
        let _ = writeln!(text, "# Value: {}.", (setting.form)());
        let _ = match set.iter().find(|(name, _)| *name == setting.name) {
            Some((name, value)) => writeln!(text, "{name} = \"{value}\""),
            None => writeln!(text, "#{} = {}", setting.name, written(setting)),
        };
    }
    for setting in TABLE.iter().filter(|setting| setting.shape == Shape::Map) {
        text.push('\n');
        for line in setting.help {
            let _ = writeln!(text, "#{}", line.trim_end());
        }
        let _ = writeln!(text, "#[{}]", setting.name);
    }
    text
}

fn written(setting: &Setting) -> String {
    match (setting.shape, setting.default) {
        (Shape::List, _) => "[]".to_owned(),
        (_, Some(number)) if number.parse::<u64>().is_ok() => number.to_owned(),
        (_, default) => format!("\"{}\"", default.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sources, read};

    /// A file as somebody would edit it: the marks taken away before keys that have a default.
    #[test]
    fn the_example_is_what_holds_without_it() {
        let text = example(&[]);
        assert!(text.lines().all(|line| line.is_empty() || line.starts_with('#')), "all of it is comment");
        let uncommented: String = text
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .filter(|line| !line.starts_with(' ') && !line.ends_with("\"\""))
            .map(|line| format!("{line}\n"))
            .collect();
        let config = crate::ConfigFile { path: "koine.toml".into(), text: uncommented, public: false };
        let edited = read(&Sources { file: Some(config), ..Sources::default() }).unwrap();
        let plain = read(&Sources::default()).unwrap();
        for (edited, plain) in edited.in_force.iter().zip(&plain.in_force) {
            assert_eq!(edited.value, plain.value, "{}", edited.setting.name);
        }
        let set = edited.in_force.iter().filter(|one| one.origin != crate::Origin::Default).count();
        let defaults = TABLE.iter().filter(|setting| setting.default.is_some()).count();
        assert_eq!(set, defaults, "{text}");
    }

    #[test]
    fn a_package_sets_what_it_knows() {
        let text = example(&[("data_dir", "/var/lib/koine")]);
        let file = crate::ConfigFile { path: "koine.toml".into(), text, public: true };
        let read = read(&Sources { file: Some(file), ..Sources::default() }).unwrap();
        let set: Vec<_> = read.in_force.iter().filter(|one| one.origin != crate::Origin::Default).collect();
        assert_eq!((set.len(), set[0].value.as_deref()), (1, Some("/var/lib/koine")));
    }

    #[test]
    fn the_page_names_every_spelling() {
        let page = page();
        for setting in TABLE {
            assert!(page.contains(&format!("`{}`", setting.variable())), "{}", setting.name);
        }
        assert!(page.contains("`--listen`") && !page.contains("`--master-key`"), "{page}");
    }
}
