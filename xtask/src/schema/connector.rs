//! `connector.yaml`.

use serde_json::{Value, json};

use super::{
    Key, boolean, document, either, expression, list, map, object, one_of, prose, requiring, template, text,
    whole,
};

/// In either case.
const VERBS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "get", "post", "put", "patch", "delete"];

/// How to talk to the vendor.
pub(crate) fn connector() -> Value {
    let mut root = object("connector.yaml", &keys());
    root["if"] = json!({"not": {"required": ["extends"]}});
    root["then"] = json!({"required": ["name", "label", "category", "api", "base_url", "credentials"]});
    document("connector.yaml", root)
}

fn keys() -> Vec<Key<'static>> {
    vec![
        ("extends", text(), "A profile of _shared/ whose keys are the defaults."),
        ("name", text(), "The folder's name."),
        ("label", text(), "The name people know."),
        ("category", text(), "What kind of product it is."),
        ("api", text(), "The vendor API and version that it speaks."),
        ("docs", text(), "The vendor's documentation."),
        ("base_url", text(), "Prefix of every path; sees credential fields only."),
        ("hosts", list(&text()), "Further hosts that requests, redirects and next links may go to."),
        ("headers", map(&text()), "Headers of every request."),
        ("query", map(&template()), "Query parameters of every request."),
        ("credentials", map(&credential_kind()), "Kinds of credential, the default first."),
        ("pagination", pagination(), "How lists are walked, unless a request says otherwise."),
        ("rate_limit", rate_limit(), "How to notice throttling besides 429, and when to come back."),
        (
            "validation",
            validation(),
            "The list that is read to try an account's credentials; by default the first page of users.",
        ),
        (
            "post_install",
            list(&post_install()),
            "What is looked up with new credentials, step by step, before an account is active.",
        ),
        ("errors", errors(), "How to read refusals."),
        ("resources", map(&map(&either(&[text(), request()]))), "Resource -> method -> request."),
    ]
}

fn credential_kind() -> Value {
    object(
        "a credential kind",
        &[
            ("label", text(), "Shown to people."),
            ("fields", map(&credential_field()), "What the customer supplies."),
            ("authorization", authorization(), "How it gets onto a request."),
        ],
    )
}

fn credential_field() -> Value {
    object(
        "a credential field",
        &[
            ("label", text(), "Shown to people."),
            ("secret", boolean(), "Whether it must never be shown again."),
            ("required", boolean(), "Whether an account cannot do without (default true)."),
            ("multiline", boolean(), "Whether it may hold line breaks, as a key in PEM does."),
            ("pattern", text(), "What the whole value must look like; needed when it reaches a host."),
            ("example", prose(), "A made-up value."),
            ("default", template(), "The value when none is given."),
            ("help", prose(), "Where to find it."),
        ],
    )
}

