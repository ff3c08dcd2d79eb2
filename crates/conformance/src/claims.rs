//! Whether `facts.yaml` calls a request known from the specification that the specification does not have.

use koine_connector::Connector;
use koine_connector::facts::Confidence;

use crate::check::{self, Against, Deviation, Seen, Source};
use crate::specification::{Route, path_of};

/// One deviation per request of the connector that is said to be `official-spec`, is sent in fixtures, and is an
/// operation of the specification in none of them.
pub(crate) fn check(connector: &Connector, against: &[Against], seen: &[Seen]) -> Vec<Deviation> {
    let base = connector.base_url.outline();
    let files: Vec<_> = against.iter().map(|against| against.specification.file.as_str()).collect();
    let mut deviations = Vec::new();
    for request in connector.requests.values() {
        if connector.facts.confidence.get(&request.name) != Some(&Confidence::OfficialSpec) {
            continue;
        }
        let outline = request.path.outline();
        let Some(route) = Route::new(&[path_of(&base).to_owned()], &outline) else { continue };
        let is_own = |seen: &&Seen| {
            let is_fixture = matches!(seen.source, Source::Fixture { .. });
            let sent = &seen.request;
            is_fixture && sent.verb == request.verb && route.parameters(sent.url.path()).is_some()
        };
        let own: Vec<_> = seen.iter().filter(is_own).collect();
        let is_known = |seen: &&Seen| check::exchange(against, seen).operation.is_some();
        if !own.is_empty() && !own.iter().any(is_known) {
            deviations.push(Deviation {
                source: format!("{}/facts.yaml", connector.name),
                operation: request.name.clone(),
                at: "confidence".to_owned(),
                says: "it is said to be official-spec, and the specification has no such operation"
                    .to_owned(),
                advice: "say where it is known from".to_owned(),
                specification: files.join(", "),
            });
        }
    }
    deviations
}
