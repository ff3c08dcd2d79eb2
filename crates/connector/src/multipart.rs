//! `multipart/form-data` of texts.

use aws_lc_rs::digest;
use koine_model::Body;

/// The parts as one body. The boundary comes from the content, so that equal bodies are equal.
pub(crate) fn written(parts: &[(String, String)]) -> Body {
    let mut boundary = String::from("koine");
    let all: String = parts.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    for byte in digest::digest(&digest::SHA256, all.as_bytes()).as_ref() {
        boundary.push_str(&format!("{byte:02x}"));
    }
    let mut text = String::new();
    for (name, value) in parts {
        // The three characters that RFC 7578 and browsers escape in a name.
        let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        text.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    text.push_str(&format!("--{boundary}--\r\n"));
    Body::Raw { content_type: format!("multipart/form-data; boundary={boundary}"), text }
}

#[cfg(test)]
mod tests {
    use koine_model::Body;

    use super::written;

    #[test]
    fn parts_cannot_break_out() {
        let parts = [("a\"\r\nx".to_owned(), "1".to_owned()), ("b".to_owned(), "--koine\r\nc".to_owned())];
        let Body::Raw { content_type, text } = written(&parts) else { panic!("a raw body") };
        let boundary = content_type.split("boundary=").nth(1).unwrap();
        assert_eq!(text.matches(&format!("--{boundary}")).count(), 3);
        assert!(text.contains("name=\"a%22%0D%0Ax\""));
    }
}
