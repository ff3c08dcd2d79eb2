//! Signing keys made when they are needed, so that stand-ins and fixtures keep no private key in a file.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// An RSA key for `RS256`, for one process.
#[derive(Clone)]
pub struct KeyPair {
    private_pem: String,
    public_der: Vec<u8>,
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyPair")
    }
}

impl KeyPair {
    /// A new key of 2048 bits.
    ///
    /// # Panics
    /// When the machine has no randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self::try_generate().expect("making a key needs nothing but randomness")
    }

    fn try_generate() -> Result<Self, Unspecified> {
        let pair = rsa::KeyPair::generate(KeySize::Rsa2048)?;
        let private: Pkcs8V1Der<'_> = pair.as_der()?;
        Ok(Self { private_pem: pem(private.as_ref()), public_der: pair.public_key().as_ref().to_vec() })
    }

    /// The private key, as a customer would be given it.
    #[must_use]
    pub fn private_pem(&self) -> &str {
        &self.private_pem
    }

    /// What a signed token says, and whether this key signed it: `{genuine, header, claims}`; nothing for a text
    /// that is no token.
    #[must_use]
    pub fn opened(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header = decoded(header)?;
        let claims = decoded(claims)?;
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public_der);
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        let genuine = header["alg"] == "RS256" && key.verify(signed.as_bytes(), &signature).is_ok();
        Some(json!({"genuine": genuine, "header": header, "claims": claims}))
    }
}

fn decoded(part: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}

/// In lines of 64 letters, as RFC 7468 wants it.
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem + "-----END PRIVATE KEY-----\n"
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, EncodingKey, Header};

    use super::*;

    fn signed(key: &KeyPair, claims: &Value) -> String {
        let key = EncodingKey::from_rsa_pem(key.private_pem().as_bytes()).unwrap();
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
    }

    #[test]
    fn only_its_own_signature_is_genuine() {
        let (own, other) = (KeyPair::generate(), KeyPair::generate());
        let token = signed(&own, &json!({"iss": "me@example.com"}));
        assert_eq!(own.opened(&token).unwrap()["genuine"], true);
        assert_eq!(own.opened(&token).unwrap()["claims"]["iss"], "me@example.com");
        assert_eq!(other.opened(&token).unwrap()["genuine"], false);
        let (rest, signature) = token.rsplit_once('.').unwrap();
        let head = rest.split('.').next().unwrap();
        let forged = URL_SAFE_NO_PAD.encode(r#"{"iss":"eve@example.com"}"#);
        assert_eq!(own.opened(&format!("{head}.{forged}.{signature}")).unwrap()["genuine"], false);
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        assert_eq!(own.opened(&format!("{none}.{forged}.")).unwrap()["genuine"], false);
        for nonsense in ["", "..", "a.b.c", "no token"] {
            assert_eq!(own.opened(nonsense), None, "{nonsense}");
        }
        assert!(!format!("{own:?}").contains("PRIVATE"));
    }
}
