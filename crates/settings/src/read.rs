//! From the sources to the values in force.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::file::{self, Written};
use crate::{Setting, Settings, Shape, TABLE, Value};

/// What settings are read from; a later field goes before an earlier one.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file, if there is one: where it is, what it says, and whether every user of the machine may read it.
    pub file: Option<ConfigFile>,
    /// The environment. Blank variables count as not set.
    pub variables: BTreeMap<String, String>,
    /// Flags by name, without their dashes.
    pub flags: BTreeMap<String, String>,
}

/// The configuration file.
#[derive(Clone)]
pub struct ConfigFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
    /// Whether every user of the machine may read it: then it must hold no secret.
    pub public: bool,
}

impl fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigFile({})", self.path.display())
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The file, with the line.
    File(PathBuf, usize),
    /// This environment variable.
    Variable(String),
    /// This flag.
    Flag(String),
}

impl Origin {
    /// A higher one goes before a lower one.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File(..) => 1,
            Self::Variable(_) => 2,
            Self::Flag(_) => 3,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// One setting as it is.
#[derive(Clone, Debug)]
pub struct InForce {
    /// Which.
    pub setting: &'static Setting,
    /// The value without its secret part; `None` when it has none.
    pub value: Option<String>,
    /// Where it came from.
    pub origin: Origin,
}

/// All that was read.
#[derive(Clone, Debug)]
pub struct Read {
    /// The values.
    pub settings: Settings,
    /// The same for people, in the order of the table.
    pub in_force: Vec<InForce>,
    /// What is probably not meant: variables that look like settings and are none.
    pub warnings: Vec<String>,
}

impl Read {
    /// Where the value of a setting came from.
    #[must_use]
    pub fn origin(&self, name: &str) -> &Origin {
        let found = self.in_force.iter().find(|one| one.setting.name == name);
        found.map_or(&Origin::Default, |one| &one.origin)
    }
}

/// Reads all settings.
///
/// # Errors
/// Every problem, each with its place. None repeats a secret.
pub fn read(sources: &Sources) -> Result<Read, Vec<String>> {
    let mut reader = Reader { found: BTreeMap::new(), problems: Vec::new(), in_force: Vec::new() };
    if let Some(file) = &sources.file {
        reader.file(file);
    }
    for setting in TABLE {
        let variable = setting.variable();
        if let Some(text) = sources.variables.get(&variable).filter(|text| !text.trim().is_empty()) {
            reader.found.insert(setting.name, (text.clone(), Origin::Variable(variable)));
        }
        let flag = setting.flag().and_then(|flag| Some((sources.flags.get(&flag)?, flag)));
        if let Some((text, flag)) = flag {
            reader.found.insert(setting.name, (text.clone(), Origin::Flag(flag)));
        }
    }
    let settings = Settings::take(&mut reader);
    match settings {
        Some(settings) if reader.problems.is_empty() => {
            let warnings = sources.variables.keys().filter_map(|name| misspelt(name)).collect();
            Ok(Read { settings, in_force: reader.in_force, warnings })
        }
        _ => Err(reader.problems),
    }
}

/// What the sources say, and what is wrong with it.
pub(crate) struct Reader<'a> {
    found: BTreeMap<&'a str, (String, Origin)>,
    problems: Vec<String>,
    in_force: Vec<InForce>,
}

impl Reader<'_> {
    fn file(&mut self, file: &ConfigFile) {
        let (entries, errors) = file::parse(&file.text);
        let at = |line| Origin::File(file.path.clone(), line);
        self.problems.extend(errors.into_iter().map(|(line, why)| format!("{}: {why}", at(line))));
        for entry in entries {
            let origin = at(entry.line);
            let Some(setting) = TABLE.iter().find(|setting| setting.name == entry.key) else {
                let nearest = nearest(&entry.key, TABLE.iter().map(|setting| setting.name));
                self.problems.push(format!("{origin}: `{}` is no setting{}", entry.key, hint(nearest)));
                continue;
            };
            if setting.secret && file.public {
                let path = file.path.display();
                self.problems.push(format!(
                    "{origin}: `{}` may hold a secret and every user can read this file: `chmod o= {path}`",
                    setting.name
                ));
            }
            match text_for(setting.shape, entry.value) {
                Ok(text) => {
                    self.found.insert(setting.name, (text, origin));
                }
                Err(what) => {
                    let form = (setting.form)();
                    self.problems.push(format!("{origin}: `{}` is {what}, not {form}", setting.name));
                }
            }
        }
    }

    /// A setting without a default; `None` when it has a problem.
    pub(crate) fn optional<T: Value>(&mut self, name: &'static str) -> Option<Option<T>> {
        match self.found.remove(name) {
            None => {
                self.note(name, None, Origin::Default);
                Some(None)
            }
            Some((text, origin)) => self.parsed(name, &text, origin).map(Some),
        }
    }

    /// A setting with a default.
    pub(crate) fn required<T: Value>(&mut self, name: &'static str, default: &str) -> Option<T> {
        let (text, origin) = self.found.remove(name).unwrap_or_else(|| (default.to_owned(), Origin::Default));
        self.parsed(name, &text, origin)
    }

    fn parsed<T: Value>(&mut self, name: &'static str, text: &str, origin: Origin) -> Option<T> {
        let text = text.trim();
        let given = origin != Origin::Default;
        let value = if given && text.is_empty() && T::SHAPE == Shape::One {
            Err("it is empty".to_owned())
        } else {
            T::parse(text)
        };
        match value {
            Ok(value) => {
                self.note(name, Some(value.shown()), origin);
                Some(value)
            }
            Err(why) => {
                let key =
                    if matches!(origin, Origin::File(..)) { format!("`{name}`: ") } else { String::new() };
                self.problems.push(format!("{origin}: {key}{why}"));
                None
            }
        }
    }

    fn note(&mut self, name: &str, value: Option<String>, origin: Origin) {
        let setting = TABLE.iter().find(|setting| setting.name == name);
        let setting = setting.expect("the table's own names are in the table");
        self.in_force.push(InForce { setting, value, origin });
    }
}

/// The text that the variable would hold, or what else it is.
fn text_for(shape: Shape, written: Written) -> Result<String, &'static str> {
    match (shape, written) {
        (_, Written::One(text)) | (Shape::List, Written::List(text)) | (Shape::Map, Written::Map(text)) => {
            Ok(text)
        }
        (_, Written::List(_)) => Err("an array"),
        (_, Written::Map(_)) => Err("a table"),
        (_, Written::Wrong(what)) => Err(what),
    }
}

/// A variable that is nearly one of ours. Others may begin like ours: Kubernetes sets `KOINE_SERVICE_HOST` for a
/// service of that name.
fn misspelt(name: &str) -> Option<String> {
    let known: Vec<String> = TABLE.iter().map(Setting::variable).collect();
    if !name.starts_with("KOINE_") || name == "KOINE_CONFIG" || known.iter().any(|one| one == name) {
        return None;
    }
    let nearest = nearest(name, known.iter().map(String::as_str))?;
    Some(format!("{name} is no setting; did you mean {nearest}?"))
}

/// The known name that was probably meant.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let known = known.map(|one| (strsim::damerau_levenshtein(name, one), one));
    known.min().filter(|(distance, _)| *distance <= 3).map(|(_, one)| one)
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests;
