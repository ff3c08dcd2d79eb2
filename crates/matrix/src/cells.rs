//! Cells: which vendor delivers which parameter and field in which operation, and on what evidence.

use std::collections::{BTreeMap, BTreeSet};

use koine_connector::Connector;
use koine_connector::facts::{Claims, Confidence};
use serde::Serialize;

use crate::observe::{Observed, Section};

/// Whether a vendor can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// It is understood, or delivered.
    Supported,
    /// Nothing works without it.
    Required,
}

impl Need {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Required => "required",
        }
    }
}

/// What stands behind a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The sandbox alone, written from what the vendor is said to do.
    Sandbox,
    /// The vendor's own specification, which every request and answer was held against.
    Specification,
    /// A server that others wrote.
    RealServer,
}

impl Evidence {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox only",
            Self::Specification => "vendor's specification",
            Self::RealServer => "server written by others",
        }
    }
}

/// Operation -> section -> field -> vendor -> need.
pub type Cells = BTreeMap<String, BTreeMap<(Section, String), BTreeMap<String, Need>>>;

/// One vendor.
#[derive(Clone, Debug, Serialize)]
pub struct VendorRow {
    /// The connector's name.
    pub connector: String,
    /// The vendor's name.
    pub label: String,
    /// What stands behind it.
    pub evidence: Evidence,
    /// Operation -> how sure its facts are, by the vendor's word.
    pub operations: BTreeMap<String, &'static str>,
    /// What the vendor cannot deliver, and why.
    pub unsupported: Vec<(String, String)>,
    #[serde(skip)]
    claims: Vec<(String, Claims)>,
}

/// All that was found out.
#[derive(Clone, Debug, Serialize)]
pub struct Matrix {
    /// By the vendor's name.
    pub vendors: Vec<VendorRow>,
    /// Every case.
    pub observed: Vec<Observed>,
}

impl Matrix {
    /// From the connectors, what was observed, and which of them met a server that others wrote.
    #[must_use]
    pub fn new<'a>(connectors: impl Iterator<Item = &'a Connector>, mut observed: Vec<Observed>) -> Self {
        let mut vendors: Vec<_> = connectors.map(row).collect();
        vendors.sort_by_key(|vendor| vendor.label.to_lowercase());
        observed.sort_by(|one, other| one.connector.cmp(&other.connector));
        Self { vendors, observed }
    }

    /// What was not as it should be: connector, case, and what.
    pub fn problems(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.observed.iter().flat_map(|one| {
            one.problems.iter().map(|what| (one.connector.as_str(), one.case.as_str(), what.as_str()))
        })
    }

    /// Methods without a case: connector and method.
    #[must_use]
    pub fn untried(&self) -> Vec<(&str, &str)> {
        let tried: BTreeSet<_> =
            self.observed.iter().map(|one| (one.connector.as_str(), one.operation.as_str())).collect();
        let all = self.vendors.iter().flat_map(|vendor| {
            vendor.operations.keys().map(|operation| (vendor.connector.as_str(), operation.as_str()))
        });
        all.filter(|one| !tried.contains(one)).collect()
    }

    /// The cells of all operations, from the calls that went well and from what fixtures prove.
    #[must_use]
    pub fn cells(&self) -> Cells {
        let mut cells = Cells::new();
        for vendor in &self.vendors {
            let own = self.observed.iter().filter(|one| one.connector == vendor.connector);
            for one in own.filter(|one| one.problems.is_empty()) {
                let parameters = one.parameters.iter().map(|(name, (section, need))| (*section, name, *need));
                let fields = one.fields.iter().map(|name| (Section::Response, name, Need::Supported));
                for (section, name, need) in parameters.chain(fields) {
                    enter(&mut cells, &one.operation, section, name, &vendor.label, need);
                }
            }
            for (operation, claims) in &vendor.claims {
                let parts = [
                    (Section::Query, &claims.query),
                    (Section::Body, &claims.body),
                    (Section::Response, &claims.response),
                ];
                for (section, name) in
                    parts.iter().flat_map(|(section, names)| names.iter().map(|name| (*section, name)))
                {
                    enter(&mut cells, operation, section, name, &vendor.label, Need::Supported);
                }
            }
        }
        cells
    }
}

/// What is required anywhere is required.
fn enter(cells: &mut Cells, operation: &str, section: Section, name: &str, vendor: &str, need: Need) {
    let fields = cells.entry(operation.to_owned()).or_default();
    let vendors = fields.entry((section, name.to_owned())).or_default();
    let cell = vendors.entry(vendor.to_owned()).or_insert(need);
    *cell = (*cell).max(need);
}

fn row(connector: &Connector) -> VendorRow {
    let mut operations = BTreeMap::new();
    for (model, resources) in &connector.models {
        for (resource, meaning) in resources {
            for (method, row) in meaning.methods.iter().filter(|(method, _)| *method != "find") {
                let known = connector.facts.of_method(connector, row);
                let word = known.filter(|known| known.is_verified()).map_or("unverified", Confidence::as_str);
                operations.insert(format!("{model}.{resource}.{method}"), word);
            }
        }
    }
    let facts = &connector.facts;
    VendorRow {
        connector: connector.name.clone(),
        label: connector.label.clone(),
        evidence: match (facts.servers.is_empty(), facts.specification.is_empty()) {
            (false, _) => Evidence::RealServer,
            (true, false) => Evidence::Specification,
            (true, true) => Evidence::Sandbox,
        },
        operations,
        unsupported: facts.unsupported.iter().map(|own| (own.what.clone(), own.why.clone())).collect(),
        claims: facts.matrix.iter().map(|(method, claims)| (method.clone(), claims.clone())).collect(),
    }
}
