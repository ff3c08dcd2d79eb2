//! A made-up connector against a made-up specification: as they are, and with one thing changed.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the reason")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use koine_conformance::{Material, Report, Specification};
use koine_connector::catalogue::{self, Catalogue};

fn here(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).join(path)
}

/// Verifies the connector in the folder against the text of a specification.
async fn verify(folder: &Path, specification: &str) -> Report {
    let material = Material {
        catalogue: Arc::new(Catalogue::with_folder(folder).unwrap_or_else(|problems| panic!("{problems}"))),
        files: catalogue::files(Some(folder)).unwrap(),
        fixtures: catalogue::fixtures(Some(folder)).unwrap(),
    };
    let facts = material.catalogue.connector("acme").unwrap().facts.specification[0].clone();
    let specification = Specification::parse(&facts.file, specification).unwrap();
    koine_conformance::verify(&material, "acme", vec![(specification, facts)]).await.unwrap()
}

/// Verifies with `from` replaced in one file of the connector, or in the specification.
async fn changed(file: &str, from: &str, to: &str) -> Report {
    let copy = tempfile::tempdir().unwrap();
    let mut specification = std::fs::read_to_string(here("acme.yaml")).unwrap();
    let replaced = |text: &str| {
        assert!(text.contains(from), "{file} has `{from}`");
        text.replacen(from, to, 1)
    };
    copied(&here("folder"), copy.path());
    if file == "acme.yaml" {
        specification = replaced(&specification);
    } else {
        let path = copy.path().join("acme").join(file);
        std::fs::write(&path, replaced(&std::fs::read_to_string(&path).unwrap())).unwrap();
    }
    verify(copy.path(), &specification).await
}

