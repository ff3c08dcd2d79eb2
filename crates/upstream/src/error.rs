//! What can go wrong, in texts that hold no credential: no URL and no header value ever gets into one.

use std::error::Error;

use koine_model::Answer;

/// The client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// No root certificates were found, or they cannot be used.
    #[error("TLS could not be set up")]
    Tls(#[from] rustls::Error),
    /// The operator's own certificates are none.
    #[error("the extra certificates cannot be used: {0}")]
    Certificates(String),
    /// The egress proxy's address is none.
    #[error("the egress proxy's address cannot be used")]
    Proxy,
    /// The client refused its settings.
    #[error("the HTTP client could not be built")]
    Client(#[from] reqwest::Error),
}

/// No access token could be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token endpoint answered, but not with a token.
    #[error("the token endpoint answered {status}: {body}")]
    Refused {
        /// HTTP status of its answer; a 2xx is one without a usable `access_token`.
        status: u16,
        /// What it said: cut after a few hundred characters, with the client's secret blotted out.
        body: String,
    },
    /// The token endpoint cannot say now. Trying again helps, after a while.
    #[error("the token endpoint answered {status}: {body}")]
    Busy {
        /// HTTP status of its answer.
        status: u16,
        /// When it may be asked again, in seconds, if it told.
        retry_after: Option<u64>,
        /// As in [`TokenError::Refused`].
        body: String,
    },
    /// The token endpoint does not accept the operator's own app: no account's fault, and no account's to mend.
    #[error("{0}")]
    App(String),
    /// The token endpoint was not reached, or its answer did not come back whole. Trying again may help.
    #[error("no answer from the token endpoint: {0}")]
    Lost(String),
    /// Our own address guard refused to send. Trying again changes nothing.
    #[error("the token endpoint may not be called: {0}")]
    Forbidden(String),
    /// The account's credentials cannot be used as they are. Trying again changes nothing.
    #[error("{0}")]
    Unusable(String),
}

impl TokenError {
    /// Whether the endpoint has made up its mind: the credentials are not good.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused { status: 200..300 | 400..500, .. })
            && !matches!(self, Self::Refused { status: 408 | 425 | 429, .. })
    }
}

/// The resolver found addresses, but none that may be called.
#[derive(Debug, thiserror::Error)]
#[error("host `{host}` has no address that may be called")]
pub(crate) struct NoAllowedAddress {
    /// The name that was looked up.
    pub(crate) host: String,
}

/// What a failure to send means for the request.
pub(crate) fn send_failure(error: reqwest::Error) -> Answer {
    // reqwest puts the whole URL into its texts, and the URL may carry credentials by now.
    let error = error.without_url();
    if let Some(refusal) = causes(&error).find_map(|cause| cause.downcast_ref::<NoAllowedAddress>()) {
        return Answer::Forbidden(refusal.to_string());
    }
    // "Connect" is the name lookup, TCP and TLS: none of them carries a byte of the request.
    if error.is_connect() || error.is_builder() {
        return Answer::NotSent(describe(&error));
    }
    Answer::Lost(describe(&error))
}

/// What a failure to read the answer's body means.
pub(crate) fn body_failure(error: reqwest::Error) -> Answer {
    Answer::Lost(describe(&error.without_url()))
}

/// The error and its causes in one line: the outermost alone says "error sending request" for everything.
fn describe(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in causes(error) {
        let text = cause.to_string();
        // Some wrappers repeat what they wrap.
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| error.source())
}
