//! `sandbox.yaml`.

use serde_json::Value;

use super::{
    Key, boolean, document, either, expression, list, map, object, one_of, requiring, template, text, whole,
};

/// The vendor's stand-in.
pub(crate) fn sandbox() -> Value {
    let root = object(
        "a sandbox",
        &[
            ("extends", text(), "_shared/<name>.sandbox.yaml holds the defaults."),
            ("base_path", text(), "Path of the vendor's base URL."),
            ("context", map(&template()), "The credential fields of an account that it accepts."),
            (
                "keys",
                map(&one_of(&["RS256"])),
                "Credential field -> algorithm of the private key made for it.",
            ),
            (
                "elsewhere",
                map(&text()),
                "The vendor's other addresses: beginning of a URL -> path below base_path.",
            ),
            ("collections", map(&collection()), "What the vendor holds at the start."),
            ("auth", auth(), "Which credentials are good."),
            ("headers", template(), "Headers of every answer."),
            ("rate_limit", rate_limit(), ""),
            ("not_found", reply(), "Where a route's find finds nothing."),
            ("no_route", reply(), "To a path that the vendor does not have."),
            ("routes", map(&route()), "VERB /path/{param} -> what it does."),
            (
                "cases",
                map(&case()),
                "model.resource.method -> a call of it, and how the state shows what it did.",
            ),
        ],
    );
    document("sandbox.yaml", root)
}

fn collection() -> Value {
    object(
        "a collection",
        &[
            ("key", text(), "The field that identifies a record."),
            ("each", template(), "Computed once per person."),
            ("items", template(), "Computed once."),
        ],
    )
}

fn auth() -> Value {
    object("auth", &[("accepts", expression(), ""), ("refusal", reply(), "")])
}

fn rate_limit() -> Value {
    object("rate_limit", &[("requests", whole(), ""), ("seconds", whole(), ""), ("refusal", reply(), "")])
}

fn reply_keys() -> Vec<Key<'static>> {
    vec![
        ("status", either(&[whole(), expression()]), ""),
        ("headers", template(), ""),
        ("body", template(), "Text is an expression, anything else is literal."),
        ("text", template(), "Instead of body: sent as it is."),
    ]
}

fn reply() -> Value {
    object("a reply", &reply_keys())
}

fn route() -> Value {
    object(
        "a route",
        &[
            ("auth", boolean(), "false: no credentials are asked for."),
            ("when", expression(), "Only requests for which this holds."),
            (
                "assertion",
                object("an assertion", &[("token", expression(), ""), ("key", text(), "")]),
                "A signed token in the request.",
            ),
            ("refuse_before", list(&refusal()), "Checked before anything is looked up."),
            ("find", text(), "A collection; its record with the path's key becomes record."),
            ("list", expression(), "A collection, or an expression that gives an array."),
            ("where", expression(), "Which record, or which records."),
            ("page", page(), "How the list is paged."),
            ("refuse", list(&refusal()), "Like refuse_before; sees record, items and page."),
            ("do", list(&effect()), "Effects."),
            (
                "issue",
                object(
                    "issue",
                    &[("seconds", whole(), ""), ("grant", template(), "What is remembered of it.")],
                ),
                "Makes an access token.",
            ),
            ("reply", reply(), ""),
        ],
    )
}

fn case() -> Value {
    object(
        "a case",
        &[
            ("after", text(), "The case that goes before."),
            ("context", map(&text()), "Credential fields that differ from the sandbox's own."),
            ("id", expression(), "The id in the path, from `state`."),
            ("query", template(), ""),
            ("body", template(), "Text is an expression over `state`, anything else is literal."),
            ("people", whole(), "How many of 250 people a list shows; 250 when left out."),
            ("unknown", text(), "An id of the right shape that nobody has."),
            ("done", expression(), "True when `state` shows the effect; sees `id`, `query` and `body`, too."),
            ("outcome", text(), "What a change reports: removed, deactivated or reactivated."),
            ("listed", boolean(), "Whether the list shows the person after the removal, too."),
            ("faults", whole(), "The most faults at once that the walks try."),
        ],
    )
}

fn refusal() -> Value {
    let keys: Vec<_> = [("if", expression(), "")].into_iter().chain(reply_keys()).collect();
    requiring(object("a refusal", &keys), &["if"])
}

fn page() -> Value {
    object(
        "a page",
        &[
            ("style", one_of(&["page", "offset", "cursor"]), ""),
            ("size", whole(), "Default page."),
            ("most", whole(), "Largest page."),
            ("limit", text(), "The page-size parameter."),
            ("param", text(), "The parameter of the position."),
            ("first", whole(), "The first position."),
            ("links", boolean(), "Whether to send Link headers."),
        ],
    )
}

fn effect() -> Value {
    object(
        "an effect",
        &[
            ("in", text(), "A collection; without it the record."),
            ("where", expression(), ""),
            ("if", expression(), ""),
            ("set", template(), "Laid over the record."),
            ("add", template(), ""),
            ("remove", boolean(), ""),
        ],
    )
}
