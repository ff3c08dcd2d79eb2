//! The made-up connector against its API as other kinds of documents write it.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the reason")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use koine_conformance::{Material, Specification};
use koine_connector::catalogue::{self, Catalogue};

fn here(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).join(path)
}

/// What is told when one text of the specification is another.
async fn told(material: &Material, file: &str, from: &str, to: &str) -> Vec<String> {
    let text = std::fs::read_to_string(here("dialects").join(file)).unwrap();
    assert!(text.contains(from), "{file} has `{from}`");
    let specification = Specification::parse(file, &text.replacen(from, to, 1)).unwrap();
    let facts = material.catalogue.connector("acme").unwrap().facts.specification[0].clone();
    let report = koine_conformance::verify(material, "acme", vec![(specification, facts)]).await.unwrap();
    let deviations = report.deviations.iter().map(|found| &found.deviation);
    deviations.map(|it| format!("{} | {} | {}", it.operation, it.at, it.says)).collect()
}

/// What the document cannot say, and what is told of changes to it.
async fn holds(file: &str, unsaid: &[&str], changes: &[(&str, &str, &str)]) {
    let folder = here("folder");
    let material = Material {
        catalogue: Arc::new(Catalogue::with_folder(&folder).unwrap_or_else(|problems| panic!("{problems}"))),
        files: catalogue::files(Some(&folder)).unwrap(),
        fixtures: catalogue::fixtures(Some(&folder)).unwrap(),
    };
    assert_eq!(told(&material, file, "", "").await, unsaid, "{file}");
    for (from, to, wanted) in changes {
        let told = told(&material, file, from, to).await;
        assert!(told.iter().any(|told| told.contains(wanted)), "`{to}` in {file}: {told:#?}");
    }
}

#[tokio::test]
async fn openapi_2() {
    let changes = [
        ("basePath: /v2", "basePath: /v3", "GET /v2/groups | operation"),
        (
            "in: path, required: true, type: integer",
            "in: path, required: true, type: boolean",
            "path id | it must be boolean",
        ),
        (
            "name: org, in: query",
            "name: orga, in: query",
            "GET /users | query orga | this parameter is required",
        ),
        (
            "name: user, in: formData",
            "name: member, in: formData",
            "POST /groups/leave | body /user | the specification knows no such property",
        ),
        (
            "name: user, in: formData",
            "name: member, in: formData",
            "POST /groups/leave | body | it must have, and has not: member",
        ),
        (
            "consumes: [application/x-www-form-urlencoded]",
            "consumes: [multipart/form-data]",
            "body | it must be multipart/form-data, it is application/x-www-form-urlencoded",
        ),
        (
            "maximum: 50, exclusiveMaximum: false",
            "maximum: 50, exclusiveMaximum: true",
            "query limit | 50 is greater than or equal to the maximum of 50",
        ),
        (", x-nullable: true", "", "GET /users/{id} | answer 200 /boss/boss | it must be object, it is null"),
        (
            "properties: {error: {type: string}}",
            "properties: {error: {type: integer}}",
            "answer 404 /error | it must be integer",
        ),
    ];
    holds("swagger.yaml", &[], &changes).await;
}

#[tokio::test]
async fn google_discovery() {
    let changes = [
        ("servicePath: v2/", "servicePath: v3/", "GET /v2/groups | operation"),
        (
            "limit: {type: integer, location: query, minimum: \"1\", maximum: \"50\"}",
            "limit: {type: integer, location: query, maximum: \"20\"}",
            "query limit | 50 is greater than the maximum of 20",
        ),
        (
            "request: {$ref: User}",
            "request: {$ref: Group}",
            "PATCH /users/{id} | body /active | the specification knows no such property",
        ),
        (
            "response: {$ref: Members}",
            "response: {$ref: Group}",
            "GET /groups/{id}/members | answer 200 | it must be object",
        ),
        (
            "httpMethod: DELETE",
            "httpMethod: PUT",
            "DELETE /v2/users/1 | operation | the path is there, but not with DELETE",
        ),
    ];
    let unsaid = [
        "groups.leave | confidence | it is said to be official-spec, and the specification has no such operation",
        "POST /v2/groups/leave | operation | the path is there, but not with POST: GET /groups/{id}",
    ];
    holds("discovery.yaml", &unsaid, &changes).await;
}

#[tokio::test]
async fn json_hyper_schema() {
    let changes = [
        ("href: /v2/users\n", "href: /v2/people\n", "GET /v2/users | operation"),
        (
            "required: [org], properties: {org",
            "required: [org, team], properties: {team: {}, org",
            "GET /v2/users | query team | this parameter is required",
        ),
        (
            "active: {type: [boolean]}, by",
            "active: {type: [string]}, by",
            "body /active | it must be string, it is false",
        ),
        (
            "id: {type: [integer]}}",
            "id: {type: [string]}}",
            "answer 200 /users/0/id | it must be string, it is 1",
        ),
    ];
    let unsaid = [
        "groups.leave | confidence | it is said to be official-spec, and the specification has no such operation",
        "POST /v2/groups/leave | operation | the path is there, but not with POST: GET /v2/groups/{group_id}",
        "PATCH /v2/users/{user_id} | header x-version | the specification knows no such header",
    ];
    holds("hyper.yaml", &unsaid, &changes).await;
}
