//! A gateway with connectors of ours, and peers that play vendors.

use koine_testkit::http::Answer;
use koine_testkit::{Gateway, Peer, Reply};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const BIN: &str = env!("CARGO_BIN_EXE_koine");
pub(crate) const CONNECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/security/connectors");
/// Given as the secret of accounts, and looked for everywhere.
pub(crate) const CANARY: &str = "canary+Zq7/9fK\"x2=";

/// A gateway, and a token of its default environment that may do everything.
pub(crate) struct Stand {
    pub gateway: Gateway,
    pub token: String,
}

impl Stand {
    /// `allow`: the ranges that it may call besides public addresses.
    pub(crate) async fn start(allow: &str, settings: &[(&str, &str)]) -> Self {
        let own = [
            ("KOINE_CONNECTORS_DIR", CONNECTORS),
            ("KOINE_ALLOW_ADDRESSES", allow),
            ("KOINE_UPSTREAM_TIMEOUT", "5"),
        ];
        let gateway = Gateway::start(BIN, &[&own, settings].concat()).await;
        let token = gateway.token(&[]).await;
        Self { gateway, token }
    }

    /// Anything, with the token.
    pub(crate) async fn send(&self, verb: &str, path: &str, body: &Value) -> Answer {
        self.send_as(&self.token, verb, path, body).await
    }

    pub(crate) async fn send_as(&self, token: &str, verb: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.gateway.send(token, verb, path, &[], body.as_bytes()).await.unwrap()
    }

    /// A new account; the answer is the gateway's.
    pub(crate) async fn connect(&self, connector: &str, kind: &str, context: &Value) -> Answer {
        let body = json!({"tenant_id": "acme", "connector": connector, "authentication_method": kind, "context": context});
        self.send("POST", "/integrated-account", &body).await
    }

    /// The id of a new account.
    pub(crate) async fn account(&self, connector: &str, kind: &str, context: &Value) -> String {
        let answer = self.connect(connector, kind, context).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json().unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// An account whose vendor is this peer.
    pub(crate) async fn mirror(&self, peer: &Peer) -> String {
        self.account("mirror", "token", &json!({"host": peer.authority(), "token": CANARY})).await
    }

    /// A call on an account; `path` is what follows `/unified/user-directory/`.
    pub(crate) async fn call(&self, account: &str, verb: &str, path: &str) -> Answer {
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!("/unified/user-directory/{path}{mark}integrated_account_id={account}");
        self.send(verb, &path, &Value::Null).await
    }

    /// The bytes that come back for these bytes, until the gateway ends the connection or has said nothing for a while.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let address = self.gateway.url().trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.unwrap();
        // A gateway that refuses early may close before it has read everything.
        let _refused = stream.write_all(bytes).await;
        let mut said = Vec::new();
        let patience = std::time::Duration::from_secs(3);
        loop {
            match tokio::time::timeout(patience, stream.read_buf(&mut said)).await {
                Ok(Ok(0) | Err(_)) | Err(_) => return String::from_utf8_lossy(&said).into_owned(),
                Ok(Ok(_)) => {}
            }
        }
    }
}

/// A vendor that answers everything with this JSON.
pub(crate) async fn vendor(body: Value) -> Peer {
    Peer::start(move |_, _| Reply::Keep(said(&body))).await
}

/// JSON as an answer.
pub(crate) fn said(body: &Value) -> Vec<u8> {
    koine_testkit::peer::answer(200, "content-type: application/json\r\n", &body.to_string())
}

/// The gateway's own word for what went wrong.
pub(crate) fn code(answer: &Answer) -> &str {
    answer.header("koine-error-code").unwrap_or_default()
}
