//! Requests to where they must not go: by an account's fields, redirects, cursors, links and patches.

use koine_testkit::peer::{answer, redirect};
use koine_testkit::{Peer, Reply};
use serde_json::{Value, json};

use crate::support::{CANARY, Stand, code, said, vendor};

/// Spellings of what is on this machine or in its network. `PORT` is one where somebody listens.
pub(crate) const INSIDE: &[&str] = &[
    "127.0.0.1:PORT",
    "127.1:PORT",
    "2130706433:PORT",
    "0x7f000001:PORT",
    "0x7f.0x0.0x0.0x1:PORT",
    "0177.0.0.1:PORT",
    "017700000001:PORT",
    "127.0.0.1.:PORT",
    "127%2e0%2e0%2e1:PORT",
    "127。0。0。1:PORT",
    "１２７.0.0.1:PORT",
    "0:PORT",
    "0.0.0.0:PORT",
    "localhost:PORT",
    "LOCALHOST:PORT",
    "localhost.:PORT",
    "ⓛocalhost:PORT",
    "[::1]:PORT",
    "[0:0:0:0:0:0:0:1]:PORT",
    "[::]:PORT",
    "[::ffff:127.0.0.1]:PORT",
    "[::ffff:7f00:1]:PORT",
    "[::127.0.0.1]:PORT",
    "[64:ff9b::127.0.0.1]:PORT",
    "[2002:7f00:1::]:PORT",
    "[2001:0:1:1::80ff:fffe]:PORT",
    "[fe80::1]:PORT",
    "[fd00:ec2::254]",
    "169.254.169.254",
    "2852039166",
    "[::ffff:169.254.169.254]",
    "100.100.100.200",
    "168.63.129.16",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    // what looks like a public name to a careless pattern
    "user:pass@127.0.0.1:PORT",
    "api.example.com@127.0.0.1:PORT",
    "127.0.0.1:PORT/#.example.com",
    "127.0.0.1:PORT/?.example.com",
    "127.0.0.1:PORT\\.example.com",
    "127.0.0.1:PORT/..;/",
];

async fn listening() -> Peer {
    vendor(json!({"items": [{"id": "1"}]})).await
}

#[tokio::test]
async fn no_field_of_an_account_leads_inside() {
    let peer = listening().await;
    let port = peer.address.port().to_string();
    let stand = Stand::start("", &[]).await;
    for host in INSIDE.iter().map(|host| host.replace("PORT", &port)) {
        for (kind, context) in [
            ("token", json!({"host": host, "token": CANARY})),
            ("login", json!({"host": "api.example.com", "issuer": host, "token": CANARY})),
            ("login", json!({"host": host, "issuer": host, "token": CANARY})),
        ] {
            let connected = stand.connect("lax", kind, &context).await;
            if connected.status != 200 {
                assert_eq!(connected.status, 400, "{host}: {}", connected.text());
                continue;
            }
            let account = connected.json().unwrap()["id"].as_str().unwrap().to_owned();
            let answer = stand.call(&account, "GET", "users").await;
            // not every system knows its own name with a dot at the end
            let nowhere = host.starts_with("localhost.") && code(&answer) == "vendor_unreachable";
            let refused =
                nowhere || matches!(code(&answer), "address_refused" | "internal" | "invalid_request");
            assert!(refused, "{kind} {host}: {}", answer.text());
            assert!(!answer.text().contains("canary"), "{host}: {}", answer.text());
        }
    }
    assert_eq!(peer.connections(), 0, "nobody was called");
}

