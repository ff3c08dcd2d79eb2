//! One plan against one vendor, with a fault or none at every exchange.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use koine_connector::catalogue::{self, Catalogue};
use koine_connector::plan::{Ask, Finished, Mode, Next, Plan, Send};
use koine_model::{Answer, Body, Response};
use koine_sandbox::{Sandbox, Vendor};
use serde_json::{Value, json};

use crate::cases::{Case, cases, fields};

/// What may happen to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    LostBefore,
    LostAfter,
    NotSent,
    NotFound,
    Conflict,
    Throttled,
    ThrottledLong,
    FailedBefore,
    FailedAfter,
    Stale,
}

/// To a request that changes something.
pub(crate) const FATES_OF_WRITES: &[Fate] = &[
    Fate::LostBefore,
    Fate::LostAfter,
    Fate::NotSent,
    Fate::NotFound,
    Fate::Conflict,
    Fate::Throttled,
    Fate::ThrottledLong,
    Fate::FailedBefore,
    Fate::FailedAfter,
];
/// To a read. A 404 to a read of something that is there would be the vendor's lie; no gateway can tell.
pub(crate) const FATES_OF_READS: &[Fate] =
    &[Fate::LostBefore, Fate::NotSent, Fate::Conflict, Fate::Throttled, Fate::FailedBefore, Fate::Stale];

/// One exchange of a run.
pub(crate) struct Exchange {
    pub send: Send,
    pub fate: Fate,
    /// What a settlement would be given if the gateway died after this exchange.
    pub snapshot: Value,
    /// The vendor right after.
    pub vendor: Vendor,
}

/// How a run went.
pub(crate) struct Run {
    pub exchanges: Vec<Exchange>,
    pub finished: Finished,
    pub vendor: Vendor,
}

pub(crate) static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::embedded().unwrap_or_else(|problems| panic!("{problems}")));
static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    let files = catalogue::files(None).unwrap_or_else(|problems| panic!("{problems}"));
    Sandbox::with_people(&files, 1, 3).unwrap_or_else(|problems| panic!("{problems}"))
});

/// Every vendor after a login, and the credential that came of it: one login serves all walks.
static LOGGED_IN: LazyLock<HashMap<&str, (Vendor, String)>> = LazyLock::new(|| {
    let of = |connector| {
        let mut vendor = SANDBOX.vendor(connector).expect("every connector has a sandbox").clone();
        let credential = credential(connector, &mut vendor);
        (connector, (vendor, credential))
    };
    cases().map(|case| of(case.connector)).collect()
});

pub(crate) fn vendor(case: &Case) -> Vendor {
    LOGGED_IN[case.connector].0.clone()
}

fn ask(case: &Case, own: &Value, vendor: &Vendor, mode: Mode) -> Ask {
    let (id, query, body) = (case.call)(vendor);
    let mut context = fields(
        &json!({"domain": "acme.okta.com", "api_version": "64.0", "profile_fields": "AboutMe", "session": {"site_id": "9a8b7c6d-0000-4000-8000-00000000acme"}}),
    );
    context.extend(fields(own));
    let target = body.get("group_id").or(body.get("user_id")).and_then(Value::as_str).map(ToOwned::to_owned);
    Ask {
        id: id.or(target),
        query: fields(&query),
        raw_query: fields(&query),
        body: fields(&body),
        context,
        base_url: Some("http://sandbox.example/".parse().expect("a URL")),
        mode,
        ..Ask::new(case.model, case.resource, case.method)
    }
}

fn plan(case: &Case, ask: Ask) -> Plan {
    let connector = Arc::clone(CATALOGUE.connector(case.connector).expect("it is there"));
    Plan::new(connector, ask, 1_800_000_000)
        .unwrap_or_else(|failure| panic!("{}: {failure:?}", case.method()))
}

