//! Base64, hashes, signatures, identifiers.

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD, URL_SAFE_NO_PAD};
use jsonata_core::value::JValue;

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

/// `$digest(text, algorithm = "SHA-256", format = "hex")`.
fn hash(args: &[JValue]) -> Outcome {
    let algorithm = match arg(args, 1).as_str().unwrap_or("SHA-256") {
        "SHA-1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "SHA-256" => &digest::SHA256,
        "SHA-384" => &digest::SHA384,
        "SHA-512" => &digest::SHA512,
        _ => return fail("$digest knows SHA-1, SHA-256, SHA-384 and SHA-512"),
    };
    formatted(digest::digest(algorithm, input(arg(args, 0)).as_bytes()).as_ref(), arg(args, 2))
}

/// `$sign(text, algorithm = "SHA-256", secret, format = "hex")`: an HMAC.
fn sign(args: &[JValue]) -> Outcome {
    let name = input(arg(args, 1)).to_uppercase();
    let algorithm = match name.as_str() {
        "SHA-1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "" | "SHA-256" => hmac::HMAC_SHA256,
        "SHA-384" => hmac::HMAC_SHA384,
        "SHA-512" => hmac::HMAC_SHA512,
        _ => return fail("$sign knows SHA-1, SHA-256, SHA-384 and SHA-512"),
    };
    let secret = input(arg(args, 2));
    if secret.is_empty() {
        return fail("$sign needs a secret");
    }
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), input(arg(args, 0)).as_bytes());
    formatted(tag.as_ref(), arg(args, 3))
}
