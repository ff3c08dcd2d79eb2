//! File, environment and flags, as the binary takes them.

use std::os::unix::fs::PermissionsExt as _;

use koine_testkit::{KoineProcess, http};
use serde_json::Value;

use crate::{koine, runner};

/// 32 bytes of zero in base64: a key for tests only.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A file in a folder of its own, with this mode.
fn file(text: &str, mode: u32) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("koine.toml");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    (folder, path.to_str().unwrap().to_owned())
}

#[test]
fn config_tells_every_value_and_where_it_came_from() {
    let (_folder, path) = file("upstream_timeout = 7\nmaster_key = \"hunter2\"\nlog = \"warn\"\n", 0o640);
    let runner =
        runner().env("KOINE_LOG", "error").env("KOINE_DATABASE_URL", "postgres://me:hunter2@db/koine");
    let ran = runner.run(["config", "--config", &path, "-o", "json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(!ran.stdout.contains("hunter2"), "{}", ran.stdout);
    let all: Value = serde_json::from_str(&ran.stdout).unwrap();
    let told = |name: &str| {
        let one = all.as_array().unwrap().iter().find(|one| one["setting"] == name).unwrap();
        (one["value"].as_str().map(ToOwned::to_owned), one["from"].as_str().unwrap().to_owned())
    };
    let some = |value: &str, from: &str| (Some(value.to_owned()), from.to_owned());
    assert_eq!(told("upstream_timeout"), some("7", &format!("{path}:1")));
    assert_eq!(told("master_key"), some("(hidden)", &format!("{path}:2")));
    assert_eq!(told("log"), some("error", "KOINE_LOG"));
    assert_eq!(told("database_url"), some("postgres://me:(hidden)@db/koine", "KOINE_DATABASE_URL"));
    assert_eq!(told("listen"), some("127.0.0.1:8585", "default"));
    assert_eq!(told("public_url"), (None, "default".to_owned()));

    let ran = crate::runner().env("KOINE_CONFIG", &path).run(["config"]);
    let line = ran.stdout.lines().find(|line| line.contains("upstream_timeout")).unwrap();
    assert!(line.contains(" 7 ") && line.trim_end().ends_with("koine.toml:1"), "{line:?}");
}

#[test]
fn all_problems_are_told_at_once() {
    let (_folder, path) = file("listn = \"127.0.0.1:1\"\nmaster_key = \"hunter2\"\n", 0o644);
    let runner = runner().env("KOINE_UPSTREAM_TIMEOUT", "0").env("KOINE_CONFIG", &path);
    for command in [&["config"][..], &["serve"], &["token", "list"]] {
        let ran = runner.run(command);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{command:?}: {}", ran.stderr);
        for part in [
            format!("{path}:1: `listn` is no setting; did you mean `listen`?"),
            format!(
                "{path}:2: `master_key` may hold a secret and every user can read this file: `chmod o= {path}`"
            ),
            "KOINE_UPSTREAM_TIMEOUT: `0` is not 1 to 300 (seconds)".to_owned(),
        ] {
            assert!(ran.stderr.contains(&part), "{command:?}: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let ran = koine(&["--config", "/nonexistent/koine.toml", "config"], "");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("/nonexistent/koine.toml: "), "{}", ran.stderr);
}

#[test]
fn a_misspelt_variable_is_noticed() {
    let ran = runner().env("KOINE_LISTN", "127.0.0.1:1").run(["config"]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (0, "koine: KOINE_LISTN is no setting; did you mean KOINE_LISTEN?\n")
    );
}

#[test]
fn every_open_setting_is_a_flag_of_serve_and_no_secret_one() {
    let help = koine(&["serve", "--help"], "").stdout;
    for setting in koine_settings_table() {
        let flag = format!("--{} ", setting.0.replace('_', "-"));
        assert_eq!(help.contains(&flag), !setting.1, "{flag}");
    }
    let ran = koine(&["serve", "--master-key", KEY], "");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

/// Name and whether it is secret, as the generated reference has them.
fn koine_settings_table() -> Vec<(String, bool)> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/settings.md");
    let page = std::fs::read_to_string(page).unwrap();
    let sections = page.split("\n### ").skip(1);
    let all: Vec<_> = sections
        .map(|one| (one.lines().next().unwrap().to_owned(), one.contains("\n* secret: no flag")))
        .collect();
    assert!(all.len() > 10);
    all
}

#[tokio::test]
async fn serve_takes_flags_over_the_file_and_logs_as_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("master.key");
    std::fs::write(&key, KEY).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        "listen = \"127.0.0.1:1\"\nlog_format = \"json\"\ntrusted_proxies = [\"127.0.0.1\"]\ndata_dir = \"{}\"\nmaster_key_file = \"{}\"\n",
        folder.path().display(),
        key.display()
    );
    let (_folder, path) = file(&text, 0o644);
    let args = ["serve", "--config", &path, "--listen", "127.0.0.1:0"];
    let mut process = KoineProcess::start(env!("CARGO_BIN_EXE_koine"), args, &[]).unwrap();
    let line = process.line("listening on ").await;
    let url = line.split("listening on ").nth(1).unwrap();
    let forwarded = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")];
    let answer = http::request("GET", &format!("{url}/readyz"), &forwarded, b"").await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(process.terminate().await.unwrap().success());
    let stderr = process.stderr();
    let call = stderr.lines().find(|line| line.contains("/readyz")).unwrap();
    let call: Value = serde_json::from_str(call).unwrap();
    assert_eq!(
        (&call["message"], &call["http.status"], &call["level"]),
        (&"call".into(), &200.into(), &"INFO".into())
    );
    assert_eq!((&call["client.address"], &call["http.scheme"]), (&"203.0.113.9".into(), &"https".into()));
}

#[tokio::test]
async fn serve_listens_on_a_socket_and_takes_over_one_that_was_left() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("koine.sock");
    let listen = format!("unix:{}", socket.display());
    let data = folder.path().to_str().unwrap().to_owned();
    let env = [("KOINE_LISTEN", listen.as_str()), ("KOINE_MASTER_KEY", KEY), ("KOINE_DATA_DIR", &data)];
    let start = || KoineProcess::start(env!("CARGO_BIN_EXE_koine"), ["serve"], &env).unwrap();
    let mut first = start();
    assert_eq!(first.line("listening on ").await, format!("listening on {listen}"));
    assert!(ready(&socket).starts_with("HTTP/1.1 200 "));

    let mut second = start();
    assert_eq!(second.end().await.unwrap().code(), Some(1), "one that is in use is not taken");
    assert!(second.stderr().contains("something else is there"), "{}", second.stderr());

    first.kill().await.unwrap();
    assert!(socket.exists(), "a crash leaves it");
    let mut third = start();
    third.line("listening on ").await;
    assert!(ready(&socket).starts_with("HTTP/1.1 200 "));
    assert!(third.terminate().await.unwrap().success());
    assert!(!socket.exists());
}

fn ready(socket: &std::path::Path) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// A call whose body never comes to its end holds the end up for the grace and no longer.
#[tokio::test]
async fn the_end_waits_for_calls_no_longer_than_the_grace() {
    use tokio::io::AsyncWriteExt as _;
    let folder = tempfile::tempdir().unwrap();
    let env = [
        ("KOINE_LISTEN", "127.0.0.1:0"),
        ("KOINE_MASTER_KEY", KEY),
        ("KOINE_DATA_DIR", folder.path().to_str().unwrap()),
        ("KOINE_SHUTDOWN_GRACE", "1"),
    ];
    let make = env.iter().fold(runner(), |runner, (name, value)| runner.env(name, value));
    let made = make.run(["token", "create", "--name", "test", "-o", "json"]);
    let made: Value = serde_json::from_str(&made.stdout).unwrap();
    let mut process = KoineProcess::start(env!("CARGO_BIN_EXE_koine"), ["serve"], &env).unwrap();
    let line = process.line("listening on ").await;
    let address = line.split("http://").nth(1).unwrap().to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let token = made["token"].as_str().unwrap();
    let head = format!(
        "POST /integrated-account HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 9\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(http::request("GET", &format!("http://{address}/ping"), &[], b"").await.unwrap().status, 200);
    assert!(process.terminate().await.unwrap().success());
    assert!(process.stderr().contains("still under way"), "{}", process.stderr());
}