/// Runs the method; `fates` are those of the exchanges in order, and what follows them goes well.
pub(crate) fn run(case: &Case, context: &Value, fates: &[Fate]) -> Run {
    let mut vendor = vendor(case);
    let mut plan = plan(case, ask(case, context, &vendor, Mode::Run));
    let mut exchanges: Vec<Exchange> = Vec::new();
    loop {
        let send = match plan.next() {
            Next::Done(finished) => return Run { exchanges, finished: *finished, vendor },
            Next::Send(send) => *send,
        };
        assert!(exchanges.len() < 60, "{}: no end under {fates:?}", case.method());
        assert!(send.delay_ms <= 20_000, "{}: waits {} ms", case.method(), send.delay_ms);
        let snapshot = plan.snapshot();
        let fate = fates.get(exchanges.len()).copied().unwrap_or(Fate::Fine);
        let answer = exchange(case, &mut vendor, &send, fate);
        exchanges.push(Exchange { send, fate, snapshot, vendor: vendor.clone() });
        plan.feed(answer);
    }
}

/// What a start after a crash finds out about the run, had it been cut after the exchange.
pub(crate) fn settle(case: &Case, context: &Value, exchange_before: &Exchange) -> Finished {
    let mut vendor = exchange_before.vendor.clone();
    let start = self::vendor(case);
    let mut ask = ask(case, context, &start, Mode::Settle);
    let snapshot = &exchange_before.snapshot;
    ask.known_target = Some(snapshot["target"].clone()).filter(|target| !target.is_null());
    ask.known_before = fields(&snapshot["before"]);
    let mut plan = plan(case, ask);
    for _ in 0..40 {
        match plan.next() {
            Next::Done(finished) => return *finished,
            Next::Send(send) => {
                assert!(reads(case, &send), "{}: a settlement only reads", case.method());
                let answer = exchange(case, &mut vendor, &send, Fate::Fine);
                plan.feed(answer);
            }
        }
    }
    panic!("{}: a settlement without end", case.method())
}

/// A dry run sends reads only, and ends with a plan.
pub(crate) fn dry(case: &Case, context: &Value) {
    let mut vendor = vendor(case);
    let mut plan = plan(case, ask(case, context, &vendor, Mode::DryRun));
    for _ in 0..40 {
        match plan.next() {
            Next::Done(finished) => {
                assert!(finished.result.is_ok(), "{}: {:?}", case.method(), finished.result);
                assert!(finished.planned.iter().any(|send| send.destructive), "{}", case.method());
                return;
            }
            Next::Send(send) => {
                assert!(reads(case, &send), "{}", case.method());
                let answer = exchange(case, &mut vendor, &send, Fate::Fine);
                plan.feed(answer);
            }
        }
    }
    panic!("{}: a dry run without end", case.method())
}

fn reads(case: &Case, send: &Send) -> bool {
    CATALOGUE.connector(case.connector).expect("it is there").requests[&send.step].reads
}

fn exchange(case: &Case, vendor: &mut Vendor, send: &Send, fate: Fate) -> Answer {
    match fate {
        Fate::Fine => Answer::Received(carry(case, vendor, send, false)),
        Fate::Stale => Answer::Received(carry(case, vendor, send, true)),
        Fate::LostBefore => Answer::Lost("lost".to_owned()),
        Fate::LostAfter => {
            carry(case, vendor, send, false);
            Answer::Lost("lost".to_owned())
        }
        Fate::NotSent => Answer::NotSent("refused".to_owned()),
        Fate::NotFound => status(
            404,
            r#"{"errorCode": "E0000007", "error": {"error_name": "not_found", "errors": [{"reason": "notFound"}]}}"#,
        ),
        Fate::Conflict => status(409, r#"{"message": "busy"}"#),
        Fate::Throttled => throttled("1"),
        Fate::ThrottledLong => throttled("600"),
        Fate::FailedBefore => status(503, "busy"),
        Fate::FailedAfter => {
            carry(case, vendor, send, false);
            status(500, "broken")
        }
    }
}

fn status(status: u16, body: &str) -> Answer {
    Answer::Received(Response { status, headers: Vec::new(), body: body.to_owned().into_bytes().into() })
}

fn throttled(seconds: &str) -> Answer {
    let headers = vec![("retry-after".to_owned(), seconds.to_owned())];
    Answer::Received(Response { status: 429, headers, body: Vec::new().into() })
}

/// Takes the request to the vendor, with the credentials that it wants.
fn carry(case: &Case, vendor: &mut Vendor, send: &Send, stale: bool) -> Response {
    let name = if case.connector == "tableau" { "x-tableau-auth" } else { "authorization" };
    let credential = LOGGED_IN[case.connector].1.clone();
    let (content_type, body) = match &send.request.body {
        None => (None, String::new()),
        Some(Body::Json(value)) => (Some("application/json"), value.to_string()),
        Some(Body::Raw { content_type, text }) => (Some(content_type.as_str()), text.clone()),
        Some(Body::Form(_)) => panic!("no connector that is walked sends a form"),
    };
    let mut headers = send.request.headers.clone();
    headers.push((name.to_owned(), credential));
    let own_type = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    headers
        .extend(content_type.filter(|_| !own_type).map(|kind| ("content-type".to_owned(), kind.to_owned())));
    let url = &send.request.url;
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("{}{}{query}", base_path(case), url.path());
    let (status, headers, body) = vendor.exchange(send.request.verb.as_str(), &path, &headers, &body, stale);
    assert_ne!(status, 401, "the sandbox refused the credentials");
    Response { status, headers, body }
}

fn base_path(case: &Case) -> &'static str {
    match case.connector {
        "okta" => "/api/v1",
        "miro-scim" => "/api/v1/scim",
        "help-scout" | "monday" => "/v2",
        "tableau" => "/api/3.24",
        "bigpanda" => "/resources/v2.0/scim",
        "figma-scim" => "/scim/v2/1401286800000000000",
        "onepassword-scim" => "/scim",
        "jostle-scim" => "/scim2",
        name if name.ends_with("-scim") => "/scim/v2",
        "slack-enterprise" => "/api",
        "dropbox-sign" => "/v3",
        "google-workspace" => "/admin/directory/v1",
        _ => "",
    }
}

