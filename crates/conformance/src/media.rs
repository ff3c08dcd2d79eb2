//! Media types.

pub(crate) const JSON: &str = "application/json";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const MULTIPART: &str = "multipart/form-data";

/// Without parameters, in lower case.
pub(crate) fn essence(media: &str) -> String {
    media.split(';').next().unwrap_or_default().trim().to_lowercase()
}

pub(crate) fn is_json(media: &str) -> bool {
    media == JSON || media.ends_with("+json") || media == "text/json"
}

pub(crate) fn is_xml(media: &str) -> bool {
    media == "application/xml" || media == "text/xml" || media.ends_with("+xml")
}

pub(crate) fn is_form(media: &str) -> bool {
    media == FORM || media == MULTIPART
}

/// Whether a type of the specification, `*/*` and `text/*` included, is the type that was sent.
pub(crate) fn covers(described: &str, sent: &str) -> bool {
    match described.strip_suffix('*') {
        Some("*/") => true,
        Some(start) => sent.starts_with(start),
        None => described == sent,
    }
}