fn copied(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copied(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn told(report: &Report) -> Vec<String> {
    let deviations = report.deviations.iter().map(|found| &found.deviation);
    deviations.map(|it| format!("{} | {} | {} | {}", it.source, it.operation, it.at, it.says)).collect()
}

#[tokio::test]
async fn a_connector_that_is_as_its_specification_says_passes() {
    let report = verify(&here("folder"), &std::fs::read_to_string(here("acme.yaml")).unwrap()).await;
    assert!(report.passed(), "{:#?} {:#?}", told(&report), report.unused);
    assert_eq!((report.fixtures, report.operations.len()), (21, 8));
    assert!(report.sandbox >= 15, "{} exchanges with the sandbox", report.sandbox);
    assert_eq!(report.tolerated.len(), 2, "a wrong key, in a fixture and in the sandbox");
}

/// File, what is replaced, by what, and what is told then.
type Change = (&'static str, &'static str, &'static str, &'static str);

async fn all_told(changes: &[Change]) {
    for (file, from, to, wanted) in changes {
        let told = told(&changed(file, from, to).await);
        assert!(told.iter().any(|told| told.contains(wanted)), "`{to}` in {file}: {told:#?}");
    }
}

#[tokio::test]
async fn a_wrong_path_is_told() {
    all_told(&[
        (
            "connector.yaml",
            "GET /users/{{id}}",
            "GET /user/{{id}}",
            "GET /v2/user/1 | operation | the specification has no such path",
        ),
        (
            "connector.yaml",
            "{method: DELETE,",
            "{method: PUT,",
            "PUT /v2/users/1 | operation | the path is there, but not with PUT: GET /users/{id}",
        ),
        (
            "facts.yaml",
            "{/api: /v2}",
            "{/api: /v3}",
            "GET /v3/groups | operation | the specification has no such path",
        ),
        ("acme.yaml", "https://{host}/v2", "https://{host}/v4", "GET /v2/groups | operation"),
        (
            "acme.yaml",
            "https://{host}/v2",
            "https://{region}.example.org/v2",
            "GET /users | host | it is sent to api.example.com, the servers are {region}.example.org",
        ),
        (
            "acme.yaml",
            "{name: id, in: path, required: true, schema: {type: integer}}",
            "{name: id, in: path, required: true, schema: {type: integer, minimum: 2}}",
            "GET /users/{id} | path id | 1 is less than the minimum of 2",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_wrong_parameter_is_told() {
    all_told(&[
        (
            "connector.yaml",
            r#"query: {org: "7"}"#,
            "query: {}",
            "GET /users | query org | this parameter is required",
        ),
        (
            "connector.yaml",
            r#"query: {org: "7"}"#,
            "query: {org: seven}",
            r#"query org | it must be integer, it is "seven""#,
        ),
        (
            "connector.yaml",
            "limit_param: limit",
            "limit_param: size",
            "query size | the specification knows no such parameter, only: org, limit, start",
        ),
        (
            "connector.yaml",
            "default_limit: 50, max_limit: 50",
            "default_limit: 60, max_limit: 60",
            "query limit | 60 is greater than the maximum of 50",
        ),
        (
            "connector.yaml",
            r#"{X-Version: "2"}"#,
            r#"{X-Version: "3"}"#,
            r#"header X-Version | it must be one of ["1","2"]"#,
        ),
        (
            "connector.yaml",
            r#"headers: {X-Version: "2"}, "#,
            "",
            "PATCH /users/{id} | header X-Version | this header is required",
        ),
        (
            "connector.yaml",
            r#"{X-Version: "2"}"#,
            r#"{X-Version: "2", X-Odd: a}"#,
            "header x-odd | the specification knows no such header",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_wrong_body_is_told() {
    all_told(&[
        ("connector.yaml", "body: {active: false,", "body: {active: 'no',", r#"PATCH /users/{id} | body /active | it must be boolean, it is "no""#),
        ("connector.yaml", "body: {active: false,", "body: {enabled: false,", "body /enabled | the specification knows no such property"),
        ("connector.yaml", "by: {name: koine}", "by: {nam: koine}", "body /by/nam | the specification knows no such property"),
        ("connector.yaml", "body: {active: false,", "body: {active: false, email: a@example.com,", "body /email | the vendor alone sets this"),
        ("connector.yaml", "body_format: form, ", "", "POST /groups/leave | body | it must be application/x-www-form-urlencoded, it is application/json"),
        ("connector.yaml", r#", user: "{{body.user_id}}""#, "", "POST /groups/leave | body | it must have, and has not: user"),
        ("connector.yaml", r#"user: "{{body.user_id}}""#, r#"user: "x{{body.user_id}}""#, r#"body /user | it must be integer, it is "x1""#),
        ("connector.yaml", r#"{method: DELETE, path: "/users/{{id}}"}"#, r#"{method: DELETE, path: "/users/{{id}}", body: {a: 1}}"#, "DELETE /users/{id} | body | the specification describes no body"),
    ])
    .await;
}

#[tokio::test]
async fn a_wrong_answer_of_a_fixture_is_told() {
    const DELETE: &str = "fixtures/user-directory.users/delete.one.yaml";
    all_told(&[
        (DELETE, "{status: 204}", "{status: 202}", "delete.one.yaml:6 | DELETE /users/{id} | answer 202 | the specification knows no such status, only: 204, 403, 404"),
        (DELETE, "{status: 204}", "{status: 204, body: {ok: true}}", "answer 204 | the specification describes no body"),
        (DELETE, "{error: none}", "{message: none}", "answer 404 | it must have, and has not: error"),
        ("fixtures/bodies/ada.json", r#""boss": null"#, r#""boss": 7"#, "answer 200 /boss/boss | it must be"),
        ("fixtures/bodies/ada.json", r#""active": true,"#, r#""active": 1,"#, "answer 200 /active | it must be boolean, it is 1"),
        ("fixtures/bodies/ada.json", "bo@example.com", "bo", r#"answer 200 /boss/email | it must be a email, it is "bo""#),
        ("fixtures/user-directory.users/list.broken.yaml", "    off_specification: the page is a proxy's\n", "", "answer 200 | it must be JSON"),
        ("fixtures/user-directory.users/get.one.yaml", "{status: 200, body: bodies/ada.json}", "{status: 200}", "answer 200 | the specification describes a body, the answer has none"),
    ])
    .await;
}

#[tokio::test]
async fn a_wrong_answer_of_the_sandbox_is_told() {
    all_told(&[
        ("sandbox.yaml", r#""name": person.name"#, r#""nam": person.name"#, "acme/sandbox.yaml, users.list | GET /users | answer 200 /users/0 | it must have, and has not: name"),
        ("sandbox.yaml", "{error: none}", "{error: 1}", "acme/sandbox.yaml, users.get of nobody | GET /users/{id} | answer 404 /error | it must be string, it is 1"),
        ("sandbox.yaml", "body: {ok: true}", "body: [1]", "groups.remove-user | POST /groups/leave | answer 200 | it must be object, it is [1]"),
        ("sandbox.yaml", "do: [{remove: true}]}", "do: [{remove: true}], reply: {status: 202}}", "users.delete | DELETE /users/{id} | answer 202 | the specification knows no such status"),
    ])
    .await;
}

#[tokio::test]
async fn a_claim_that_the_specification_does_not_bear_out_is_told() {
    let report = changed("acme.yaml", "    delete:\n", "    put:\n").await;
    let told = told(&report);
    let claim = "acme/facts.yaml | users.delete | confidence | it is said to be official-spec, and the specification has no such operation";
    assert!(told.iter().any(|told| told == claim), "{told:#?}");
    assert!(!told.iter().any(|told| told.contains("users.get | confidence")), "{told:#?}");
}

#[tokio::test]
async fn a_tolerance_that_nothing_needs_is_told() {
    let report = changed("facts.yaml", "at: answer 401", "at: answer 402").await;
    assert_eq!(report.unused.len(), 1);
    assert!(!report.passed());
    assert_eq!(report.deviations.len(), 2, "and what it tolerated is told: {:#?}", told(&report));
}

#[test]
fn what_is_no_specification_is_refused() {
    let refused = |file: &str, text: &str| Specification::parse(file, text).unwrap_err().to_string();
    assert_eq!(
        refused("a.json", "{\"openapi\": \"4.0\"}"),
        "a.json: this is no OpenAPI 2 or 3, Google Discovery or JSON hyper-schema document"
    );
    assert!(refused("a.json", "{").starts_with("a.json: EOF"), "{}", refused("a.json", "{"));
    assert!(refused("a.yaml", "a: [").starts_with("a.yaml: "));
}