/// `{format, config}`, one alternative per format.
fn formats(what: &str, formats: &[(&str, Vec<Key<'_>>)]) -> Value {
    let alternatives: Vec<_> = formats
        .iter()
        .map(|(format, keys)| {
            let config = object(&format!("{what} config"), keys);
            object(what, &[("format", one_of(&[format]), ""), ("config", config, "")])
        })
        .collect();
    either(&alternatives)
}

fn authorization() -> Value {
    let token_url = || ("token_url", text(), "A whole URL, or a path below the base URL.");
    formats(
        "authorization",
        &[
            ("header", vec![("header_name", text(), ""), ("header_value", text(), "")]),
            ("bearer", vec![("token", text(), "")]),
            ("query", vec![("name", text(), ""), ("value", text(), "")]),
            ("basic", vec![("username", template(), ""), ("password", template(), "")]),
            ("oauth2_client_credentials", login(client(vec![token_url()]))),
            ("oauth2_refresh_token", login(client(grant(token_url())))),
            ("oauth2", login(client(grant(token_url())))),
            ("oauth2_jwt_bearer", login(assertion(vec![token_url()]))),
            ("session", login(session())),
        ],
    )
}

/// A refresh token, or a consent that brings one.
fn grant(token_url: Key<'static>) -> Vec<Key<'static>> {
    let consent = object(
        "`authorize`",
        &[
            ("url", text(), "A whole URL, or a path below the base URL."),
            ("scope", list(&text()), "Scopes to ask for."),
            ("scope_separator", text(), "Between two of them (default one blank)."),
            ("scope_param", text(), "The parameter that names them (default `scope`)."),
            ("params", map(&text()), "Further parameters of the page."),
            ("pkce", boolean(), "Whether a challenge goes with it (default true)."),
            ("issuer", text(), "Who answers (`iss`), where that is not the page's own origin."),
            ("context", map(&expression()), "Credential field -> where the token answer holds it."),
        ],
    );
    vec![
        token_url,
        ("refresh_token_field", text(), "The credential field that holds the refresh token."),
        (
            "refresh_token",
            expression(),
            "Where the answer holds the next one (default `data.refresh_token`).",
        ),
        (
            "revoked",
            expression(),
            "When a refusal means that the grant is over (default `data.error = \"invalid_grant\"`).",
        ),
        ("authorize", consent, "How a person is asked for it."),
    ]
}

/// What every way to a token can say besides.
fn login(own: Vec<Key<'static>>) -> Vec<Key<'static>> {
    let common = [
        ("token", expression(), "Where the answer holds the token."),
        ("lifetime", expression(), "Its life in seconds."),
        ("error_expression", expression(), "When the answer is an error whatever its status."),
        (
            "expired",
            expression(),
            "When an answer to a request says that the token is not in force any more; a 401 always does.",
        ),
        ("keep", map(&expression()), "What else requests see, as `session`."),
        ("header_name", text(), "The header that carries it (default Authorization)."),
        ("header_value", text(), "Its value (default `Bearer {{token}}`)."),
    ];
    own.into_iter().chain(common).collect()
}

fn client(own: Vec<Key<'static>>) -> Vec<Key<'static>> {
    let common = [
        ("client_id", text(), ""),
        ("client_secret", text(), ""),
        ("scope", list(&text()), ""),
        ("credentials_in", one_of(&["body", "header"]), "Where id and secret go."),
        ("extra", map(&text()), "Further fields of the form."),
    ];
    own.into_iter().chain(common).collect()
}

fn assertion(own: Vec<Key<'static>>) -> Vec<Key<'static>> {
    let common = [
        ("algorithm", one_of(&["RS256", "ES256"]), ""),
        ("private_key", text(), "In PEM."),
        ("key_id", text(), "`kid`."),
        ("issuer", text(), "`iss`."),
        ("subject", text(), "`sub`."),
        ("audience", text(), "`aud`."),
        ("scope", list(&text()), ""),
        ("assertion_lifetime", whole(), "Seconds, at most 3600."),
    ];
    own.into_iter().chain(common).collect()
}

fn session() -> Vec<Key<'static>> {
    let basic = object("`basic`", &[("username", template(), ""), ("password", template(), "")]);
    vec![
        ("url", text(), "A whole URL, or a path below the base URL."),
        ("method", text(), "Default POST."),
        ("headers", map(&text()), ""),
        ("body", template(), ""),
        ("body_format", one_of(&["json", "form"]), "How it is written (default JSON)."),
        ("basic", basic, "HTTP basic."),
    ]
}

fn pagination() -> Value {
    let with = |own: Vec<Key<'static>>| {
        let common = [
            ("limit_param", text(), "Name of the page-size parameter."),
            ("max_limit", whole(), "Largest page that the vendor accepts."),
            ("default_limit", whole(), "Page size when the caller names none."),
            ("in_body", boolean(), "Whether page parameters go into the body instead of the query."),
        ];
        own.into_iter().chain(common).collect::<Vec<_>>()
    };
    formats(
        "pagination",
        &[
            ("link_header", with(vec![])),
            (
                "cursor",
                with(vec![
                    ("cursor_path", expression(), "Where the answer has the cursor."),
                    ("cursor_param", text(), "The parameter that it goes back in."),
                    ("is_cursor_link", boolean(), "Whether it is a whole URL."),
                ]),
            ),
            (
                "page",
                with(vec![
                    ("page_param", text(), ""),
                    ("first_page", whole(), "1 unless given."),
                    ("total_pages", expression(), "How many pages there are."),
                ]),
            ),
            (
                "offset",
                with(vec![
                    ("offset_param", text(), ""),
                    ("first_offset", whole(), "0 unless given."),
                    ("total", expression(), "How many records there are."),
                ]),
            ),
            (
                "range",
                with(vec![
                    ("range_unit", text(), "items unless given."),
                    ("first_offset", whole(), "0 unless given."),
                ]),
            ),
            (
                "dynamic",
                with(vec![
                    (
                        "get_initial_pagination_values_expression",
                        expression(),
                        "Gives the values of the first page.",
                    ),
                    (
                        "get_pagination_values_expression",
                        expression(),
                        "Those of the next; nothing ends the list.",
                    ),
                ]),
            ),
        ],
    )
}

fn rate_limit() -> Value {
    object(
        "rate_limit",
        &[
            ("is_rate_limited", expression(), "True when the answer says so."),
            ("retry_after_header_expression", expression(), "Seconds to wait."),
            (
                "rate_limit_header_expression",
                expression(),
                "Epoch second of the reset, or {limit, remaining, reset}.",
            ),
        ],
    )
}

fn post_install() -> Value {
    let step = object(
        "a step of `post_install`",
        &[
            ("call", text(), "`model.resource.list`."),
            ("query", template(), "Its parameters."),
            ("context", map(&expression()), "Credential field -> expression over `records`."),
        ],
    );
    requiring(step, &["call", "context"])
}

fn validation() -> Value {
    object(
        "validation",
        &[("call", text(), "`model.resource.list`."), ("query", template(), "Its parameters.")],
    )
}

fn errors() -> Value {
    object(
        "errors",
        &[
            ("message", expression(), "The vendor's words."),
            ("not_found", expression(), "When the thing does not exist (default: status = 404)."),
            ("error_expression", expression(), "When the answer is an error whatever its status."),
            (
                "status",
                expression(),
                "The status that an error is shown with, where the vendor's own says nothing.",
            ),
        ],
    )
}

fn request() -> Value {
    object(
        "a request",
        &[
            ("method", one_of(VERBS), ""),
            ("path", text(), "Begins with a slash."),
            ("query", map(&template()), ""),
            ("headers", map(&text()), ""),
            ("body", template(), ""),
            ("variables", template(), "Of a GraphQL document, instead of body."),
            ("body_format", one_of(&["json", "form", "multipart", "raw", "xml"]), ""),
            ("graphql", text(), "A GraphQL document; POST to the base URL."),
            ("response_format", one_of(&["json", "xml", "text", "binary"]), ""),
            ("reads", boolean(), "Whether it changes nothing; by default the verb or the document says."),
            ("response_path", expression(), "From the body to the record or list."),
            ("pagination", pagination_or_none(), "`none` turns the connector's default off."),
            ("error_expression", expression(), "Instead of the connector's."),
            ("idempotent", boolean(), "Whether sending it twice is harmless; by default the verb says."),
            ("no_auth", boolean(), "Whether it goes out without credentials."),
            ("description", text(), ""),
            ("api_documentation_url", text(), ""),
        ],
    )
}

fn pagination_or_none() -> Value {
    json!({"anyOf": [pagination(), {"const": "none"}]})
}
