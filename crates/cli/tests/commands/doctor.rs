//! `koine doctor`: what it finds, and that it changes and betrays nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use koine_testkit::{Authority, ForwardProxy, KoineProcess, Ran, Runner, TlsServer};
use serde_json::Value;

use crate::runner;

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const OTHER_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn of(data: &Path, key: &str) -> Runner {
    runner().env("KOINE_DATA_DIR", data.to_str().unwrap()).env("KOINE_MASTER_KEY", key)
}

/// Level and text of every finding about something.
fn found(ran: &Ran, about: &str) -> Vec<(String, String)> {
    let all: Value = serde_json::from_str(&ran.stdout).unwrap();
    let all = all.as_array().unwrap().iter().filter(|one| one["about"] == about);
    let told = |one: &Value| {
        assert_eq!(one["level"] == "ok", one["do"] == "", "it says what to do: {one}");
        (one["level"].as_str().unwrap().to_owned(), one["finding"].as_str().unwrap().to_owned())
    };
    all.map(told).collect()
}

fn has(ran: &Ran, about: &str, level: &str, words: &str) -> bool {
    found(ran, about).iter().any(|(found, text)| found == level && text.contains(words))
}

#[test]
fn a_new_installation_has_warnings_and_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let ran = of(&data, KEY).run(["doctor", "-o", "json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(has(&ran, "database", "warning", "there is none yet"), "{}", ran.stdout);
    assert!(has(&ran, "public_url", "warning", "not set"), "{}", ran.stdout);
    assert!(has(&ran, "connectors", "ok", "compile"), "{}", ran.stdout);
    assert!(!data.exists());
}

#[test]
fn one_that_works_is_said_to() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let own = of(&data, KEY).env("KOINE_PUBLIC_URL", "https://koine.example.com");
    assert_eq!(own.run(["token", "create", "--name", "x"]).code, 0);
    let ran = own.run(["doctor", "-o", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    for (about, words) in [
        ("keys", "this database's"),
        ("database", "SQLite"),
        ("calls", "none was left open"),
        ("accounts", "none waits"),
        ("disk", "MiB are free"),
        ("folder", "its owner's alone"),
        ("public_url", "https://koine.example.com/"),
    ] {
        assert!(has(&ran, about, "ok", words), "{about}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("\"error\"") && !ran.stdout.contains(KEY), "{}", ran.stdout);
    let table = own.run(["doctor"]);
    assert!(table.stdout.lines().any(|line| line.starts_with("ok       keys")), "{}", table.stdout);
}

#[test]
fn keys_are_looked_at_from_all_sides() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(of(folder.path(), KEY).run(["token", "create", "--name", "x"]).code, 0);
    let ran = of(folder.path(), OTHER_KEY).run(["doctor", "-o", "json"]);
    assert!(ran.code == 1 && has(&ran, "keys", "error", "another master key"), "{ran:?}");
    let ran = of(folder.path(), "hunter2").run(["doctor", "-o", "json"]);
    assert!(ran.code == 1 && has(&ran, "keys", "error", "not 32 bytes"), "{ran:?}");
    assert!(!format!("{ran:?}").contains("hunter2"));
    let without = runner().env("KOINE_DATA_DIR", folder.path().to_str().unwrap());
    let ran = without.run(["doctor", "-o", "json"]);
    assert!(ran.code == 1 && has(&ran, "keys", "error", "no master key"), "{ran:?}");

    let file = folder.path().join("master.key");
    std::fs::write(&file, KEY).unwrap();
    let with = without.env("KOINE_MASTER_KEY_FILE", file.to_str().unwrap());
    for (mode, level, code, words) in [
        (0o644, "error", 1, "(mode 644)"),
        (0o640, "warning", 0, "by its group"),
        (0o600, "ok", 0, "the master key is 32 bytes"),
    ] {
        chmod(&file, mode);
        let ran = with.run(["doctor", "-o", "json"]);
        let told = found(&ran, "keys").into_iter().filter(|(found, _)| found != "ok").count();
        assert!(ran.code == code && has(&ran, "keys", level, words), "{ran:?}");
        assert_eq!(told, usize::from(level != "ok"), "each once: {ran:?}");
    }
    let ran = with.env("KOINE_MASTER_KEY", KEY).run(["doctor", "-o", "json"]);
    assert!(has(&ran, "keys", "warning", "master_key and master_key_file are set"), "{ran:?}");
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn what_is_made_is_its_owners_alone_whatever_the_umask_and_what_is_not_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let listen = format!("unix:{}/koine.sock", folder.path().display());
    let env =
        [("KOINE_DATA_DIR", data.to_str().unwrap()), ("KOINE_MASTER_KEY", KEY), ("KOINE_LISTEN", &listen)];
    let command = format!("umask 0000 && exec {} serve", env!("CARGO_BIN_EXE_koine"));
    let mut process = KoineProcess::start("/bin/sh", ["-c", command.as_str()], &env).unwrap();
    process.line("listening on ").await;
    assert_eq!((mode(&data), mode(&data.join("nodes"))), (0o700, 0o700));
    for name in ["koine.db", "koine.db-wal", "koine.db-shm"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
    let doctor = || of(&data, KEY).run(["doctor", "-o", "json"]);
    assert!(has(&doctor(), "folder", "ok", "its owner's alone"));
    chmod(&data, 0o755);
    chmod(&data.join("koine.db-wal"), 0o640);
    let ran = doctor();
    assert!(ran.code == 0 && has(&ran, "folder", "warning", "has mode 755"), "{ran:?}");
    assert!(has(&ran, "database", "warning", "koine.db-wal has mode 640"), "{ran:?}");
}

#[test]
fn every_problem_of_the_settings_is_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = of(folder.path(), KEY).env("KOINE_UPSTREAM_TIMEOUT", "0").env("KOINE_LISTEN", "x");
    let ran = wrong.run(["doctor", "-o", "json"]);
    assert_eq!((ran.code, found(&ran, "settings").len()), (1, 2), "{ran:?}");
    let ran = of(folder.path(), KEY).env("KOINE_LISTN", "x").run(["doctor", "-o", "json"]);
    assert!(ran.code == 0 && has(&ran, "settings", "warning", "KOINE_LISTEN"), "{ran:?}");
}

#[test]
fn a_database_that_others_read_or_that_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let own = of(folder.path(), KEY);
    assert_eq!(own.run(["token", "create", "--name", "x"]).code, 0);
    let file = folder.path().join("koine.db");
    chmod(&file, 0o644);
    let ran = own.run(["doctor", "-o", "json"]);
    assert!(ran.code == 0 && has(&ran, "database", "warning", "has mode 644"), "{ran:?}");
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    std::fs::File::options().append(true).open(&file).unwrap().set_modified(later).unwrap();
    let ran = own.run(["doctor", "-o", "json"]);
    assert!(
        ran.code == 0 && has(&ran, "database", "warning", "clock of this machine was set back"),
        "{ran:?}"
    );
    std::fs::write(folder.path().join("other.db"), "not a database, but long enough to be read as one")
        .unwrap();
    let url = format!("sqlite://{}/other.db", folder.path().display());
    let ran = own.env("KOINE_DATABASE_URL", &url).run(["doctor", "-o", "json"]);
    assert!(ran.code == 1 && has(&ran, "database", "error", ""), "{ran:?}");
}

