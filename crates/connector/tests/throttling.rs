//! How long a plan waits for a vendor that throttles.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the reason")]

use koine_connector::catalogue::Catalogue;
use koine_connector::plan::{Ask, Failure, Next, Plan};
use koine_model::{Answer, Response};

const CONNECTOR: &str = "name: acme\nlabel: Acme\ncategory: test\napi: v1\nbase_url: https://acme.example.com\n\
    credentials: {key: {authorization: {format: bearer, config: {token: t}}}}\n\
    rate_limit: {is_rate_limited: \"status = 403 and data.reason = 'quota'\"}\nresources: {users: {list: GET /users}}\n";

fn plan() -> Box<Plan> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("acme")).unwrap();
    std::fs::write(folder.path().join("acme/connector.yaml"), CONNECTOR).unwrap();
    std::fs::write(
        folder.path().join("acme/user-directory.yaml"),
        "users: {record: {id: id}, list: {call: users.list}}",
    )
    .unwrap();
    let catalogue = Catalogue::with_folder(folder.path()).unwrap_or_else(|problems| panic!("{problems}"));
    let ask = Ask { ..Ask::new("user-directory", "users", "list") };
    Plan::new(catalogue.connector("acme").unwrap().clone(), ask, 1_800_000_000).unwrap()
}

/// The waits before each request while every answer is the same, and how it ended.
fn waits(status: u16, header: Option<(&str, &str)>, body: &'static str) -> (Vec<u64>, Failure) {
    let mut plan = plan();
    let mut waits = Vec::new();
    loop {
        match plan.next() {
            Next::Done(finished) => return (waits, finished.result.unwrap_err()),
            Next::Send(send) => {
                waits.push(send.delay_ms);
                let headers = header.map(|(name, value)| (name.to_owned(), value.to_owned()));
                let headers = headers.into_iter().collect();
                plan.feed(Answer::Received(Response { status, headers, body: body.into() }));
            }
        }
    }
}

#[test]
fn a_vendor_that_says_nothing_is_given_more_time_each_time() {
    for (status, body) in [(429, ""), (403, "{\"reason\": \"quota\"}")] {
        let (waits, failure) = waits(status, None, body);
        assert_eq!(waits, [0, 1000, 2000, 4000], "{status}");
        assert!(matches!(failure, Failure::Vendor(refusal) if refusal.throttled), "{status}");
    }
}

#[test]
fn a_vendor_that_says_when_is_believed() {
    assert_eq!(waits(429, Some(("retry-after", "7")), "").0, [0, 7000, 7000, 7000]);
    let (waits, failure) = waits(429, Some(("retry-after", "600")), "");
    assert_eq!(waits, [0], "too long to wait for");
    assert!(matches!(failure, Failure::Vendor(refusal) if refusal.retry_after == Some(600)));
}

#[test]
fn another_refusal_of_the_same_status_is_none() {
    let (waits, failure) = waits(403, None, "{\"reason\": \"forbidden\"}");
    assert_eq!(waits, [0]);
    assert!(matches!(failure, Failure::Vendor(refusal) if !refusal.throttled));
}
