//! Holds a connector against its vendor's own specification: what it sends, and what its fixtures and its sandbox
//! say that the vendor answers. So the three of them cannot agree on the same mistake.
//!
//! `read` takes a document (OpenAPI 2 or 3, Google Discovery, JSON hyper-schema) into one form, `schema` its schemas
//! into validators; `live` makes the calls of the fixtures against the sandbox; `check` judges one exchange and
//! `report` sums up, less what `facts.yaml` tolerates.

mod calls;
mod check;
mod claims;
#[cfg(test)]
mod endurance;
mod explain;
mod live;
mod media;
#[cfg(test)]
mod mutation;
mod outline;
mod read;
mod report;
mod schema;
mod specification;
mod strangers;
mod values;

use std::path::Path;
use std::sync::Arc;

use koine_connector::catalogue::{Catalogue, Files};
use koine_connector::compiled::Connector;
use koine_connector::facts::SpecificationFile;
use koine_model::Response;
use serde_json::{Map, Value, json};

use calls::Planned;
use check::{Against, Seen, Source};

pub use check::Deviation;
pub use read::Unreadable;
pub use report::{Found, Report};
pub use specification::Specification;

/// Why a connector could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Its fixtures cannot be replayed.
    #[error("{0}")]
    Fixtures(koine_connector::Problems),
    /// Its sandbox did not start.
    #[error("the sandbox of {connector}: {why}")]
    Sandbox {
        /// The connector.
        connector: String,
        /// Why not.
        why: String,
    },
    /// There is no such connector.
    #[error("there is no connector `{0}`")]
    Unknown(String),
}

/// Connectors and their files.
#[derive(Debug)]
pub struct Material {
    /// All connectors.
    pub catalogue: Arc<Catalogue>,
    /// Their YAML files, sandboxes among them.
    pub files: Files,
    /// Their fixtures.
    pub fixtures: Files,
}

/// The connector's specifications in a folder: those that `facts.yaml` names, else `<connector>.json`. Files that are
/// not there are passed over.
///
/// # Errors
/// When a file is no specification.
pub fn specifications(
    connector: &Connector,
    folder: &Path,
) -> Result<Vec<(Specification, SpecificationFile)>, Unreadable> {
    let mut named = connector.facts.specification.clone();
    if named.is_empty() {
        named.push(SpecificationFile { file: format!("{}.json", connector.name), ..Default::default() });
    }
    let there = named.into_iter().filter(|facts| folder.join(&facts.file).exists());
    there.map(|facts| Ok((Specification::read(&folder.join(&facts.file))?, facts))).collect()
}

/// Verifies one connector. With each specification goes what `facts.yaml` says of it, if anything.
///
/// # Errors
/// When there is no such connector, or what it does cannot be found out.
pub async fn verify(
    material: &Material,
    connector: &str,
    specifications: Vec<(Specification, SpecificationFile)>,
) -> Result<Report, Failure> {
    let seen = exchanges(material, connector).await?;
    let tolerated = specifications.iter().flat_map(|(_, facts)| facts.tolerated.clone()).collect();
    let against: Vec<_> = specifications
        .into_iter()
        .map(|(specification, facts)| Against::new(specification, &facts))
        .collect();
    let compiled = material.catalogue.connector(connector);
    let claims = compiled.map(|connector| claims::check(connector, &against, &seen)).unwrap_or_default();
    Ok(report::of(connector, &against, &seen, claims, tolerated))
}

/// Every exchange of a connector: of its fixtures, then of its sandbox.
async fn exchanges(material: &Material, connector: &str) -> Result<Vec<Seen>, Failure> {
    let catalogue = &material.catalogue;
    let compiled = catalogue.connector(connector).ok_or_else(|| Failure::Unknown(connector.to_owned()))?;
    let reports = koine_fixtures::replay(catalogue, &material.fixtures, Some(connector)).await;
    let reports = reports.map_err(Failure::Fixtures)?;
    let planned = Planned::of(compiled, &reports);
    let mut seen = Vec::new();
    for report in reports {
        seen.extend(report.exchanges.into_iter().map(|exchange| Seen {
            source: Source::Fixture { file: report.file.clone(), line: exchange.line },
            request: exchange.request,
            answer: exchange.answer.filter(|_| exchange.is_by_specification),
            tells_error: false,
            is_login: exchange.is_login,
        }));
    }
    let live = live::exchanges(catalogue, connector, &material.files, &planned).await;
    seen.extend(live.map_err(|why| Failure::Sandbox { connector: connector.to_owned(), why })?);
    for seen in &mut seen {
        seen.tells_error = seen.answer.as_ref().is_some_and(|answer| tells_error(compiled, answer));
    }
    Ok(seen)
}

/// Whether a success is none by the connector's own rule.
fn tells_error(connector: &Connector, answer: &Response) -> bool {
    let headers: Map<String, Value> =
        answer.headers.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let scope = json!({"data": answer.json(), "status": answer.status, "headers": headers});
    let rule = connector.errors.is_error.as_ref().filter(|_| answer.status < 400);
    rule.is_some_and(|rule| rule.test(&scope).unwrap_or(false))
}
