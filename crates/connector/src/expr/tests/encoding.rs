//! Hashes and signatures.

use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Expr, eval, fails};
use crate::keypair::KeyPair;

#[test]
fn hashes_have_their_published_values() {
    for (arguments, wanted) in [
        ("'42', 'MD5'", "a1d0c6e83f027327d8461063f4ac58a6"),
        ("'ada@example.com', 'md5'", "3e3417d7ef77d5932a6734b916515ed5"),
        ("'ada@example.com', 'MD5', 'base64'", "PjQX1+931ZMqZzS5FlFe1Q=="),
        ("nope, 'MD5'", "d41d8cd98f00b204e9800998ecf8427e"),
        ("'abc', 'SHA-1'", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ] {
        assert_eq!(eval(&format!("$digest({arguments})"), &Value::Null), Some(json!(wanted)), "{arguments}");
    }
    assert_eq!(eval("$digest('a', 'MD5', 'other')", &Value::Null), None);
    for source in
        ["$digest('a', 'Md5')", "$digest('a', 'sha256')", "$sign('a', 'MD5', 'k')", "$sign('a', '', '')"]
    {
        assert!(fails(source), "{source}");
    }
}

#[test]
fn an_rsa_signature_is_the_keys_own() {
    let key = KeyPair::generate();
    let pem = key.private_pem().trim();
    let input = json!({"pem": pem, "folded": pem.replace('\n', "\\n")});
    let signature = eval("$sign('text', 'RS256', pem, 'base64')", &input).unwrap();
    assert_eq!(eval("$sign('text', 'rs256', folded, 'base64')", &input), Some(signature.clone()));
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pair = aws_lc_rs::rsa::KeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    let bytes = STANDARD.decode(signature.as_str().unwrap()).unwrap();
    assert!(public.verify(b"text", &bytes).is_ok());
    assert!(public.verify(b"other", &bytes).is_err());
}

#[test]
fn what_is_no_key_is_an_error_that_does_not_show_it() {
    let sign = Expr::compile("$sign('text', 'RS256', pem)", &[]).unwrap();
    for pem in [
        "hunter2",
        "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\naHVudGVyMg==\n-----END RSA PRIVATE KEY-----",
    ] {
        let error = sign.eval(&json!({"pem": pem})).unwrap_err();
        assert!(error.message.contains("PKCS#8") && !error.message.contains("hunter2"), "{error}");
    }
}
