//! Base64, hashes, signatures, identifiers.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use aws_lc_rs::{digest, hmac, rsa};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD, URL_SAFE_NO_PAD};
use jsonata_core::evaluator::EvaluatorError;
use jsonata_core::value::JValue;
use md5::{Digest as _, Md5};

use super::values::{is_present, to_text, truthy};
use super::{Entry, Outcome, arg, fail, text};

pub(super) const TABLE: &[Entry] = &[
    ("koine_base64encode", encode),
    ("koine_base64decode", decode),
    ("digest", hash),
    ("sign", sign),
    ("uuid", |_| text(uuid::Uuid::new_v4().to_string())),
];

/// Padding is cut off before decoding, and the last bits are nobody's concern.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));

fn input(value: &JValue) -> String {
    if is_present(value) { to_text(value) } else { String::new() }
}

fn encode(args: &[JValue]) -> Outcome {
    let plain = input(arg(args, 0));
    text(if truthy(arg(args, 1)) { URL_SAFE_NO_PAD.encode(plain) } else { STANDARD.encode(plain) })
}

/// Takes both alphabets, with or without padding, and skips what is in neither.
fn decode(args: &[JValue]) -> Outcome {
    if !is_present(arg(args, 0)) {
        return fail("$base64decode needs a text");
    }
    let mut clean: Vec<u8> = to_text(arg(args, 0))
        .bytes()
        .take_while(|byte| *byte != b'=')
        .filter_map(|byte| match byte {
            b'-' => Some(b'+'),
            b'_' => Some(b'/'),
            b'+' | b'/' => Some(byte),
            _ => byte.is_ascii_alphanumeric().then_some(byte),
        })
        .collect();
    if clean.len() % 4 == 1 {
        // Six bits make no byte.
        clean.pop();
    }
    match LENIENT.decode(clean) {
        Ok(bytes) => text(String::from_utf8_lossy(&bytes).into_owned()),
        Err(_) => fail("$base64decode: this is not base64"),
    }
}

fn formatted(bytes: &[u8], format: &JValue) -> Outcome {
    match format.as_str() {
        None | Some("hex") => text(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        Some("base64") => text(STANDARD.encode(bytes)),
        Some("base64-urlSafe") => text(URL_SAFE_NO_PAD.encode(bytes)),
        Some(_) => Ok(JValue::Undefined),
    }
}

/// `$digest(text, algorithm = "SHA-256", format = "hex")`. MD5 is no protection of anything: it is here because the
/// addresses of Gravatar pictures and a few older APIs are made with it.
fn hash(args: &[JValue]) -> Outcome {
    let algorithm = match arg(args, 1).as_str().unwrap_or("SHA-256") {
        "MD5" | "md5" => return formatted(&Md5::digest(input(arg(args, 0))), arg(args, 2)),
        "SHA-1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "SHA-256" => &digest::SHA256,
        "SHA-384" => &digest::SHA384,
        "SHA-512" => &digest::SHA512,
        _ => return fail("$digest knows MD5, SHA-1, SHA-256, SHA-384 and SHA-512"),
    };
    formatted(digest::digest(algorithm, input(arg(args, 0)).as_bytes()).as_ref(), arg(args, 2))
}

/// `$sign(text, algorithm = "SHA-256", secret, format = "hex")`: an HMAC, or with `RS256` an RSA signature.
fn sign(args: &[JValue]) -> Outcome {
    let name = input(arg(args, 1)).to_uppercase();
    let (plain, secret) = (input(arg(args, 0)), input(arg(args, 2)));
    if secret.is_empty() {
        return fail("$sign needs a secret");
    }
    let algorithm = match name.as_str() {
        "RS256" => return formatted(&rsa_signature(&plain, &secret)?, arg(args, 3)),
        "SHA-1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "" | "SHA-256" => hmac::HMAC_SHA256,
        "SHA-384" => hmac::HMAC_SHA384,
        "SHA-512" => hmac::HMAC_SHA512,
        _ => return fail("$sign knows SHA-1, SHA-256, SHA-384, SHA-512 and RS256"),
    };
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), plain.as_bytes());
    formatted(tag.as_ref(), arg(args, 3))
}

/// RSASSA-PKCS1-v1_5 with SHA-256: the same key and text give the same signature.
fn rsa_signature(plain: &str, pem: &str) -> Result<Vec<u8>, EvaluatorError> {
    let key = private_key(pem).and_then(|der| rsa::KeyPair::from_pkcs8(&der).ok());
    let Some(key) = key else { return fail("$sign with RS256 needs an unencrypted RSA key, PKCS#8 in PEM") };
    let mut signature = vec![0; key.public_modulus_len()];
    match key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), plain.as_bytes(), &mut signature) {
        Ok(()) => Ok(signature),
        Err(_) => fail("$sign could not use this key"),
    }
}

/// The bytes of a key. Line ends may be written as `\n`, as they are when the key comes out of a JSON file.
fn private_key(pem: &str) -> Option<Vec<u8>> {
    let pem = pem.replace("\\n", "\n");
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    let body: String = body.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    STANDARD.decode(body).ok()
}
