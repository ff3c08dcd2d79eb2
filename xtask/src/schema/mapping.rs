//! `<model>.yaml`.

use serde_json::Value;

use super::{
    Key, boolean, document, either, expression, list, map, nullable, object, one_of, prose, requiring,
    template, text, whole,
};

/// What the vendor's records and methods mean.
pub(crate) fn mapping() -> Value {
    let record = map(&expression());
    let mut resource = map(&row());
    resource["properties"] = serde_json::json!({"record": nullable(&record)});
    document("<model>.yaml", map(&resource))
}

fn row() -> Value {
    let mut keys = sending();
    keys.extend(answering());
    keys.extend(removing());
    object("a method", &keys)
}

/// What a method sends.
fn sending() -> Vec<Key<'static>> {
    vec![
        ("call", choice("calls"), "resource.method of connector.yaml, or one of several."),
        ("resource", choice("resources"), "The resource half of the request's name."),
        ("method", choice("methods"), "The method half."),
        ("id_pattern", text(), "The whole path id must match this."),
        ("query", map(&template()), "Default vendor query."),
        ("query_mapping", expression(), "Computed vendor query."),
        ("body", template(), "Default vendor body."),
        ("request_body_mapping", expression(), "Computed vendor body."),
        ("path_mapping", expression(), "Computed path."),
        ("request_header_mapping", expression(), "Computed headers."),
        ("query_schema", map(&parameter()), "Accepted query parameters."),
        ("request_body_schema", map(&parameter()), "Accepted body fields."),
    ]
}

/// What becomes of the answer.
fn answering() -> Vec<Key<'static>> {
    vec![
        ("select", expression(), "Picks the record or list; nothing means not found."),
        ("record", map(&expression()), "Overrides single fields of the resource's record map."),
        ("response_mapping", expression(), "A whole expression instead of the record map."),
        ("response_mapping_method", one_of(&["item", "array"]), "What response_mapping sees."),
        ("response_header_mapping", expression(), "Headers shown to the caller."),
        ("error_mapping", expression(), "{status?, message?} for a refusal."),
        ("is_partial_expression", expression(), "Whether list items are shallow."),
    ]
}

/// What makes a write safe.
fn removing() -> Vec<Key<'static>> {
    vec![
        ("target", target(), "The read before a write."),
        ("before", list(&step()), "Steps before the call."),
        ("after", list(&step()), "Steps after it."),
        ("guard", list(&guard()), "Checked before anything destructive is sent."),
        ("tombstone", tombstone(), "Whom the vendor remembers when the target is not there."),
        ("removal", removal(), "What success does."),
        ("verify", verify(), "The read that proves it."),
        ("lesser", lesser(), "A refusal that has an effect of its own."),
        ("already_gone", expression(), "When the answer says that there was nothing to remove."),
        ("already_done", expression(), "The same, for what takes nothing away."),
        ("serialize_on", text(), "Calls with equal text run one after another."),
    ]
}

fn choice(list_key: &'static str) -> Value {
    let choice = object(
        "a choice",
        &[
            ("expression", expression(), "Gives one of the list."),
            (list_key, list(&text()), "What it may choose."),
        ],
    );
    either(&[text(), requiring(choice, &["expression", list_key])])
}

fn parameter() -> Value {
    object(
        "a parameter",
        &[
            ("type", one_of(&["string", "boolean", "number", "object", "array"]), "string unless given."),
            ("required", boolean(), "Whether this vendor cannot do without."),
            ("required_if", expression(), "When it cannot do without."),
            (
                "names_target",
                boolean(),
                "Whether another value means somebody else (default: unless it is a boolean).",
            ),
            ("enum", list(&text()), "The only values."),
            ("pattern", text(), "What the whole value must look like."),
            ("note", prose(), "For the documentation."),
        ],
    )
}

/// A request with its own id and parameters.
fn call() -> Vec<Key<'static>> {
    vec![
        ("call", choice("calls"), "resource.method of connector.yaml, or one of several."),
        ("id", expression(), "The call's own id unless given."),
        ("query", map(&template()), ""),
        ("body", template(), ""),
        ("select", expression(), "Picks from the answer."),
    ]
}

fn with_call(what: &str, own: Vec<Key<'static>>) -> Value {
    object(what, &call().into_iter().chain(own).collect::<Vec<_>>())
}

fn poll() -> Vec<Key<'static>> {
    vec![
        ("tries", whole(), "1 to 30; 5 unless given."),
        ("delay_ms", whole(), "At most 5000; 500 unless given."),
    ]
}

fn target() -> Value {
    let get = object(
        "`target`",
        &[
            ("get", text(), "The resource whose `get` row is used."),
            ("id", expression(), "The call's own id unless given."),
        ],
    );
    either(&[get, with_call("`target`", vec![])])
}

fn tombstone() -> Value {
    with_call("`tombstone`", vec![])
}

fn step() -> Value {
    let step = with_call(
        "a step",
        vec![
            ("name", text(), "What before.<name> calls its answer."),
            ("run_if", expression(), "Only if this holds."),
            ("main", boolean(), "Whether its answer, not the call's, is the raw one."),
            ("destructive", boolean(), "Whether it changes something; by default the verb says."),
            ("optional", boolean(), "Whether a refusal of it is ignored."),
            ("wait", wait(), "A bounded poll after it."),
        ],
    );
    requiring(step, &["call"])
}

fn wait() -> Value {
    let own = [("until", expression(), "Until this holds.")].into_iter().chain(poll()).collect();
    requiring(with_call("`wait`", own), &["call", "until"])
}

fn guard() -> Value {
    let guard = object(
        "a guard",
        &[("refuse_if", expression(), ""), ("message", text(), "What the caller is told.")],
    );
    requiring(guard, &["refuse_if", "message"])
}

fn removal() -> Value {
    object(
        "`removal`",
        &[
            (
                "effect",
                one_of(&["deletes", "deactivates", "reactivates", "removes_membership", "anonymises"]),
                "What success does.",
            ),
            ("reversible", prose(), "Whether and until when it can be taken back."),
            ("seat_freed", prose(), "Whether the paid seat becomes free."),
            ("content", prose(), "What happens to what the person owned."),
        ],
    )
}

fn lesser() -> Value {
    object(
        "`lesser`",
        &[
            ("if", expression(), "When an answer is such a refusal."),
            (
                "effect",
                one_of(&["deletes", "deactivates", "removes_membership", "anonymises"]),
                "What it does.",
            ),
            ("shown", expression(), "When the `verify` read shows it."),
            ("detail", text(), "What people should know."),
        ],
    )
}

fn verify() -> Value {
    let own = [
        ("gone", expression(), "True when the effect is there."),
        ("done", expression(), "The same, for what takes nothing away."),
        ("repeat_if", expression(), "True when the call must be sent again."),
    ];
    with_call("`verify`", own.into_iter().chain(poll()).collect())
}
