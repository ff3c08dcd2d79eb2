//! A certificate authority of a test's own, and servers whose certificates it signs.

use std::io::Result;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::wire::Head;

/// An authority that nobody knows but who is given its certificate.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

impl Authority {
    /// A new one.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each is another one: a default would hide that")]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key pair can be made");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate can be signed"))
    }

    /// Its certificate.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// What a server of these names needs; addresses are names too.
    #[must_use]
    pub fn acceptor(&self, names: &[&str]) -> TlsAcceptor {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().expect("a key pair can be made");
        let params = CertificateParams::new(names).expect("the names can stand in a certificate");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate can be signed");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider knows the default protocols")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("the key belongs to the certificate");
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A server behind TLS that answers 200 and `{}` to everything, and remembers what it was asked. It stops when dropped.
#[derive(Debug)]
pub struct TlsServer {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl TlsServer {
    /// Starts on a free loopback port, with a certificate for these names.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(authority: &Authority, names: &[&str]) -> Result<Self> {
        let acceptor = authority.acceptor(names);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let shared = Arc::clone(&seen);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, seen) = (acceptor.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    // a handshake that fails is the client's to notice
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ended = answer(stream, &seen).await;
                    }
                });
            }
        });
        Ok(Self { address, seen, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first lines of the requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, seen: &Mutex<Vec<String>>) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let Some(request) = Head::read(&mut stream).await? else { return Ok(()) };
    request.request_body(&mut stream).await?;
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(request.first_line);
    let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    Head { first_line: "HTTP/1.1 200 OK".to_owned(), headers }.write(Some(b"{}"), &mut stream).await
}
