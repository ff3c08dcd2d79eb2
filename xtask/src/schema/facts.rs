//! `facts.yaml`.

use serde_json::Value;

use super::{document, list, map, object, one_of, requiring, text};

/// Where each fact about a vendor comes from.
pub(crate) fn facts() -> Value {
    let words = ["official-spec", "vendor-docs", "sdk-source", "third-party-source", "recalled"];
    let root = object(
        "facts.yaml",
        &[
            ("sources", list(&text()), "What was read."),
            ("confidence", map(&one_of(&words)), "Every request, and other facts in own words."),
            ("notes", list(&text()), "What people should know."),
            ("requires", requirements(), "What the vendor wants of the customer."),
            ("matrix", map(&claim()), "model.resource.method -> what fixtures prove."),
            ("unsupported", list(&unsupported()), "What the vendor cannot deliver."),
            ("servers", list(&text()), "Servers written by others that its tests run against."),
            ("specification", list(&specification()), "The vendor's specifications, to verify against."),
        ],
    );
    document("facts.yaml", root)
}

fn claim() -> Value {
    object(
        "a claim",
        &[
            ("query", list(&text()), "Query parameters."),
            ("body", list(&text()), "Body fields."),
            ("response", list(&text()), "Fields of the record."),
        ],
    )
}

fn requirements() -> Value {
    object(
        "`requires`",
        &[
            ("plans", list(&text()), "The vendor's plans that have the API; one of them."),
            ("roles", list(&text()), "The roles that the credential's owner may have; one of them."),
            ("scopes", list(&text()), "Scopes of the credential; all of them."),
        ],
    )
}

fn unsupported() -> Value {
    let thing = object("an unsupported thing", &[("what", text(), ""), ("why", text(), "")]);
    requiring(thing, &["what", "why"])
}

fn specification() -> Value {
    let file = object(
        "a specification",
        &[
            ("file", text(), "The file's name; `koine connector verify` is told its folder."),
            ("rewrite", map(&text()), "Start of our paths -> start of the specification's."),
            ("tolerated", list(&tolerated()), "Deviations that are the specification's own error."),
        ],
    );
    requiring(file, &["file"])
}

fn tolerated() -> Value {
    let deviation = object(
        "a tolerated deviation",
        &[
            ("operation", text(), "Verb and path as the specification writes them; * is anything."),
            ("at", text(), "Part of the exchange, and JSON pointer within it; * is anything."),
            ("why", text(), "How it is known that the specification errs."),
        ],
    );
    requiring(deviation, &["operation", "at", "why"])
}
