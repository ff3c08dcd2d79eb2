//! Who may do what: no token, a wrong one, a lesser one, somebody else's.

use koine_server::{About, Needs};
use koine_testkit::http::Answer;
use serde_json::{Value, json};

use crate::support::{CANARY, Stand, code, vendor};

/// Calls on the routes whose pattern takes any path.
const UNIFIED: &[(&str, &str)] = &[
    ("GET", "/unified/user-directory/users?integrated_account_id=ACCOUNT"),
    ("GET", "/unified/user-directory/users/1?integrated_account_id=ACCOUNT"),
    ("GET", "/unified/user-directory/users/meta/delete?integrated_account_id=ACCOUNT"),
    ("GET", "/unified/user-directory/users/mirror/meta/delete?integrated_account_id=ACCOUNT"),
    ("GET", "/unified/user-directory/users/mirror/meta/delete"),
    ("POST", "/unified/user-directory/users?integrated_account_id=ACCOUNT"),
    ("PATCH", "/unified/user-directory/users/1?integrated_account_id=ACCOUNT"),
    ("DELETE", "/unified/user-directory/users/1?integrated_account_id=ACCOUNT"),
    ("DELETE", "/unified/user-directory/users/1?integrated_account_id=ACCOUNT&koine_plan=true"),
    ("POST", "/unified/user-directory/users/deactivate?integrated_account_id=ACCOUNT"),
    ("POST", "/unified/user-directory/groups/remove-user?integrated_account_id=ACCOUNT"),
];

/// A request on a route of the table, with `ACCOUNT` for an account.
struct Attempt {
    verb: String,
    path: String,
    needs: Needs,
    about: About,
}

impl Attempt {
    fn is_plan(&self) -> bool {
        self.path.contains("koine_plan=true")
    }
}

/// At least one on every route that the gateway has, but those that need no token.
fn attempts() -> Vec<Attempt> {
    let mut all = Vec::new();
    for route in koine_server::routes().iter().filter(|route| route.needs != Needs::Nothing) {
        let verb = route.method.to_string();
        let paths: Vec<String> = match route.path {
            "/unified/{*path}" => {
                UNIFIED.iter().filter(|(own, _)| *own == verb).map(|(_, path)| (*path).to_owned()).collect()
            }
            pattern => vec![filled(pattern)],
        };
        assert!(!paths.is_empty(), "{verb} {}", route.path);
        let attempt = |path| Attempt { verb: verb.clone(), path, needs: route.needs, about: route.about };
        all.extend(paths.into_iter().map(attempt));
    }
    all
}

/// A path with something in place of each parameter.
fn filled(pattern: &str) -> String {
    let part = |part: &str| match part {
        "{model}" => "user-directory".to_owned(),
        "{connector}" | "{integration}" => "mirror".to_owned(),
        parameter if parameter.starts_with('{') => "ACCOUNT".to_owned(),
        word => word.to_owned(),
    };
    pattern.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// An account that nobody has.
const NOBODYS: &str = "01a00000-0000-7000-8000-000000000000";

fn body(verb: &str) -> Value {
    match verb {
        "POST" => {
            json!({"user_id": "1", "group_id": "1", "tenant_id": "acme", "connector": "mirror", "context": {}})
        }
        "PATCH" => json!({"tenant_id": "evil"}),
        _ => Value::Null,
    }
}

/// All of an answer that could tell two cases apart.
fn told(answer: &Answer, id: &str) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.iter().filter(|(name, _)| name != "date").cloned();
    (answer.status, headers.collect(), answer.text().replace(id, "ACCOUNT"))
}

