//! Sends one request once, and reads its answer within bounds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use koine_model::{Answer, Credentials, Request, Response, Secret, Verb};
use reqwest::header::LOCATION;
use reqwest::{Client, Proxy, redirect};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;
use url::Url;

use crate::Settings;
use crate::error::{TokenError, UpstreamError, body_failure, send_failure};
use crate::guard::{CheckedResolver, Guard, Hosts, Reach, authority};
use crate::outgoing::Outgoing;
use crate::token::{Login, Token, Tokens};

/// Shorter than the idle time after which common servers close (60 s and more): fewer reads meet a connection
/// that is being closed.
const IDLE: Duration = Duration::from_secs(20);

/// The outgoing HTTP of the whole process: cheap to clone, and every clone shares connections and tokens.
#[derive(Clone)]
pub struct Upstream(Arc<Inner>);

struct Inner {
    settings: Settings,
    guard: Arc<Guard>,
    ways: Ways,
    tokens: Tokens,
}

/// Clients of one way out.
struct Clients {
    read: Client,
    write: Client,
}

/// A way out: with which scheme, and to which addresses.
enum Way<'a> {
    /// Straight to addresses of this reach.
    Direct { secure: bool, reach: Reach },
    /// Through the operator's proxy, which looks names up itself.
    Proxied(&'a Proxy),
}

impl Clients {
    fn new(
        settings: &Settings,
        guard: &Arc<Guard>,
        tls: &ClientConfig,
        way: &Way<'_>,
    ) -> Result<Self, UpstreamError> {
        let build = |idle_connections: usize| {
            let builder = Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(redirect::Policy::none())
                .referer(false)
                // Not even after a "not processed" of HTTP/2: the plan counts and journals what is sent.
                .retry(reqwest::retry::never())
                .connect_timeout(settings.connect_timeout)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(idle_connections);
            match way {
                // A proxy of the environment would resolve names itself, past our resolver.
                Way::Direct { secure, reach } => {
                    builder.no_proxy().https_only(*secure).dns_resolver(CheckedResolver {
                        guard: Arc::clone(guard),
                        reach: *reach,
                        lookup: Arc::clone(&settings.lookup),
                    })
                }
                // The proxy is where the operator says, within his network or not.
                Way::Proxied(proxy) => builder.https_only(true).proxy((*proxy).clone()),
            }
            .build()
        };
        // Writes get a connection of their own. On a kept-alive one that the server closes at that moment, the
        // removal would be "lost" and have to be settled by reading, and hyper may on its own move a request that
        // it had not started to write to another connection. A handshake per write is the cheaper price. For reads
        // both are harmless: hyper moves only what it never started to write, and the plan repeats a lost read.
        Ok(Self { read: build(usize::MAX)?, write: build(0)? })
    }
}

/// Everything that calls may leave by.
struct Ways {
    /// With TLS: to all that may be called, or, where there is a proxy, to the operator's own ranges only.
    secure: Clients,
    /// Without: to the operator's own ranges.
    plain: Clients,
    /// With TLS, through the proxy, to all else.
    proxied: Option<Clients>,
}

impl Ways {
    fn new(settings: &Settings, guard: &Arc<Guard>) -> Result<Self, UpstreamError> {
        let tls = tls(&settings.extra_ca)?;
        let clients = |way: &Way<'_>| Clients::new(settings, guard, &tls, way);
        let direct = |secure, reach| clients(&Way::Direct { secure, reach });
        let proxy = settings.proxy.as_ref().map(|url| Proxy::https(url.expose())).transpose();
        // The cause would repeat the address, and with it the password.
        let proxy = proxy.map_err(|_| UpstreamError::Proxy)?;
        let reach = if proxy.is_some() { Reach::AllowedRanges } else { Reach::Everywhere };
        Ok(Self {
            secure: direct(true, reach)?,
            plain: direct(false, Reach::AllowedRanges)?,
            proxied: proxy.map(|proxy| clients(&Way::Proxied(&proxy))).transpose()?,
        })
    }
}

