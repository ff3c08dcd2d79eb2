//! A list that proves something is read to its end.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the reason")]

use koine_connector::catalogue::Catalogue;
use koine_connector::plan::{Ask, Finished, Next, Plan};
use koine_model::{Answer, Outcome, Response};
use serde_json::{Value, json};

const CONNECTOR: &str = r#"
name: acme
label: Acme
category: test
api: v1
base_url: https://acme.example.com
credentials: {key: {authorization: {format: bearer, config: {token: t}}}}
pagination: {format: offset, config: {offset_param: offset, limit_param: limit, max_limit: 2}}
resources:
  members:
    list: {method: GET, path: /members, query: {limit: 50}, response_path: "[data]"}
  users:
    delete: DELETE /members/{{id}}
"#;
const MAPPING: &str = r#"
users:
  record: {id: id}
  delete:
    call: users.delete
    before: [{name: members, call: members.list}]
    guard: [{refuse_if: $count(before.members) != 3, message: not all of them were read}]
    removal: {effect: removes_membership, reversible: "yes", seat_freed: "yes", content: kept}
    verify: {call: members.list, gone: $not(id in response.id), tries: 2, delay_ms: 1}
"#;

fn plan() -> Box<Plan> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("acme")).unwrap();
    std::fs::write(folder.path().join("acme/connector.yaml"), CONNECTOR).unwrap();
    std::fs::write(folder.path().join("acme/user-directory.yaml"), MAPPING).unwrap();
    let catalogue = Catalogue::with_folder(folder.path()).unwrap_or_else(|problems| panic!("{problems}"));
    let ask = Ask { id: Some("3".to_owned()), ..Ask::new("user-directory", "users", "delete") };
    Plan::new(catalogue.connector("acme").unwrap().clone(), ask, 1_800_000_000).unwrap()
}

fn received(status: u16, body: &Value) -> Answer {
    Answer::Received(Response { status, headers: Vec::new(), body: body.to_string().into() })
}

/// Feeds these pages of members, and 204 to the removal; gives what was asked for.
fn walk(answers: Vec<Answer>) -> (Vec<String>, Finished) {
    let (mut plan, mut answers, mut asked) = (plan(), answers.into_iter(), Vec::new());
    loop {
        match plan.next() {
            Next::Done(finished) => return (asked, *finished),
            Next::Send(send) => {
                let url = &send.request.url;
                asked.push(format!("{} {}", send.request.verb.as_str(), &url[url::Position::BeforePath..]));
                plan.feed(answers.next().expect("no more was expected to be asked"));
            }
        }
    }
}

fn page(ids: &[&str]) -> Answer {
    received(200, &json!({"data": ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>()}))
}

fn removed() -> Answer {
    received(204, &Value::Null)
}

#[test]
fn absence_is_proved_by_the_last_page() {
    let (asked, finished) =
        walk(vec![page(&["1", "2"]), page(&["3"]), removed(), page(&["1", "2"]), page(&[])]);
    assert_eq!(finished.outcome, Some(Outcome::Removed), "{finished:?}");
    let (first, second) = ("GET /members?limit=2&offset=0", "GET /members?limit=2&offset=2");
    assert_eq!(asked, [first, second, "DELETE /members/3", first, second]);
}

#[test]
fn who_is_on_a_later_page_is_still_there() {
    let still = || [page(&["1", "2"]), page(&["3"])];
    let answers = still().into_iter().chain([removed()]).chain(still()).chain(still()).collect();
    let (_, finished) = walk(answers);
    assert_eq!(finished.outcome, Some(Outcome::Pending), "{finished:?}");
}

#[test]
fn a_page_that_is_lost_proves_nothing() {
    let lost = || Answer::Lost("cut".to_owned());
    let (asked, finished) = walk(vec![
        page(&["1", "2"]),
        lost(),
        page(&["3"]),
        removed(),
        page(&["1", "2"]),
        lost(),
        page(&["1", "2"]),
        page(&[]),
    ]);
    assert_eq!(finished.outcome, Some(Outcome::Removed), "{finished:?}");
    assert_eq!(asked.len(), 8, "a proof begins again, a step goes on: {asked:?}");
}