#[tokio::test]
async fn a_token_that_is_none_is_refused_everywhere_and_always_alike() {
    let stand = Stand::start("", &[]).await;
    let made = stand.gateway.admin(&["token", "create", "--name", "gone"]).await;
    stand.gateway.admin(&["token", "revoke", made["id"].as_str().unwrap()]).await;
    let revoked = made["token"].as_str().unwrap();
    let expired = stand.gateway.token(&["--expires", "1s"]).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let good = &stand.token;
    let mut swapped = good.clone().into_bytes();
    let last = swapped.len() - 1;
    swapped[last] = if swapped[last] == b'A' { b'B' } else { b'A' };
    let wrong = [
        "x".to_owned(),
        revoked.to_owned(),
        expired,
        String::from_utf8(swapped).unwrap(),
        good[..good.len() - 1].to_owned(),
        format!("{good}A"),
        format!("{good}="),
        good.to_uppercase(),
        good.to_lowercase(),
        good.trim_start_matches("koine_").to_owned(),
        "koine_".to_owned(),
        "' OR 1=1 --".to_owned(),
        "%".to_owned(),
        "koine_%".to_owned(),
        "null".to_owned(),
        format!("{good},{good}"),
        format!("{good} {good}"),
        "A".repeat(10_000),
    ];
    for Attempt { verb, path, .. } in attempts() {
        let (verb, path) = (verb.as_str(), path.replace("ACCOUNT", NOBODYS));
        let first = stand.send_as("x", verb, &path, &body(verb)).await;
        assert_eq!((first.status, code(&first)), (401, "unauthenticated"), "{verb} {path}: {}", first.text());
        for token in &wrong {
            let answer = stand.send_as(token, verb, &path, &body(verb)).await;
            assert_eq!(told(&answer, NOBODYS), told(&first, NOBODYS), "{verb} {path} with {token}");
        }
        let none = stand.send_as("", verb, &path, &body(verb)).await;
        assert_eq!((none.status, code(&none)), (401, "unauthenticated"), "{verb} {path}");
        // nor by other ways than the header
        let other = format!(
            "{path}{}access_token={good}&token={good}&api_key={good}",
            if path.contains('?') { '&' } else { '?' }
        );
        for headers in [
            vec![("x-api-key", good.as_str())],
            vec![("cookie", good.as_str())],
            vec![("proxy-authorization", good.as_str())],
        ] {
            let answer = stand.gateway.send("", verb, &other, &headers, b"").await.unwrap();
            assert_eq!(answer.status, 401, "{verb} {other}");
            assert!(!answer.text().contains(good.as_str()));
        }
    }
    assert_eq!(stand.send("GET", "/integrated-account", &Value::Null).await.status, 200);
}

#[tokio::test]
async fn what_is_somebody_elses_does_not_exist() {
    let peer = vendor(json!({"id": "1", "items": [{"id": "1"}]})).await;
    let stand = Stand::start("127.0.0.1/32", &[]).await;
    let (account, second) = (stand.mirror(&peer).await, stand.mirror(&peer).await);
    stand.gateway.admin(&["environment", "create", "other"]).await;
    let foreign = stand.gateway.token(&["--environment", "other"]).await;
    let limited = stand.gateway.token(&["--account", &second]).await;
    let before = stand.send("GET", &format!("/integrated-account/{account}"), &Value::Null).await.text();
    for token in [&foreign, &limited] {
        let named = |attempt: &Attempt| {
            attempt.path.contains("ACCOUNT") || matches!(attempt.about, About::BodyAccount(_))
        };
        for Attempt { verb, path, .. } in attempts().into_iter().filter(named) {
            let asked = async |id: &str| {
                let answer = stand.send_as(token, &verb, &path.replace("ACCOUNT", id), &body(&verb)).await;
                told(&answer, id)
            };
            let (theirs, nobodys) = (asked(&account).await, asked(NOBODYS).await);
            assert!(matches!(theirs.0, 400..=499), "{verb} {path}: {theirs:?}");
            assert_eq!(theirs, nobodys, "{verb} {path}");
            assert!(!theirs.2.contains("acme") && !theirs.2.contains("canary"), "{theirs:?}");
        }
        // a list has nothing of it: no entry, no count, no cursor that tells of one
        for limit in [1, 2, 100] {
            let list = stand
                .send_as(token, "GET", &format!("/integrated-account?limit={limit}"), &Value::Null)
                .await;
            assert_eq!(list.status, 200, "{}", list.text());
            assert!(!list.text().contains(&account), "{}", list.text());
            let after = stand
                .send_as(
                    token,
                    "GET",
                    &format!("/integrated-account?limit={limit}&next_cursor={account}"),
                    &Value::Null,
                )
                .await;
            assert!(!after.text().contains(&account), "{}", after.text());
        }
        // a cursor of the one is none of the other
        let page = stand
            .send_as(
                token,
                "GET",
                &format!("/unified/user-directory/users?integrated_account_id={second}&next_cursor=AAAA"),
                &Value::Null,
            )
            .await;
        assert!(matches!(page.status, 400..=499), "{}", page.text());
    }
    assert!(peer.seen().is_empty(), "{:?}", peer.seen());
    let after = stand.send("GET", &format!("/integrated-account/{account}"), &Value::Null).await.text();
    assert_eq!(before, after, "nothing has changed");
    let list =
        stand.send_as(&limited, "GET", "/integrated-account?limit=1", &Value::Null).await.json().unwrap();
    assert_eq!(list["result"][0]["id"], json!(second), "{list}");
}

