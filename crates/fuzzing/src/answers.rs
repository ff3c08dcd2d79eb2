//! What vendors answer: a plan that is fed anything ends, in bounded steps, with a result or an error.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use koine_connector::catalogue::Catalogue;
use koine_connector::map::{MapInput, record};
use koine_connector::plan::{Ask, Finished, Next, Plan, Success};
use koine_model::{Answer, Outcome, Response};
use serde_json::{Value, json};

/// More requests than any plan may send.
const MOST_STEPS: usize = 100;

/// The shipped connectors, and one that uses every word of the language.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/tests/language");
    Catalogue::with_folder(&folder).unwrap_or_else(|problems| panic!("{problems}"))
});

/// Every method whose requests read their answers as `wanted`.
fn methods(wanted: &str) -> Vec<(String, String, String, String)> {
    let mut all = Vec::new();
    for connector in CATALOGUE.connectors() {
        for (model, resources) in &connector.models {
            for (resource, meaning) in resources {
                for method in meaning.methods.keys() {
                    let formats =
                        connector.requests.iter().filter(|(name, _)| name.starts_with(resource.as_str()));
                    let fits =
                        formats.into_iter().any(|(_, spec)| format!("{:?}", spec.response_format) == wanted);
                    if fits {
                        let name = connector.name.clone();
                        all.push((name, model.clone(), resource.clone(), method.clone()));
                    }
                }
            }
        }
    }
    all
}

static JSON: LazyLock<Vec<(String, String, String, String)>> = LazyLock::new(|| methods("Json"));
static XML: LazyLock<Vec<(String, String, String, String)>> = LazyLock::new(|| methods("Xml"));

/// Two bytes choose the method; then answers, separated by `%%`, each beginning with its status.
pub(crate) fn json(data: &[u8]) {
    walk(&JSON, data, "application/json");
}

/// The same for methods whose answers are XML.
pub(crate) fn xml(data: &[u8]) {
    walk(&XML, data, "application/xml");
}

fn walk(methods: &[(String, String, String, String)], data: &[u8], content_type: &str) {
    let Some((choice, rest)) = data.split_at_checked(2) else { return };
    let index = usize::from(u16::from_be_bytes([choice[0], choice[1]])) % methods.len();
    let (connector, model, resource, method) = &methods[index];
    let mut answers = answers(rest, content_type).into_iter();
    let connector = Arc::clone(CATALOGUE.connector(connector).expect("it is of the catalogue"));
    let Ok(mut plan) = Plan::new(connector.clone(), ask(model, resource, method), 1_800_000_000) else {
        return;
    };
    for _ in 0..MOST_STEPS {
        match plan.next() {
            Next::Done(finished) => {
                ended(model, resource, method, &connector, &finished);
                return;
            }
            Next::Send(_) => {
                plan.feed(answers.next().unwrap_or_else(|| Answer::Lost("nothing came".to_owned())));
            }
        }
    }
    panic!("{}.{resource}.{method} does not end", connector.name);
}

fn ended(
    model: &str,
    resource: &str,
    method: &str,
    connector: &koine_connector::Connector,
    finished: &Finished,
) {
    let is_success = matches!(finished.outcome, Some(outcome) if !matches!(outcome, Outcome::Pending | Outcome::Uncertain | Outcome::Refused));
    assert!(finished.result.is_ok() || !is_success, "an error must not be called a success: {finished:?}");
    let spec = CATALOGUE.model(model).and_then(|model| model.resources.get(resource));
    let (Some(spec), Some(meaning)) = (spec, connector.models[model].get(resource)) else { return };
    let row = &meaning.methods[method];
    let records: Vec<&Value> = match &finished.result {
        Ok(Success::Record(one)) => vec![one],
        Ok(Success::List { items, .. }) => items.iter().collect(),
        _ => finished.target.iter().collect(),
    };
    for vendor in records {
        if let Ok(unified) = record(meaning, row, spec, vendor, MapInput::default()) {
            assert!(unified.values().all(|value| !value.is_null()), "{unified:?}");
        }
    }
}

/// `200 {"a": 1}`, one after another.
fn answers(data: &[u8], content_type: &str) -> Vec<Answer> {
    let text = String::from_utf8_lossy(data);
    let one = |text: &str| {
        let (status, body) = text.trim_start().split_at_checked(3)?;
        let status = status.parse().ok().filter(|status| (200..600).contains(status))?;
        Some(Answer::Received(Response {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: bytes::Bytes::from(body.to_owned()),
        }))
    };
    text.split("\n%%\n").map(|text| one(text).unwrap_or_else(|| Answer::Lost("cut".to_owned()))).collect()
}

fn ask(model: &str, resource: &str, method: &str) -> Ask {
    let fields = |value: Value| value.as_object().cloned().unwrap_or_default();
    Ask {
        id: Some("12345678".to_owned()),
        query: fields(
            json!({"organization_id": "acme", "workspace_id": "12345678", "email": "ada@example.com"}),
        ),
        body: fields(json!({"user_id": "12345678", "group_id": "12345678"})),
        context: fields(
            json!({"domain": "acme.okta.com", "api_version": "64.0", "session": {"site_id": "1"}}),
        )
        .into(),
        base_url: url::Url::parse("https://vendor.example").ok(),
        ..Ask::new(model, resource, method)
    }
}
