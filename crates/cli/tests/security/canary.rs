//! Secrets of a kind that is found wherever it turns up: looked for in all that leaves and all that stays.

use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use koine_testkit::peer::answer;
use koine_testkit::{Gateway, Peer, Reply};
use serde_json::{Value, json};

use crate::support::{CANARY, Stand};

/// The token that the vendor's login gives.
const ISSUED: &str = "issued-canary-8Jd0s_Lq";
/// A second secret field, in a path and a header.
const SECOND: &str = "second-canary/51 %x";

/// Every spelling in which one could lie about.
fn spellings(gateway_token: &str, master_key: &str) -> Vec<String> {
    let mut all = Vec::new();
    for secret in [
        CANARY,
        ISSUED,
        SECOND,
        gateway_token,
        master_key,
        &format!("ada:{CANARY}"),
        &format!("koine:{CANARY}"),
    ] {
        let json = Value::from(secret).to_string();
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let percent: String = secret
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
        all.extend([secret.to_owned(), json.trim_matches('"').to_owned(), form, percent]);
        all.extend([STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret)]);
        all.push(secret.bytes().map(|byte| format!("{byte:02x}")).collect());
    }
    all
}

fn find(what: &str, bytes: &[u8], secrets: &[String]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(secret) = secrets.iter().find(|secret| text.contains(secret.as_str())) {
        let (before, after) = text.split_once(secret.as_str()).unwrap_or_default();
        let before: Vec<char> = before.chars().rev().take(300).collect();
        let (before, after): (String, String) =
            (before.iter().rev().collect(), after.chars().take(100).collect());
        panic!("{what} holds {secret}: …{before}[HERE]{after}…");
    }
}