#[tokio::test]
async fn the_quick_question_is_whether_the_gateway_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let listen = format!("unix:{data}/koine.sock");
    let ask = || of(folder.path(), KEY).env("KOINE_LISTEN", &listen).run(["doctor", "--quick"]);
    let ran = ask();
    assert!(ran.code == 1 && ran.stdout.contains("start it"), "{ran:?}");
    let env = [("KOINE_DATA_DIR", data), ("KOINE_MASTER_KEY", KEY), ("KOINE_LISTEN", listen.as_str())];
    let mut process = KoineProcess::start(env!("CARGO_BIN_EXE_koine"), ["serve"], &env).unwrap();
    process.line("listening on ").await;
    let ran = ask();
    assert!(ran.code == 0 && ran.stdout.contains("is ready"), "{ran:?}");
}

/// All of a company's network at once: a proxy with a password, an authority of its own, names that only the proxy knows.
#[tokio::test(flavor = "multi_thread")]
async fn the_network_is_tried_only_when_asked_and_along_the_way_that_calls_take() {
    let authority = Authority::new();
    let server = TlsServer::start(&authority, &["api.vendor.test"]).await.unwrap();
    let names = [("api.vendor.test:443", server.address())];
    let proxy = ForwardProxy::start(&names, Some("me:hunter2"), None).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("company.pem");
    std::fs::write(&bundle, authority.pem()).unwrap();
    let own = of(folder.path(), KEY)
        .env("KOINE_EGRESS_PROXY", &proxy.url("me:hunter2@"))
        .env("KOINE_EXTRA_CA_FILE", bundle.to_str().unwrap());
    let run = |args: &'static [&'static str]| {
        let own = own.clone();
        tokio::task::spawn_blocking(move || own.run(args))
    };
    assert_eq!(run(&["doctor", "-o", "json"]).await.unwrap().code, 0);
    assert!(proxy.seen().is_empty());
    let ran = run(&["doctor", "-o", "json", "--network", "api.vendor.test"]).await.unwrap();
    assert!(ran.code == 0 && has(&ran, "network", "ok", "api.vendor.test answers (200)"), "{ran:?}");
    let ran = run(&["doctor", "-o", "json", "--network", "10.0.0.1", "nobody.test", "a b"]).await.unwrap();
    assert_eq!((ran.code, found(&ran, "network").len()), (1, 3), "{ran:?}");
    assert!(found(&ran, "network").iter().all(|(level, _)| level == "error"), "{ran:?}");
    assert_eq!(proxy.seen(), ["CONNECT api.vendor.test:443 200", "CONNECT nobody.test:443 403"]);
    assert!(!format!("{ran:?}").contains("hunter2"));
}