/// What the vendor's header of credentials must hold.
fn credential(connector: &str, vendor: &mut Vendor) -> String {
    match connector {
        "okta" => "SSWS sandbox-okta".to_owned(),
        "github" => "Bearer sandbox-github".to_owned(),
        "monday" => "sandbox-monday".to_owned(),
        "typeform" => "Bearer sandbox-typeform".to_owned(),
        "slack-enterprise" => "Bearer sandbox-slack".to_owned(),
        "dropbox-sign" => "Basic c2FuZGJveC1kcm9wYm94LXNpZ246".to_owned(),
        "bigpanda" => "Bearer sandbox-bigpanda".to_owned(),
        name if name.ends_with("-scim") => format!("Bearer sandbox-{}", name.trim_end_matches("-scim")),
        "tableau" => token(connector, vendor),
        _ => format!("Bearer {}", token(connector, vendor)),
    }
}

/// An access token of the vendor's own endpoint.
fn token(connector: &str, vendor: &mut Vendor) -> String {
    let (path, kind, body, at) = match connector {
        "tableau" => (
            "/api/3.24/auth/signin",
            "application/json",
            r#"{"credentials": {"personalAccessTokenName": "koine", "personalAccessTokenSecret": "sandbox-tableau", "site": {"contentUrl": "acme"}}}"#,
            "/credentials/token",
        ),
        "google-workspace" => (
            "/admin/directory/v1/oauth2/token",
            "application/x-www-form-urlencoded",
            "grant_type=refresh_token&client_id=sandbox.apps.googleusercontent.com&client_secret=sandbox-google&refresh_token=1//sandbox-google",
            "/access_token",
        ),
        "salesforce" => (
            "/services/oauth2/token",
            "application/x-www-form-urlencoded",
            "grant_type=client_credentials&client_id=sandbox-app&client_secret=sandbox-salesforce",
            "/access_token",
        ),
        "jamf" => (
            "/api/oauth/token",
            "application/x-www-form-urlencoded",
            "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-jamf",
            "/access_token",
        ),
        _ => (
            "/v2/oauth2/token",
            "application/x-www-form-urlencoded",
            "grant_type=client_credentials&client_id=sandbox-app&client_secret=sandbox-help-scout",
            "/access_token",
        ),
    };
    let headers = [("content-type".to_owned(), kind.to_owned())];
    let (_, _, body) = vendor.exchange("POST", path, &headers, body, false);
    let answer: Value = serde_json::from_slice(&body).expect("a token answer is JSON");
    answer.pointer(at).and_then(Value::as_str).expect("a token").to_owned()
}
