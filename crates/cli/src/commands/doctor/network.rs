//! The way to vendors and the way that customers come, tried out only where asked for.

use std::time::{SystemTime, UNIX_EPOCH};

use koine_connector::Connector;
use koine_connector::authorize::host_of;
use koine_model::{Answer, Credentials, Request, Response, Verb};
use koine_settings::Settings;
use koine_store::Account;
use koine_upstream::{Hosts, Upstream};
use url::Url;

use super::finding::Findings;
use crate::failure::Failure;
use crate::open;

/// Vendors refuse signed assertions from further away; their `Date` is exact to a second or two.
const SKEW_SECONDS: i64 = 30;

/// Where an account's calls go, if its credentials say so whole.
pub(super) fn host(connector: &Connector, account: &Account) -> Option<String> {
    let base = koine_connector::plan::base_url(connector, &account.context, None).ok()?;
    Some(host_of(&base))
}

/// What is known about it without calling it.
pub(super) fn public_url(findings: &mut Findings, settings: &Settings) {
    match &settings.public_url {
        None => findings.warning(
            "public_url",
            "it is not set: nobody can connect an account by OAuth or on the hosted page",
            "set KOINE_PUBLIC_URL to the address that browsers reach the gateway by",
        ),
        Some(url) if url.url().scheme() != "https" => findings.warning(
            "public_url",
            format!("{} is not https: credentials and tokens cross the network readably", url.url()),
            "put a reverse proxy with TLS in front; docs/running.md has one",
        ),
        Some(url) => findings.ok("public_url", url.url().to_string()),
    }
}

/// Calls each host once, and our own public address.
pub(super) async fn check(
    findings: &mut Findings,
    settings: &Settings,
    hosts: &[String],
) -> Result<(), Failure> {
    let upstream = open::upstream(settings)?;
    if hosts.is_empty() {
        findings.ok("network", "no connected account has a host of its own to try; name one: --network HOST");
    }
    for host in hosts {
        match Url::parse(&format!("https://{host}/")) {
            Ok(url) => outgoing(findings, &upstream, &url).await,
            Err(error) => {
                findings.error("network", format!("`{host}`: {error}"), "name a host, or host:port");
            }
        }
    }
    if let Some(public) = &settings.public_url {
        incoming(findings, &upstream, public.url()).await;
    }
    Ok(())
}

async fn outgoing(findings: &mut Findings, upstream: &Upstream, url: &Url) {
    let host = host_of(url);
    match get(upstream, url).await {
        // Any answer will do: that there is one proves the name, the way and the certificate.
        Answer::Received(response) => {
            findings.ok("network", format!("{host} answers ({})", response.status));
            clock(findings, &host, &response);
        }
        Answer::Forbidden(why) => findings.error(
            "network",
            format!("{host}: {why}"),
            "if this vendor is inside your network, allow its range in KOINE_ALLOW_ADDRESSES",
        ),
        Answer::NotSent(why) | Answer::Lost(why) => findings.error(
            "network",
            format!("{host}: {why}"),
            "check DNS and firewall; KOINE_EGRESS_PROXY names a proxy, KOINE_EXTRA_CA_FILE a private authority",
        ),
    }
}

/// Our public address as this machine sees it, which need not be as others do.
async fn incoming(findings: &mut Findings, upstream: &Upstream, public: &Url) {
    let Ok(url) = public.join("ping") else { return };
    let advice = "try it from outside; if it fails there too, check DNS, certificate and reverse proxy";
    match get(upstream, &url).await {
        Answer::Received(response) if response.status == 200 => {
            findings.ok("public_url", format!("{url} answers"));
        }
        Answer::Received(response) => {
            findings.warning("public_url", format!("{url} answers {}", response.status), advice);
        }
        Answer::Forbidden(why) | Answer::NotSent(why) | Answer::Lost(why) => {
            findings.warning("public_url", format!("from here {url} cannot be reached: {why}"), advice);
        }
    }
}

async fn get(upstream: &Upstream, url: &Url) -> Answer {
    let request = Request { verb: Verb::Get, url: url.clone(), headers: Vec::new(), body: None };
    upstream.send(&request, &Credentials::default(), &Hosts::new([host_of(url)])).await
}

fn clock(findings: &mut Findings, host: &str, response: &Response) {
    let told = response.header("date").and_then(|date| httpdate::parse_http_date(date).ok());
    let Some(theirs) = told.and_then(seconds) else { return };
    let skew = theirs - seconds(SystemTime::now()).unwrap_or_default();
    if skew.abs() > SKEW_SECONDS {
        findings.error(
            "clock",
            format!("{host} is {skew} seconds off our clock"),
            "run NTP here: vendors refuse signed log-ins from another time",
        );
    } else {
        findings.ok("clock", format!("{host} agrees with ours"));
    }
}

fn seconds(time: SystemTime) -> Option<i64> {
    time.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok())
}
