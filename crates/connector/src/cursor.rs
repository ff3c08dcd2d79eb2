//! Cursors are opaque and carry a MAC: an edited one, or one of another account, list or gateway, is refused.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use koine_model::{Error, Secret};
use serde_json::json;

const TAG_LEN: usize = 32;

/// Wraps a vendor's cursor. `scope` is what it belongs to: account, model and resource.
#[must_use]
pub fn seal(key: &Secret, scope: &str, vendor: &str) -> String {
    let payload = json!([scope, vendor]).to_string();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.expose().as_bytes()), payload.as_bytes());
    let bytes: Vec<u8> = tag.as_ref().iter().copied().chain(payload.bytes()).collect();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The vendor's cursor inside.
///
/// # Errors
/// A cursor that was edited, or is of another scope or gateway.
pub fn open(key: &Secret, scope: &str, cursor: &str) -> Result<String, Error> {
    let refuse = || Error::invalid("`next_cursor` is not one of this list; start again without it");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refuse())?;
    let (tag, payload) = bytes.split_at_checked(TAG_LEN).ok_or_else(refuse)?;
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key.expose().as_bytes()), payload, tag)
        .map_err(|_| refuse())?;
    let (own, vendor): (String, String) = serde_json::from_slice(payload).map_err(|_| refuse())?;
    if own == scope { Ok(vendor) } else { Err(refuse()) }
}

#[cfg(test)]
mod tests {
    use super::{open, seal};
    use koine_model::Secret;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_edited_cursor_is_refused(vendor in ".{0,40}", at in 0usize..60, with in "[A-Za-z0-9_-]") {
            let key = Secret::new("k");
            let sealed = seal(&key, "a/users", &vendor);
            prop_assert_eq!(open(&key, "a/users", &sealed).unwrap(), vendor.clone());
            prop_assert!(open(&key, "b/users", &sealed).is_err());
            prop_assert!(open(&Secret::new("other"), "a/users", &sealed).is_err());
            let mut edited = sealed.clone();
            let at = at % edited.len();
            edited.replace_range(at..=at, &with);
            if edited != sealed {
                prop_assert!(open(&key, "a/users", &edited).is_err());
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in ".{0,80}") {
            let _ = open(&Secret::new("k"), "a", &text);
        }
    }
}
