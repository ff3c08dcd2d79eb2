//! `facts.yaml`: where each fact about a vendor comes from, and what the vendor cannot deliver.

use std::collections::BTreeMap;

use koine_model::NameMap;

use crate::compile::requests_that_count;
use crate::compiled::{Connector, Row};
use crate::problem::{Place, Problems};
use crate::reader::Reader;
use crate::yaml::{Data, Node};

/// How sure we are of a fact; the weakest first, so that the least of several is what all of them are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Known from memory, seen in no source.
    Recalled,
    /// Seen in code that others wrote against the vendor.
    ThirdPartySource,
    /// Seen in the vendor's own library.
    SdkSource,
    /// Described by the vendor in prose.
    VendorDocs,
    /// Described by the vendor for machines.
    OfficialSpec,
}

impl Confidence {
    const ALL: [Self; 5] =
        [Self::OfficialSpec, Self::VendorDocs, Self::SdkSource, Self::ThirdPartySource, Self::Recalled];

    /// The word in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recalled => "recalled",
            Self::ThirdPartySource => "third-party-source",
            Self::SdkSource => "sdk-source",
            Self::VendorDocs => "vendor-docs",
            Self::OfficialSpec => "official-spec",
        }
    }

    /// Whether the vendor itself says so.
    #[must_use]
    pub fn is_verified(self) -> bool {
        self >= Self::SdkSource
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|confidence| confidence.as_str() == word)
    }
}

/// What one `facts.yaml` says.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What was read.
    pub sources: Vec<String>,
    /// By request (`users.delete`), or by the name of another fact (`auth`, `users.delete repeated`).
    pub confidence: BTreeMap<String, Confidence>,
    /// What people should know.
    pub notes: Vec<String>,
    /// What fixtures prove, by `model.resource.method`.
    pub matrix: NameMap<Claims>,
    /// What the vendor wants of the customer before anything works.
    pub requires: Requirements,
    /// What the vendor cannot deliver.
    pub unsupported: Vec<Unsupported>,
    /// Servers written by others that the connector's tests run against.
    pub servers: Vec<String>,
    /// The vendor's specifications that the connector is verified against.
    pub specification: Vec<SpecificationFile>,
}

/// One of the vendor's specifications, and where it errs.
#[derive(Clone, Debug, Default)]
pub struct SpecificationFile {
    /// The file's name; the folder is given when a connector is verified.
    pub file: String,
    /// Start of our paths -> start of the specification's, for a vendor that serves them elsewhere.
    pub rewrite: Vec<(String, String)>,
    /// Deviations that are the specification's own error.
    pub tolerated: Vec<Tolerated>,
}

/// A deviation that is the specification's own error. `*` in its texts stands for anything.
#[derive(Clone, Debug)]
pub struct Tolerated {
    /// Verb and path as the specification writes them.
    pub operation: String,
    /// Part of the exchange, and JSON pointer within it.
    pub at: String,
    /// How it is known that the specification errs.
    pub why: String,
    /// Where it is written.
    pub place: Place,
}

/// What the vendor wants of the customer, in the vendor's words.
#[derive(Clone, Debug, Default)]
pub struct Requirements {
    /// The vendor's plans that have the API; one of them.
    pub plans: Vec<String>,
    /// The roles that the credential's owner may have; one of them.
    pub roles: Vec<String>,
    /// Scopes of the credential; all of them.
    pub scopes: Vec<String>,
}

/// The parameters and fields that a method claims to support.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// Query parameters.
    pub query: Vec<String>,
    /// Body fields.
    pub body: Vec<String>,
    /// Fields of the record.
    pub response: Vec<String>,
}

/// Something that the vendor cannot deliver.
#[derive(Clone, Debug)]
pub struct Unsupported {
    /// What.
    pub what: String,
    /// Why not.
    pub why: String,
}

impl Facts {
    /// What a method is worth: the least of its own request and of the steps that change something. `None`
    /// when one of them has no confidence.
    #[must_use]
    pub fn of_method(&self, connector: &Connector, row: &Row) -> Option<Confidence> {
        let names = requests_that_count(connector, row);
        let each = names.iter().map(|name| self.confidence.get(name).copied());
        each.collect::<Option<Vec<_>>>()?.into_iter().min()
    }
}

