//! The built-in connectors against their vendors' specifications, when `KOINE_VENDOR_SPECS` names a folder of them.
#![expect(clippy::print_stderr, reason = "a test that does nothing says so")]

use std::path::PathBuf;
use std::sync::Arc;

use koine_conformance::Material;
use koine_connector::catalogue::{self, Catalogue};

/// The folder; a test without it says that it did nothing.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("KOINE_VENDOR_SPECS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED: KOINE_VENDOR_SPECS names no folder of vendors' specifications");
    }
    folder
}

#[tokio::test]
async fn every_connector_is_as_its_vendor_says() {
    let Some(folder) = folder() else { return };
    let material = Material {
        catalogue: Arc::new(Catalogue::embedded().unwrap_or_else(|problems| panic!("{problems}"))),
        files: catalogue::files(None).unwrap(),
        fixtures: catalogue::fixtures(None).unwrap(),
    };
    let mut verified = 0;
    let mut wrong = Vec::new();
    for connector in material.catalogue.connectors() {
        let specifications = koine_conformance::specifications(connector, &folder).unwrap();
        if specifications.is_empty() {
            continue;
        }
        let report = koine_conformance::verify(&material, &connector.name, specifications).await.unwrap();
        assert!(report.fixtures > 0 && report.sandbox > 0 && !report.operations.is_empty(), "{report:?}");
        verified += 1;
        wrong.extend(report.deviations.iter().map(|found| format!("{:#?}", found.deviation)));
        wrong.extend(report.unused.iter().map(|unused| format!("tolerated in vain: {unused:?}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(verified >= 4, "{} has the specifications of {verified} connectors", folder.display());
}
