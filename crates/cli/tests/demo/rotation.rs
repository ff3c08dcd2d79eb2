//! The master key: where it comes from, and another one while gateways run.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use koine_testkit::{Gateway, KoineProcess};
use serde_json::{Value, json};

use crate::support::{BIN, Demo};

fn key_file(folder: &Path) -> PathBuf {
    let file = folder.join("master.key");
    std::fs::write(&file, koine_store::MasterKey::generate().to_base64().as_bytes()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    file
}

/// Two nodes on one database, with calls on the demo's sandbox.
struct Nodes {
    demo: Demo,
    both: [Gateway; 2],
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Nodes {
    async fn start() -> Self {
        let demo = Demo::start().await;
        let folder = tempfile::tempdir().unwrap();
        let file = key_file(folder.path());
        let base_urls = json!({"okta": demo.sandbox("/okta/api/v1")}).to_string();
        let settings = [
            ("KOINE_MASTER_KEY", ""),
            ("KOINE_MASTER_KEY_FILE", file.to_str().unwrap()),
            ("KOINE_DATA_DIR", folder.path().to_str().unwrap()),
            ("KOINE_ALLOW_ADDRESSES", "127.0.0.0/8"),
            ("KOINE_BASE_URLS", &base_urls),
        ];
        let first = Gateway::start(BIN, &settings).await;
        let both = [first, Gateway::start(BIN, &settings).await];
        Self { demo, both, file, _folder: folder }
    }

    /// A connected account of the sandbox.
    async fn account(&self) -> String {
        let url = self.demo.sandbox("/_sandbox/vendors");
        let (_, vendors) = koine_testkit::http::get_json(&url, &[]).await.unwrap();
        let okta = vendors.as_array().unwrap().iter().find(|vendor| vendor["name"] == "okta").unwrap();
        let context = okta["context"].to_string();
        let add = ["account", "add", "okta", "--tenant", "acme", "--context", &context];
        self.both[0].admin(&add).await["id"].as_str().unwrap().to_owned()
    }
}

/// Pages through a list, each page from the other node: cursors hold on all nodes. Gives the calls made.
async fn call_without_end(nodes: Arc<Nodes>, token: String, account: String, stop: Arc<AtomicBool>) -> usize {
    let (mut calls, mut cursor) = (0, String::new());
    while !stop.load(Ordering::Acquire) {
        let node = &nodes.both[calls % 2];
        let path = format!(
            "/unified/user-directory/users?limit=100&integrated_account_id={account}&next_cursor={cursor}"
        );
        let answer = node.send(&token, "GET", &path, &[], b"").await.unwrap();
        assert_eq!(answer.status, 200, "call {calls}: {}", answer.text());
        answer.json().unwrap()["next_cursor"].as_str().unwrap_or_default().clone_into(&mut cursor);
        calls += 1;
    }
    calls
}

#[tokio::test]
async fn calls_go_on_while_the_master_key_is_changed() {
    let nodes = Arc::new(Nodes::start().await);
    let (account, token) = (nodes.account().await, nodes.both[0].token(&[]).await);
    let stop = Arc::new(AtomicBool::new(false));
    let calls = tokio::spawn(call_without_end(Arc::clone(&nodes), token.clone(), account, Arc::clone(&stop)));
    let first = std::fs::read_to_string(&nodes.file).unwrap();
    for _ in 0..3 {
        let rotated = nodes.both[0].admin(&["key", "rotate", "--generate"]).await;
        assert_eq!(rotated["result"], "rotated", "{rotated}");
        // A node that meets the new key while it works: a new environment has a data key that it must unwrap.
        nodes.both[0].admin(&["environment", "create", &uuid::Uuid::now_v7().to_string()]).await;
    }
    assert_eq!(nodes.both[0].admin(&["key", "rotate"]).await["result"], "already");
    assert_eq!(std::fs::read_to_string(&nodes.file).unwrap().lines().count(), 4);
    nodes.both[0].admin(&["key", "forget"]).await;
    let last = std::fs::read_to_string(&nodes.file).unwrap();
    assert_eq!(last.lines().count(), 1);
    assert_eq!(nodes.file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    stop.store(true, Ordering::Release);
    assert!(calls.await.unwrap() > 0);

    let mut nodes = Arc::into_inner(nodes).unwrap();
    nodes.both[1].process().terminate().await.unwrap();
    nodes.both[1].restart().await;
    let listed = nodes.both[1].send(&token, "GET", "/integrated-account", &[], b"").await.unwrap();
    assert_eq!(listed.json().unwrap()["result"].as_array().unwrap().len(), 1);
    let log = nodes.both[1].admin(&["audit", "list", "--action", "key"]).await;
    assert_eq!(log.as_array().unwrap().len(), 3, "{log}");
    assert_eq!(nodes.both[1].admin(&["audit", "verify"]).await["broken"], Value::Null);
    let told = format!("{log}{}{}", nodes.both[0].process().stderr(), nodes.both[1].process().stderr());
    assert!(!told.contains(first.trim()) && !told.contains(last.trim()), "no key is told");

    std::fs::write(&nodes.file, first).unwrap();
    let mut old = KoineProcess::start(
        BIN,
        ["environment", "list"],
        &[
            ("KOINE_MASTER_KEY_FILE", nodes.file.to_str().unwrap()),
            ("KOINE_DATA_DIR", nodes.file.parent().unwrap().to_str().unwrap()),
        ],
    )
    .unwrap();
    assert!(
        !old.end().await.unwrap().success() && old.stderr().contains("another master key"),
        "{}",
        old.stderr()
    );
}

#[tokio::test]
async fn a_hangup_makes_a_node_look_at_once_and_memory_is_not_dumped() {
    let nodes = Nodes::start().await;
    let pid = nodes.both[1].pid();
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    nodes.both[0].admin(&["key", "rotate", "--generate"]).await;
    let hangup = format!("kill -HUP {pid}");
    assert!(tokio::process::Command::new("sh").args(["-c", &hangup]).status().await.unwrap().success());
    let mut nodes = nodes;
    for _ in 0..600 {
        if nodes.both[1].process().stderr().contains("took the new master key") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("not taken: {}", nodes.both[1].process().stderr());
}