/// Reads the file; what it says of other files is for [`check`].
pub(crate) fn read(node: &Node, problems: &mut Problems) -> Facts {
    let Some(reader) = Reader::new(node, "facts.yaml", problems) else { return Facts::default() };
    let mut facts = Facts {
        sources: reader.texts("sources", problems),
        notes: reader.texts("notes", problems),
        servers: reader.texts("servers", problems),
        ..Facts::default()
    };
    for (name, _, node) in reader.entries("confidence", problems) {
        facts.confidence.extend(confidence(node, problems).map(|confidence| (name.to_owned(), confidence)));
    }
    for (name, _, node) in reader.entries("matrix", problems) {
        facts.matrix.extend(claims(node, problems).map(|claims| (name.to_owned(), claims)));
    }
    if let Some(reader) = reader.node("requires").and_then(|node| Reader::new(node, "`requires`", problems)) {
        facts.requires = Requirements {
            plans: reader.texts("plans", problems),
            roles: reader.texts("roles", problems),
            scopes: reader.texts("scopes", problems),
        };
        reader.finish(problems);
    }
    for node in reader.list("unsupported", problems) {
        facts.unsupported.extend(unsupported(node, problems));
    }
    for node in reader.list("specification", problems) {
        facts.specification.extend(specification(node, problems));
    }
    reader.finish(problems);
    facts
}

fn confidence(node: &Node, problems: &mut Problems) -> Option<Confidence> {
    let word = match &node.data {
        Data::Text(word) => word.as_str(),
        _ => node.kind(),
    };
    let confidence = Confidence::parse(word);
    if confidence.is_none() {
        let hint = format!("one of {}", Confidence::ALL.map(Confidence::as_str).join(", "));
        problems.add(&node.place, format!("`{word}` is no confidence"), Some(hint));
    }
    confidence
}

fn claims(node: &Node, problems: &mut Problems) -> Option<Claims> {
    let reader = Reader::new(node, "a claim", problems)?;
    let claims = Claims {
        query: reader.texts("query", problems),
        body: reader.texts("body", problems),
        response: reader.texts("response", problems),
    };
    reader.finish(problems);
    Some(claims)
}

fn unsupported(node: &Node, problems: &mut Problems) -> Option<Unsupported> {
    let reader = Reader::new(node, "an unsupported thing", problems)?;
    let unsupported =
        Unsupported { what: reader.required("what", problems), why: reader.required("why", problems) };
    reader.finish(problems);
    Some(unsupported)
}

fn specification(node: &Node, problems: &mut Problems) -> Option<SpecificationFile> {
    let reader = Reader::new(node, "a specification", problems)?;
    let mut rewrite = Vec::new();
    for (from, _, node) in reader.entries("rewrite", problems) {
        match &node.data {
            Data::Text(to) => rewrite.push((from.to_owned(), to.clone())),
            _ => problems.add(&node.place, format!("a path must be text, this is {}", node.kind()), None),
        }
    }
    let tolerated = reader.list("tolerated", problems).iter();
    let tolerated = tolerated.filter_map(|node| tolerance(node, problems)).collect();
    let file = SpecificationFile { file: reader.required("file", problems), rewrite, tolerated };
    reader.finish(problems);
    Some(file)
}

fn tolerance(node: &Node, problems: &mut Problems) -> Option<Tolerated> {
    let reader = Reader::new(node, "a tolerated deviation", problems)?;
    let tolerated = Tolerated {
        operation: reader.required("operation", problems),
        at: reader.required("at", problems),
        why: reader.required("why", problems),
        place: node.place.clone(),
    };
    reader.finish(problems);
    Some(tolerated)
}

/// Requests have a confidence, and what is claimed or rated exists.
pub(crate) fn check(facts: &Facts, connector: &Connector, place: &Place, problems: &mut Problems) {
    for name in connector.requests.keys().filter(|name| !facts.confidence.contains_key(*name)) {
        let hint = format!("add `{name}` under `confidence`");
        problems.add(place, format!("the request `{name}` has no confidence"), Some(hint));
    }
    for name in facts.confidence.keys() {
        // `users.delete repeated` speaks of the request `users.delete`.
        let request = name.split(' ').next().filter(|word| word.contains('.'));
        if let Some(request) = request.filter(|request| !connector.requests.contains_key(*request)) {
            problems.add(place, format!("there is no request `{request}` to be sure of"), None);
        }
    }
    for name in facts.matrix.keys().filter(|name| !has_method(connector, name)) {
        problems.add(place, format!("`matrix` names `{name}`, which is no method of the connector"), None);
    }
}

fn has_method(connector: &Connector, name: &str) -> bool {
    let mut words = name.splitn(3, '.');
    let (Some(model), Some(resource), Some(method)) = (words.next(), words.next(), words.next()) else {
        return false;
    };
    let resource = connector.models.get(model).and_then(|resources| resources.get(resource));
    resource.is_some_and(|resource| resource.methods.contains_key(method))
}
