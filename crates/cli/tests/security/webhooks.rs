//! Webhooks: whoever holds a token names the address and reads how its answer begins; whoever receives one must be able
//! to tell ours from somebody else's.

use koine_testkit::Receiver;
use koine_testkit::http::Answer;
use koine_testkit::receiver::{Reply, hmac_sha256};
use serde_json::{Value, json};

use crate::addresses::INSIDE;
use crate::support::{CANARY, Stand, code};

/// Lets deliveries reach loopback.
const OPEN: (&str, &str) = ("KOINE_WEBHOOK_ALLOW_ADDRESSES", "127.0.0.1/32");
/// A part of an address that is a capability.
const CAPABILITY: &str = "c4n-b3-k3pt";

impl Stand {
    async fn hear(&self, url: &str) -> Answer {
        self.send(
            "POST",
            "/webhook",
            &json!({"target_url": url, "event_types": ["integrated_account:created"]}),
        )
        .await
    }

    /// The id and the secret of a new webhook.
    async fn webhook(&self, url: &str) -> (String, String) {
        let answer = self.hear(url).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let made = answer.json().unwrap();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("id"), text("secret"))
    }

    async fn test(&self, webhook: &str) -> Answer {
        self.send("POST", "/webhook/test", &json!({"id": webhook})).await
    }
}

#[tokio::test]
async fn no_target_leads_inside() {
    let peer = crate::support::vendor(json!({})).await;
    let port = peer.address.port().to_string();
    // What is open to vendors' calls is not open to deliveries.
    let stand = Stand::start("127.0.0.0/8", &[]).await;
    let (harmless, _) = stand.webhook("https://receiver.example.com/").await;
    for host in INSIDE.iter().map(|host| host.replace("PORT", &port)) {
        for url in [format!("https://{host}"), format!("http://{host}"), format!("https:\\\\{host}")] {
            let path = format!("/webhook/{harmless}");
            let moved = stand.send("PATCH", &path, &json!({"target_url": url})).await;
            if moved.status == 200 {
                // A name: where it leads is known when it is looked up.
                let answer = stand.test(&harmless).await;
                assert_eq!(answer.status, 502, "{url}: {}", answer.text());
            } else {
                assert_eq!((moved.status, code(&moved)), (400, "invalid_request"), "{url}: {}", moved.text());
                assert_eq!(stand.hear(&url).await.status, 400, "{url}");
            }
        }
    }
    assert_eq!(peer.connections(), 0, "nobody was called");
}

#[tokio::test]
async fn no_redirect_leads_elsewhere() {
    let (receiver, elsewhere) = (Receiver::start().await.unwrap(), Receiver::start().await.unwrap());
    let stand = Stand::start("127.0.0.0/8", &[OPEN]).await;
    let (webhook, _) = stand.webhook(&receiver.url("/hook")).await;
    for status in [301, 302, 303, 307, 308] {
        for target in [elsewhere.url("/x"), receiver.url("/x"), "https://169.254.169.254/".to_owned()] {
            let headers = vec![("Location".to_owned(), target)];
            receiver.then("/hook", [Reply::Now { status, headers, body: String::new() }]);
            let answer = stand.test(&webhook).await;
            assert_eq!(answer.status, 502, "{}", answer.text());
            assert!(answer.text().contains(&status.to_string()), "{}", answer.text());
        }
    }
    assert_eq!((receiver.received("/x").len(), elsewhere.received("/x").len()), (0, 0));
}

#[tokio::test]
async fn secrets_and_addresses_are_not_told() {
    let receiver = Receiver::start().await.unwrap();
    let mut stand = Stand::start("", &[OPEN, ("RUST_LOG", "trace")]).await;
    let target = format!("/hook/{CAPABILITY}?key={CAPABILITY}");
    let (webhook, secret) = stand.webhook(&receiver.url(&target)).await;
    // A receiver that repeats what must not be kept in the log.
    receiver.then(&target, [Reply::Now { status: 500, headers: Vec::new(), body: secret.clone() }]);
    assert_eq!(stand.test(&webhook).await.status, 502);
    stand.account("mirror", "token", &json!({"host": "api.example.com", "token": CANARY})).await;
    let told = receiver.wait(&target, 2).await;
    assert!(told.iter().all(|delivery| !String::from_utf8_lossy(&delivery.body).contains("canary")));

    let reader = stand.gateway.token(&["--read-only"]).await;
    let path = format!("/webhook/{webhook}");
    let of_reader =
        ["/webhook", &path, &format!("{path}/deliveries"), "/log?log_type=webhook"].map(ToOwned::to_owned);
    let mut seen = String::new();
    for path in &of_reader {
        let answer = stand.send_as(&reader, "GET", path, &Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        seen.push_str(&answer.text());
        let own = stand.send("GET", path, &Value::Null).await.text();
        assert!(!own.contains(&secret), "{path}: {own}");
    }
    assert!(seen.contains("/…") && seen.contains(receiver.url("").trim_start_matches("http://")), "{seen}");
    let shown = stand.send("GET", &path, &Value::Null).await.text();
    assert!(shown.contains(CAPABILITY), "who may change it sees where it leads: {shown}");

    seen.push_str(&stand.gateway.admin(&["audit", "list"]).await.to_string());
    stand.gateway.process().terminate().await.unwrap();
    seen.push_str(&stand.gateway.process().stderr());
    assert!(
        seen.contains("delivery") && seen.contains("webhook.create"),
        "the log and the audit log are there"
    );
    for file in std::fs::read_dir(stand.gateway.folder()).unwrap().map(|file| file.unwrap().path()) {
        seen.push_str(&String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()));
    }
    seen.push_str(&stand.gateway.database_dump().unwrap_or_default());
    for hidden in [secret.as_str(), CAPABILITY] {
        assert!(!seen.contains(hidden), "{hidden} is told");
    }
}

#[tokio::test]
async fn a_delivery_is_for_one_receiver_and_one_moment() {
    let receiver = Receiver::start().await.unwrap();
    let stand = Stand::start("", &[OPEN]).await;
    let mut signed = Vec::new();
    for path in ["/one", "/two"] {
        let (webhook, secret) = stand.webhook(&receiver.url(path)).await;
        assert_eq!(stand.test(&webhook).await.status, 200);
        signed.push((receiver.received(path).remove(0), secret));
    }
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let verifies = |delivery: usize, secret: usize| {
        let (delivery, secret) = (&signed[delivery].0, &signed[secret].1);
        let expected = hex(hmac_sha256(secret.as_bytes(), &delivery.body));
        delivery.header("x-truto-signature") == format!("format=sha256,v={expected}")
    };
    assert_eq!([verifies(0, 0), verifies(1, 1), verifies(0, 1), verifies(1, 0)], [true, true, false, false]);
    // Sent again, a test is another event at another time: what somebody kept has an old id and an old time.
    let path = "/one";
    let first = &signed[0].0;
    let webhook = first.json()["webhook_id"].as_str().unwrap().to_owned();
    assert_eq!(stand.test(&webhook).await.status, 200);
    let second = receiver.received(path).remove(1);
    for name in ["webhook-id", "webhook-signature", "x-truto-signature"] {
        assert_ne!(first.header(name), second.header(name), "{name}");
    }
}
