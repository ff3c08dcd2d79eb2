//! Sends one request once, and reads its answer within bounds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use koine_model::{Answer, Credentials, Request, Response, Secret, Verb};
use reqwest::header::LOCATION;
use reqwest::{Client, redirect};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;
use url::Url;

use crate::Settings;
use crate::error::{TokenError, UpstreamError, body_failure, send_failure};
use crate::guard::{CheckedResolver, Guard, Hosts, Reach, authority};
use crate::outgoing::Outgoing;
use crate::token::{self, Login, Token, Tokens};

/// Shorter than the idle time after which common servers close (60 s and more): fewer reads meet a connection
/// that is being closed.
const IDLE: Duration = Duration::from_secs(20);

/// The outgoing HTTP of the whole process: cheap to clone, and every clone shares connections and tokens.
#[derive(Clone)]
pub struct Upstream(Arc<Inner>);

struct Inner {
    settings: Settings,
    guard: Arc<Guard>,
    secure: Clients,
    plain: Clients,
    tokens: Tokens,
}

/// Clients of one reach.
struct Clients {
    read: Client,
    write: Client,
}

impl Clients {
    fn new(
        settings: &Settings,
        guard: &Arc<Guard>,
        tls: &ClientConfig,
        reach: Reach,
    ) -> Result<Self, UpstreamError> {
        let build = |idle_connections: usize| {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                // A proxy would resolve names itself, past our resolver.
                .no_proxy()
                .redirect(redirect::Policy::none())
                .referer(false)
                // Not even after a "not processed" of HTTP/2: the plan counts and journals what is sent.
                .retry(reqwest::retry::never())
                .https_only(reach == Reach::Everywhere)
                .connect_timeout(settings.connect_timeout)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(idle_connections)
                .dns_resolver(CheckedResolver {
                    guard: Arc::clone(guard),
                    reach,
                    lookup: Arc::clone(&settings.lookup),
                })
                .build()
        };
        // Writes get a connection of their own. On a kept-alive one that the server closes at that moment, the
        // removal would be "lost" and have to be settled by reading, and hyper may on its own move a request that
        // it had not started to write to another connection. A handshake per write is the cheaper price. For reads
        // both are harmless: hyper moves only what it never started to write, and the plan repeats a lost read.
        Ok(Self { read: build(usize::MAX)?, write: build(0)? })
    }
}

/// The one setup of TLS for all clients: the system's root certificates are read once, which takes longer than
/// everything else here together, and a session that one client began another resumes.
fn tls() -> Result<ClientConfig, UpstreamError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

impl Upstream {
    /// Builds the clients. Nothing is sent.
    ///
    /// # Errors
    /// When TLS cannot be set up, for example without any root certificates.
    pub fn new(settings: Settings) -> Result<Self, UpstreamError> {
        let guard = Arc::new(Guard::new(settings.allow.clone()));
        let tls = tls()?;
        Ok(Self(Arc::new(Inner {
            secure: Clients::new(&settings, &guard, &tls, Reach::Everywhere)?,
            plain: Clients::new(&settings, &guard, &tls, Reach::AllowedRanges)?,
            tokens: Tokens::default(),
            settings,
            guard,
        })))
    }

    /// Sends one request once, to one of `hosts`; a read follows redirects among them. Never retries.
    pub async fn send(&self, request: &Request, credentials: &Credentials, hosts: &Hosts) -> Answer {
        let started = Instant::now();
        let limit = self.0.settings.total_timeout;
        let answer = match tokio::time::timeout(limit, self.exchange(request, credentials, hosts)).await {
            Ok(Ok(response)) => Answer::Received(response),
            Ok(Err(instead)) => instead,
            Err(_) => Answer::Lost(format!("no whole answer within {limit:?}")),
        };
        let what = match &answer {
            Answer::Received(response) => response.status.to_string(),
            Answer::Lost(why) => format!("lost: {why}"),
            Answer::NotSent(why) => format!("not sent: {why}"),
            Answer::Forbidden(why) => format!("forbidden: {why}"),
        };
        // Host only: paths hold people's identifiers, and queries may hold secrets.
        tracing::debug!(
            verb = request.verb.as_str(),
            host = authority(&request.url).unwrap_or_default(),
            elapsed_ms = started.elapsed().as_millis(),
            what,
            "upstream exchange"
        );
        answer
    }

    /// An access token: fetched once however many callers wait for it, kept under `key`, and fetched anew before
    /// it expires. Use another key when the login changes.
    ///
    /// # Errors
    /// When the token endpoint refuses, does not answer, or may not be called.
    pub async fn token(&self, key: &str, login: &dyn Login, hosts: &Hosts) -> Result<Token, TokenError> {
        self.0.tokens.get(key, || token::fetch(login, self, hosts)).await
    }

    /// Drops a token that a vendor refused, if it is still the kept one: a newer one may be fine.
    pub fn forget_token(&self, key: &str, token: &Secret) {
        self.0.tokens.forget(key, token);
    }

    /// The request and the redirects it leads to; the error is the answer to give instead.
    async fn exchange(
        &self,
        request: &Request,
        credentials: &Credentials,
        hosts: &Hosts,
    ) -> Result<Response, Answer> {
        let mut outgoing = Outgoing::new(request, credentials)?;
        let mut followed = 0;
        loop {
            let response = self.hop(&outgoing, request.verb, hosts).await?;
            // Following a write would be a second write, or turn it into a read: the plan shall see the 3xx.
            let target = if request.verb == Verb::Get { target(outgoing.url(), &response) } else { None };
            let Some(target) = target else {
                return self.read(response).await;
            };
            if followed == self.0.settings.max_redirects {
                return Err(Answer::Forbidden(format!("more than {followed} redirects")));
            }
            followed += 1;
            outgoing.redirect(target)?;
        }
    }

    /// One request on the wire, up to the head of its answer.
    async fn hop(
        &self,
        outgoing: &Outgoing<'_>,
        verb: Verb,
        hosts: &Hosts,
    ) -> Result<reqwest::Response, Answer> {
        let clients = match self.0.guard.check(outgoing.url(), hosts).map_err(Answer::Forbidden)? {
            Reach::Everywhere => &self.0.secure,
            Reach::AllowedRanges => &self.0.plain,
        };
        let client = if verb == Verb::Get { &clients.read } else { &clients.write };
        outgoing.builder(client).send().await.map_err(send_failure)
    }

    /// Reads an answer to its end.
    async fn read(&self, mut response: reqwest::Response) -> Result<Response, Answer> {
        let limit = self.0.settings.max_body;
        let too_large = || Answer::Lost(format!("answer larger than {limit} bytes"));
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let announced = response.content_length();
        if announced.is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(body_failure)? {
            if chunk.len() > limit - body.len() {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, headers, body: body.into() })
    }
}

/// Where a redirect leads; `None` for any other answer, and for a redirect without a usable target.
fn target(from: &Url, response: &reqwest::Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    from.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()
}