/// What looks for something has to be able to find it.
#[test]
fn every_spelling_is_found() {
    for secret in spellings("koine_token", "master key") {
        let seeking = secret.clone();
        let sought = std::panic::catch_unwind(move || {
            find("a log", format!("\u{fffd}é {secret} é").as_bytes(), &[secret]);
        });
        assert!(sought.is_err(), "{seeking} was not found");
    }
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A vendor that repeats all it is told, in the body and in headers, with the status that it was told to use.
async fn parrot(status: Arc<Mutex<u16>>) -> Peer {
    Peer::start(move |request, _| {
        if request.contains("/token ") {
            return Reply::Keep(crate::support::said(&json!({"access_token": ISSUED, "token_type": "bearer", "refresh_token": ISSUED, "expires_in": 3600})));
        }
        let status = *status.lock().unwrap();
        let target = request.split(' ').nth(1).unwrap_or_default();
        let body = json!({"id": "1", "name": request, "email": "ada@example.com", "message": format!("wrong: {request}"),
            "said": request, "items": [{"id": "1", "name": request, "email": "ada@example.com"}]});
        // the next link repeats the query, as many do
        let headers = format!("content-type: application/json\r\nretry-after: 60\r\nx-request-id: {target}\r\netag: {target}\r\nlink: <{target}&page=2>; rel=\"next\"\r\n");
        Reply::Keep(answer(status, &headers, &body.to_string()))
    })
    .await
}

#[tokio::test]
async fn no_secret_leaves_and_none_stays_readable() {
    let status = Arc::new(Mutex::new(200));
    let peer = parrot(Arc::clone(&status)).await;
    let stand = Stand::start("127.0.0.1/32", &[("RUST_LOG", "trace")]).await;
    let secrets = spellings(&stand.token, stand.gateway.master_key());
    let mut accounts = Vec::new();
    for (kind, more) in [
        ("token", json!({"second": SECOND, "tenant": "t"})),
        ("basic", json!({"user": "ada"})),
        ("login", json!({})),
    ] {
        let mut context = json!({"host": peer.authority(), "token": CANARY});
        context.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        accounts.push(stand.account("mirror", kind, &context).await);
    }
    let look = |what: &str, answer: &koine_testkit::http::Answer| {
        find(what, format!("{:?}", answer.headers).as_bytes(), &secrets);
        find(what, &answer.body, &secrets);
        // sealed cursors are signed, not encrypted
        for word in answer.text().split('"').filter(|word| word.len() > 40) {
            find(what, &URL_SAFE_NO_PAD.decode(word).unwrap_or_default(), &secrets);
        }
    };
    for told in [200, 401, 403, 404, 409, 429, 500] {
        *status.lock().unwrap() = told;
        for account in &accounts {
            for format in ["unified", "raw", "normalized", "stream", "debug"] {
                for path in ["users", "users/1", "groups", "groups/1"] {
                    if told > 409 && (format != "debug" || path != "users/1") {
                        continue; // they wait before they try again
                    }
                    let answer =
                        stand.call(account, "GET", &format!("{path}?truto_response_format={format}")).await;
                    look(&format!("{told} {format} {path}"), &answer);
                    if let Some(cursor) = answer
                        .json()
                        .ok()
                        .and_then(|body| body["next_cursor"].as_str().map(ToOwned::to_owned))
                    {
                        look(
                            "the next page",
                            &stand.call(account, "GET", &format!("{path}?next_cursor={cursor}")).await,
                        );
                    }
                }
            }
            for path in [
                "users/1?koine_plan=true",
                "users/1",
                "users/2?truto_response_format=debug",
                "users/-?emails=ada@example.com",
            ] {
                if told <= 409 {
                    look(&format!("{told} {path}"), &stand.call(account, "DELETE", path).await);
                }
            }
            look(
                "the account",
                &stand.send("GET", &format!("/integrated-account/{account}"), &Value::Null).await,
            );
            let patch = json!({"tenant_id": "acme2", "context": {"token": CANARY}});
            look("a change", &stand.send("PATCH", &format!("/integrated-account/{account}"), &patch).await);
        }
    }
    look("the list", &stand.send("GET", "/integrated-account", &Value::Null).await);
    for refused in [
        json!({"host": "\n", "token": CANARY}),
        json!({"host": "a", "token": CANARY, "unknown": CANARY}),
        json!({CANARY: "x"}),
        json!({"token": CANARY}),
    ] {
        // what the caller called a field may be repeated, a value never
        let answer = stand.connect("mirror", "token", &refused).await;
        assert_eq!(answer.status, 400);
        if refused.get("host").is_some() {
            look("a refusal", &answer);
        }
    }
    for command in [["account", "list"], ["token", "list"], ["environment", "list"]] {
        find("a command", stand.gateway.admin(&command).await.to_string().as_bytes(), &secrets);
    }
    assert!(
        peer.seen().iter().any(|request| request.contains(ISSUED)),
        "the vendor was given what it is to be given"
    );

    nothing_stays(stand.gateway, &secrets).await;
}

/// The log, and the files while the gateway runs and after it has ended.
async fn nothing_stays(mut gateway: Gateway, secrets: &[String]) {
    let log = gateway.process().stderr();
    assert!(log.contains("TRACE") && log.contains("upstream exchange"), "{}", &log[..log.len().min(2000)]);
    find("the log", log.as_bytes(), secrets);
    find("stdout", gateway.process().stdout().as_bytes(), secrets);
    let all = files(gateway.folder());
    let dump = gateway.database_dump();
    let in_files = all.iter().any(|file| file.to_string_lossy().ends_with("-wal"));
    assert!(dump.is_some() || in_files, "{all:?}");
    find("the database", dump.unwrap_or_default().as_bytes(), secrets);
    for file in &all {
        find(&file.display().to_string(), &std::fs::read(file).unwrap(), secrets);
    }
    gateway.process().terminate().await.unwrap();
    for file in files(gateway.folder()) {
        find(&file.display().to_string(), &std::fs::read(&file).unwrap(), secrets);
    }
}