/// The one setup of TLS for all clients: the system's root certificates are read once, which takes longer than
/// everything else here together, and a session that one client began another resumes.
fn tls(extra_ca: &[u8]) -> Result<ClientConfig, UpstreamError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(certificates(extra_ca)?, Arc::clone(&provider))?;
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous() // so called for what else could be put there; this one is the platform's own
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// The certificates of a PEM bundle; an empty text is none, and one that holds none is a mistake.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, UpstreamError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if all.is_empty() && !pem.is_empty() => {
            Err(UpstreamError::Certificates("there is none in PEM form".to_owned()))
        }
        Ok(all) => Ok(all),
        Err(error) => Err(UpstreamError::Certificates(error.to_string())),
    }
}

impl Upstream {
    /// Builds the clients. Nothing is sent.
    ///
    /// # Errors
    /// When TLS cannot be set up, for example without any root certificates, or the proxy's address is none.
    pub fn new(settings: Settings) -> Result<Self, UpstreamError> {
        let guard = Arc::new(Guard::new(settings.allow.clone()));
        Ok(Self(Arc::new(Inner {
            ways: Ways::new(&settings, &guard)?,
            tokens: Tokens::default(),
            settings,
            guard,
        })))
    }

    /// How long [`Self::send`] takes at most.
    #[must_use]
    pub fn longest_exchange(&self) -> Duration {
        self.0.settings.total_timeout
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
        // Host only: paths hold people's identifiers, and queries may hold secrets.
        tracing::debug!(
            verb = request.verb.as_str(),
            host = &*authority(&request.url).unwrap_or_default(),
            elapsed_ms = started.elapsed().as_millis(),
            what = came_of(&answer),
            "upstream exchange"
        );
        answer
    }

    /// Why a request to this address would be refused, as far as that is known before its name is looked up.
    #[must_use]
    pub fn refuses(&self, url: &Url, hosts: &Hosts) -> Option<String> {
        self.0.guard.check(url, hosts).err()
    }

    /// An access token: fetched once however many callers wait for it, kept under `key`, and fetched anew before
    /// it expires. Use another key when the login changes.
    ///
    /// # Errors
    /// When the token endpoint refuses, does not answer, or may not be called.
    pub async fn token(&self, key: &str, login: &dyn Login, hosts: &Hosts) -> Result<Token, TokenError> {
        self.0.tokens.get(key, login.patience(), || login.fetch(self, hosts)).await
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
        let Inner { guard, ways, settings, .. } = &*self.0;
        let reach = guard.check(outgoing.url(), hosts).map_err(Answer::Forbidden)?;
        let clients = match (reach, &ways.proxied) {
            (Reach::AllowedRanges, _) => &ways.plain,
            (Reach::Everywhere, None) => &ways.secure,
            (Reach::Everywhere, Some(proxied)) => {
                let inside =
                    guard.is_inside(outgoing.url(), &*settings.lookup).await.map_err(Answer::Forbidden)?;
                if inside { &ways.secure } else { proxied }
            }
        };
        let client = if verb == Verb::Get { &clients.read } else { &clients.write };
        client.execute(outgoing.request()?).await.map_err(send_failure)
    }

    /// Reads an answer to its end.
    async fn read(&self, mut response: reqwest::Response) -> Result<Response, Answer> {
        let limit = self.0.settings.max_body;
        let too_large = || Answer::Lost(format!("answer larger than {limit} bytes"));
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let cut = self.0.settings.cut_large_bodies;
        let announced = response.content_length();
        if !cut && announced.is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(body_failure)? {
            if chunk.len() > limit - body.len() {
                if !cut {
                    return Err(too_large());
                }
                body.extend_from_slice(&chunk[..limit - body.len()]);
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, headers, body: body.into() })
    }
}

/// An answer in a word, for the log.
fn came_of(answer: &Answer) -> String {
    match answer {
        Answer::Received(response) => response.status.to_string(),
        Answer::Lost(why) => format!("lost: {why}"),
        Answer::NotSent(why) => format!("not sent: {why}"),
        Answer::Forbidden(why) => format!("forbidden: {why}"),
    }
}

/// Where a redirect leads; `None` for any other answer, and for a redirect without a usable target.
fn target(from: &Url, response: &reqwest::Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    from.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()
}
