//! Our cells against somebody's list of what their product supports.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cells::{Cells, Matrix, Need};
use crate::observe::Section;

/// Operation -> rows, as published.
pub type Published = BTreeMap<String, Vec<Row>>;

/// One parameter or field of a published list.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    /// `Query Parameters`, `Request Body` or `Response Body`; others are ids in paths.
    pub section: String,
    /// The parameter or field.
    pub name: String,
    /// Vendor's name -> `supported` or `required`.
    pub providers: BTreeMap<String, String>,
}

/// A published cell that we do not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// `model.resource.method`.
    pub operation: String,
    /// The parameter or field.
    pub name: String,
    /// As published.
    pub vendor: String,
    /// Why not, from the connector's facts; `None` when nothing is said.
    pub why: Option<String>,
}

/// How the two differ.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Comparison {
    /// How many cells were published.
    pub published: usize,
    /// Those that we have.
    pub covered: usize,
    /// Those that we do not.
    pub missing: Vec<Missing>,
    /// Cells that say `required` where we can do without, or the other way round: `operation name vendor: theirs, ours`.
    pub differing: Vec<String>,
    /// How many cells of the published operations we have and they do not.
    pub extra: usize,
}

/// Holds our cells against the list.
#[must_use]
pub fn compare(matrix: &Matrix, published: &Published) -> Comparison {
    let cells = matrix.cells();
    let mut all = Comparison::default();
    let mut seen = 0;
    for (operation, rows) in published {
        for row in rows {
            for (vendor, need) in &row.providers {
                all.published += 1;
                match find(matrix, &cells, operation, row, vendor) {
                    Some(ours) => {
                        seen += 1;
                        if ours.as_str() != need {
                            let told =
                                format!("{operation} {} {vendor}: {need}, here {}", row.name, ours.as_str());
                            all.differing.push(told);
                        }
                    }
                    None => all.missing.push(Missing {
                        operation: operation.clone(),
                        name: row.name.clone(),
                        vendor: vendor.clone(),
                        why: why(matrix, operation, &row.name, vendor),
                    }),
                }
            }
        }
    }
    all.covered = seen;
    let ours: usize = published
        .keys()
        .filter_map(|operation| cells.get(operation))
        .flat_map(BTreeMap::values)
        .map(BTreeMap::len)
        .sum();
    all.extra = ours.saturating_sub(seen);
    all
}

fn section(text: &str) -> Option<Section> {
    match text {
        "Query Parameters" => Some(Section::Query),
        "Request Body" => Some(Section::Body),
        "Response Body" => Some(Section::Response),
        _ => None,
    }
}

fn find(matrix: &Matrix, cells: &Cells, operation: &str, row: &Row, vendor: &str) -> Option<Need> {
    let vendors = cells.get(operation)?.get(&(section(&row.section)?, row.name.clone()))?;
    labels(matrix, vendor).find_map(|label| vendors.get(label).copied())
}

/// Labels of the connectors that somebody may mean by this name.
fn labels<'a>(matrix: &'a Matrix, vendor: &str) -> impl Iterator<Item = &'a str> {
    let plain = plain(vendor);
    let fits = move |row: &&crate::VendorRow| {
        self::plain(&row.label) == plain || self::plain(&row.connector) == plain
    };
    matrix.vendors.iter().filter(fits).map(|row| row.label.as_str())
}

/// Letters and digits, without what stands in brackets.
fn plain(name: &str) -> String {
    let name = name.split('(').next().unwrap_or_default();
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// What the facts say about this cell: an entry of `unsupported` that names it.
fn why(matrix: &Matrix, operation: &str, name: &str, vendor: &str) -> Option<String> {
    let labels: Vec<_> = labels(matrix, vendor).collect();
    let rows = matrix.vendors.iter().filter(|row| labels.contains(&row.label.as_str()));
    let mut said = rows.flat_map(|row| &row.unsupported);
    let names = |what: &str| {
        what.split(|letter: char| !letter.is_ascii_alphanumeric() && !"_-.".contains(letter)).any(|word| {
            word.trim_matches('.') == name || word.trim_matches('.') == format!("{operation}.{name}")
        })
    };
    said.find(|(what, _)| names(what)).map(|(_, why)| why.clone())
}
