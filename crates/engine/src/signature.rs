//! What shows a receiver that a delivery is ours: the signature of the contract, and those of Standard Webhooks.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The contract's: over the body alone.
pub(crate) const CONTRACT: &str = "X-Truto-Signature";
/// Standard Webhooks': the event's id, …
pub(crate) const ID: &str = "Webhook-Id";
/// … the time of the attempt in seconds, so that a receiver can refuse what somebody kept, …
pub(crate) const TIMESTAMP: &str = "Webhook-Timestamp";
/// … and the signature over both and the body.
pub(crate) const STANDARD_WEBHOOKS: &str = "Webhook-Signature";

/// The headers that sign a body.
pub(crate) fn headers(secret: &str, id: &str, timestamp: i64, body: &str) -> Vec<(String, String)> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let contract = hex(hmac::sign(&key, body.as_bytes()).as_ref());
    let standard = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    let pairs = [
        (CONTRACT, format!("format=sha256,v={contract}")),
        (ID, id.to_owned()),
        (TIMESTAMP, timestamp.to_string()),
        (STANDARD_WEBHOOKS, format!("v1,{}", STANDARD.encode(standard.as_ref()))),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How a receiver verifies it in Rust, as the page says.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/webhooks.md")]
struct Documented;

#[cfg(test)]
mod tests {
    use super::headers;

    #[test]
    fn signs_as_the_standard_says() {
        let secret = "plain-secret";
        let signed = headers(secret, "evt_1", 1_614_265_330, r#"{"test": 2432232314}"#);
        // Made with: openssl dgst -sha256 -hmac plain-secret
        assert_eq!(signed[0].1, CONTRACT_SIGNATURE);
        assert_eq!(signed[3].1, STANDARD_SIGNATURE);
        assert_eq!((signed[1].1.as_str(), signed[2].1.as_str()), ("evt_1", "1614265330"));
    }

    const CONTRACT_SIGNATURE: &str =
        "format=sha256,v=3769927aef24228fefebbe97e0781f76c3520d3652291a5e9ad80befe94a9e8c";
    const STANDARD_SIGNATURE: &str = "v1,6O7/w5p82UTQAqI5dsNG0IogKgYCOLKBKYZnIvJQtVc=";
}