#[tokio::test]
async fn no_answer_of_a_vendor_leads_elsewhere() {
    let inside =
        Peer::start_at("127.0.0.2:0", |_, _| Reply::Keep(said(&json!({"items": [{"id": "stolen"}]}))))
            .await
            .unwrap();
    let elsewhere = listening().await;
    let (inside_port, other) = (inside.address.port(), elsewhere.authority());
    let stand = Stand::start("127.0.0.1/32", &[]).await;
    let targets = [
        format!("http://127.0.0.2:{inside_port}/x"),
        format!("http://{other}/x"),
        format!("//{other}/x"),
        format!("\\\\{other}\\x"),
        format!("http:\\\\{other}/x"),
        format!("https://{other}/x"),
        format!("http://VENDOR@{other}/x"),
        format!("http://localhost:{inside_port}/x"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "https://[::1]/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1/".to_owned(),
    ];
    for target in targets {
        let link = target.clone();
        let peer = Peer::start(move |request, _| {
            let link = link.replace("VENDOR", "127.0.0.1");
            Reply::Keep(match request.split(' ').nth(1).unwrap_or_default() {
                path if path.starts_with("/v1/users") => {
                    let next = format!("content-type: application/json\r\nlink: <{link}>; rel=\"next\"\r\n");
                    answer(200, &next, &json!({"items": [{"id": "1"}]}).to_string())
                }
                path if path.starts_with("/v1/groups") => {
                    said(&json!({"items": [{"id": "1"}], "next": link}))
                }
                _ => redirect(302, &link),
            })
        })
        .await;
        let account = stand.mirror(&peer).await;
        let moved = stand.call(&account, "GET", "users/1").await;
        assert!(matches!(moved.status, 400..), "{target}: {}", moved.text());
        for resource in ["users", "groups"] {
            let first = stand.call(&account, "GET", resource).await.json().unwrap();
            let Some(cursor) = first["next_cursor"].as_str() else { continue };
            assert!(!cursor.contains("canary") && !first.to_string().contains("canary"));
            let second = stand.call(&account, "GET", &format!("{resource}?next_cursor={cursor}")).await;
            assert!(matches!(second.status, 400..), "{target}: {}", second.text());
        }
        // every request stayed at the vendor
        assert!(peer.seen().iter().all(|request| request.contains(&format!("host: {}", peer.authority()))));
    }
    assert_eq!((inside.connections(), elsewhere.connections()), (0, 0), "nobody else was called");
}

#[tokio::test]
async fn who_may_change_an_account_cannot_have_its_secrets_sent_elsewhere() {
    let (vendor, thief) = (listening().await, listening().await);
    let stand = Stand::start("127.0.0.1/32", &[]).await;
    let account = stand.mirror(&vendor).await;
    let path = format!("/integrated-account/{account}");
    let patch = async |context: Value| stand.send("PATCH", &path, &json!({"context": context})).await;

    let there = thief.authority();
    for context in [
        json!({"host": there}),
        json!({"host": there, "workspace": "x"}),
        json!({"host": format!("{}@{there}", vendor.authority())}),
        json!({"host": there, "second": "mine"}),
    ] {
        let answer = patch(context.clone()).await;
        assert_eq!((answer.status, code(&answer)), (400, "invalid_request"), "{context}: {}", answer.text());
        assert!(!answer.text().contains("canary"), "{}", answer.text());
    }
    // nor by the query, the body, headers, or words of other gateways
    for extra in [
        format!("remote_query[host]={there}&host={there}&base_url=http://{there}"),
        format!("methodConfig[base_url]=http://{there}&truto_base_url=http://{there}"),
        format!("context[host]={there}&credentials[host]={there}&koine_base_url=http://{there}"),
    ] {
        let answer = stand.call(&account, "GET", &format!("users?{extra}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let overriding = json!({"context": {"workspace": "x"}, "override": {"base_url": format!("http://{there}")},
        "integration_override": {"base_url": format!("http://{there}")}, "hosts": [there]});
    assert_eq!(stand.send("PATCH", &path, &overriding).await.status, 200);
    assert_eq!(stand.call(&account, "GET", "users").await.status, 200);
    assert_eq!(thief.connections(), 0);

    // who knows the secret may move it
    assert_eq!(patch(json!({"host": there, "token": "another-token"})).await.status, 200);
    assert_eq!(
        patch(json!({"host": there, "workspace": "y"})).await.status,
        200,
        "the same place is no move"
    );
    assert_eq!(stand.call(&account, "GET", "users").await.status, 200);
    assert!(thief.seen().iter().all(|request| !request.contains("canary")), "{:?}", thief.seen());
}

/// What must never become part of a host: it would lead, or let the rest lead, to another one.
const HOSTILE: &[&str] = &[
    "evil.example/",
    "evil.example#",
    "evil.example?",
    "evil.example\\",
    "evil.example:80@a",
    "a@evil.example",
    "evil.example/.",
    "a.evil.example",
    "..",
    ".",
    "a..b",
    "%65vil",
    "a%2eb",
    "a b",
    "a\tb",
    "a\nb",
    "a\u{0}b",
    "a;b",
    "{{token}}",
    "",
    "[::1]",
    "１２７.0.0.1",
    "ⓔvil",
    "xn--a/b",
];

/// Where the vendor's own domain is fixed, no customer can leave it; where the customer names the host, nothing but a
/// host can be said.
#[test]
fn fields_that_reach_a_host_hold_nothing_but_their_part_of_it() {
    use koine_connector::{authorize, catalogue::Catalogue};
    let catalogue = Catalogue::embedded().unwrap_or_else(|problems| panic!("{problems}"));
    let mut checked = 0;
    for connector in catalogue.connectors() {
        for kind in connector.credentials.values() {
            for name in authorize::address_fields(connector, kind) {
                let field = &kind.fields[&name];
                let pattern = field.pattern.as_ref().unwrap_or_else(|| panic!("{} {name}", connector.name));
                for hostile in HOSTILE {
                    let is_path = *hostile == "evil.example/." || *hostile == "xn--a/b";
                    let is_host = hostile.contains('.')
                        && url::Host::parse(hostile).is_ok()
                        && pattern.is_match("a.evil.example");
                    let taken = pattern.is_match(hostile) && !is_host && !is_path;
                    assert!(!taken, "{}: `{name}` may be {hostile:?}", connector.name);
                }
                assert!(!field.secret, "{}: `{name}` reaches a host and is called a secret", connector.name);
                checked += 1;
            }
        }
    }
    assert!(checked > 40, "{checked}");
}