#[tokio::test]
async fn a_token_that_may_read_changes_nothing() {
    let peer = vendor(json!({"id": "1", "items": [{"id": "1"}]})).await;
    let stand = Stand::start("127.0.0.1/32", &[]).await;
    let account = stand.mirror(&peer).await;
    // token, whether it may write, whether it is limited to an account
    let tokens = [
        (stand.gateway.token(&["--read-only"]).await, false, false),
        (stand.gateway.token(&["--read-only", "--account", &account]).await, false, true),
        (stand.gateway.token(&["--account", &account]).await, true, true),
    ];
    for (token, writes, limited) in tokens {
        for attempt in attempts() {
            let (verb, path) = (&attempt.verb, attempt.path.replace("ACCOUNT", &account));
            let needs_more = match attempt.needs {
                Needs::Administrator => true,
                Needs::Write => !writes,
                Needs::WriteOrPlan => !writes && !attempt.is_plan(),
                Needs::Read | Needs::Nothing => false,
            };
            let not_for_it = match attempt.about {
                About::OwnAccount => true,
                About::Environment => limited,
                _ => false,
            };
            let answer = stand.send_as(&token, verb, &path, &body(verb)).await;
            if needs_more || not_for_it {
                let refused = (answer.status, code(&answer)) == (403, "not_allowed");
                assert!(refused, "{verb} {path}: {}", answer.text());
            } else if attempt.needs == Needs::Read || attempt.is_plan() {
                assert!(matches!(answer.status, 200 | 400 | 404), "{verb} {path}: {}", answer.text());
            }
        }
        // neither by other verbs nor by words that other servers know
        let path = format!("/integrated-account/{account}");
        for headers in [
            [("x-http-method-override", "DELETE")],
            [("x-method-override", "PATCH")],
            [("x-http-method", "DELETE")],
        ] {
            let answer =
                stand.gateway.send(&token, "POST", &path, &headers, b"_method=DELETE").await.unwrap();
            assert_eq!(answer.status, 405, "{}", answer.text());
        }
        for verb in ["HEAD", "OPTIONS", "TRACE", "CONNECT", "PUT", "PROPFIND", "DELETE ", "delete"] {
            let Ok(answer) = stand.gateway.send(&token, verb, &path, &[], b"").await else { continue };
            assert!(
                answer.status == 200 && verb == "HEAD" || matches!(answer.status, 400..=499),
                "{verb}: {}",
                answer.text()
            );
        }
    }
    let changing = ["DELETE", "POST", "PUT", "PATCH"];
    let by_limited =
        peer.seen().into_iter().filter(|request| changing.iter().any(|verb| request.starts_with(verb)));
    assert_eq!(by_limited.count(), 1, "only the token that may write on its account has written");
    let shown = stand.send("GET", &format!("/integrated-account/{account}"), &Value::Null).await;
    assert_eq!(shown.json().unwrap()["tenant_id"], "acme");
    assert!(!shown.text().contains(CANARY));
}
