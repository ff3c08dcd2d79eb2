use koine_model::{Body, Request, Response, Secret};
use serde_json::{Value, json};

use super::{Asking, Code, LoginError, challenge};
use crate::compiled::{Authorization, Login};
use crate::problem::Problems;
use crate::yaml::Node;

fn login(config: &str) -> Login {
    let mut problems = Problems::default();
    let node = Node::parse(&"t.yaml".into(), config).unwrap();
    let authorization = crate::compile::authorization(&node, &mut problems);
    assert!(problems.0.is_empty(), "{problems}");
    match authorization {
        Some(Authorization::Login(login)) => *login,
        other => panic!("{other:?}"),
    }
}

fn request(login: &Login, context: &Value) -> (Request, Option<String>) {
    let base = "https://api.example.com/v1".parse().unwrap();
    let endpoint = login.endpoint(context, &base).unwrap();
    let (request, credentials) = login.request(context, &endpoint, 1_800_000_000).unwrap();
    (request, credentials.headers.first().map(|(_, value)| value.expose().to_owned()))
}

fn form(request: &Request) -> Vec<(&str, &str)> {
    let Some(Body::Form(pairs)) = &request.body else { panic!("a form") };
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn answer(status: u16, body: &str) -> Response {
    Response { status, headers: Vec::new(), body: body.to_owned().into_bytes().into() }
}

#[test]
fn client_credentials_go_either_way() {
    let context = json!({"id": "my:id", "secret": "hunter2 &"});
    let config = |place: &str| {
        format!(
            "format: oauth2_client_credentials\nconfig: {{token_url: /token, client_id: '{{{{id}}}}', client_secret: '{{{{secret}}}}', scope: [a, b], credentials_in: {place}, extra: {{audience: x}}}}"
        )
    };
    let (sent, basic) = request(&login(&config("header")), &context);
    assert_eq!(sent.url.as_str(), "https://api.example.com/v1/token");
    assert_eq!(form(&sent), [("grant_type", "client_credentials"), ("scope", "a b"), ("audience", "x")]);
    assert_eq!(basic.as_deref(), Some("Basic bXklM0FpZDpodW50ZXIyKyUyNg=="));
    let (sent, basic) = request(&login(&config("body")), &context);
    assert_eq!(form(&sent)[2..4], [("client_id", "my:id"), ("client_secret", "hunter2 &")]);
    assert_eq!(basic, None);
}

#[test]
fn refusals_are_told_without_the_secret() {
    let login = login(
        "format: oauth2_client_credentials\nconfig: {token_url: /t, client_id: '{{id}}', client_secret: '{{secret}}'}",
    );
    let context = json!({"id": "my:id", "secret": "hunter2 &"});
    let secret = ["secret".to_owned()];
    let body = format!(
        "{{\"error\":\"invalid_client\"}} hunter2 & hunter2+%26 bXklM0FpZDpodW50ZXIyKyUyNg== {}",
        "x".repeat(5000)
    );
    for (status, body) in [
        (401, body.as_str()),
        (200, "{\"error\":\"bad\",\"error_description\":\"hunter2 & no\"}"),
        (200, "{}"),
    ] {
        let error = login.read(&answer(status, body), &context, &secret).unwrap_err();
        let LoginError::Refused(text) = error else { panic!("{error}") };
        assert!(!text.contains("hunter2") && !text.contains("bXkl") && text.len() < 400, "{text}");
    }
    for nonsense in ["<html>", "", "{\"access_token\":"] {
        let error = login.read(&answer(200, nonsense), &context, &secret).unwrap_err();
        assert!(matches!(error, LoginError::Unreadable), "{nonsense}: {error}");
    }
    let good = login
        .read(&answer(200, "{\"access_token\":\"t\",\"expires_in\":\"60\"}"), &context, &secret)
        .unwrap();
    assert_eq!((good.token.expose(), good.lifetime), ("t", Some(60.0)));
}

#[test]
fn a_refusal_does_not_tell_the_tokens_that_come_with_it() {
    let login = login(
        "format: oauth2_refresh_token\nconfig: {token_url: /t, client_id: me, refresh_token_field: refresh, error_expression: data.warning}",
    );
    let body = json!({"warning": "old \"r1\"x", "access_token": "at-1\"\\/", "inner": [{"idToken": "it-1"}], "note": "at-1\"\\/ it-1",
        "refresh_token": "rt-1", "token_type": "Bearer"});
    let context = json!({"refresh": "\"r1\"x"});
    let secret = ["refresh".to_owned()];
    let error = login.read(&answer(200, &body.to_string()), &context, &secret).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("warning") && text.contains("Bearer"), "{text}");
    for secret in ["at-1", "it-1", "rt-1", "r1"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let long = format!("{{\"error\": \"{}\", \"access_token\": \"made-up\"}}", "made-up".repeat(99));
    let error = login.read(&answer(400, &long), &context, &secret).unwrap_err();
    assert!(!error.to_string().contains("made"), "cut after it was cleaned: {error}");
}

#[test]
fn a_refresh_token_is_used_and_replaced() {
    let login = login(
        "format: oauth2_refresh_token\nconfig: {token_url: https://id.example.com/t, client_id: me, refresh_token_field: refresh}",
    );
    let context = json!({"refresh": "r1"});
    let (sent, _) = request(&login, &context);
    assert_eq!(sent.url.host_str(), Some("id.example.com"));
    assert_eq!(form(&sent)[..2], [("grant_type", "refresh_token"), ("refresh_token", "r1")]);
    let body = "{\"access_token\":\"t\",\"refresh_token\":\"r2\",\"expires_in\":3600}";
    let obtained = login.read(&answer(200, body), &context, &[]).unwrap();
    assert_eq!(obtained.refresh_token.unwrap().expose(), "r2");
    let endpoint = "https://id.example.com/t".parse().unwrap();
    assert!(matches!(login.request(&json!({}), &endpoint, 0), Err(LoginError::Field(_))));
}

#[test]
fn an_assertion_is_signed_by_the_key() {
    use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
    use aws_lc_rs::signature::KeyPair as _;
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\\n{}\\n-----END PRIVATE KEY-----\\n",
        STANDARD.encode(der.as_ref())
    );
    let login = login(
        "format: oauth2_jwt_bearer\nconfig: {token_url: https://id.example.com/t, private_key: '{{key}}', key_id: k1, issuer: '{{email}}', subject: admin@example.com, audience: https://id.example.com/t, scope: [a, b]}",
    );
    let (sent, _) = request(&login, &json!({"key": pem, "email": "me@example.com"}));
    let form = form(&sent);
    assert_eq!(form[0], ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"));
    let parts: Vec<_> = form[1].1.split('.').collect();
    let json_of =
        |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert_eq!(json_of(parts[0]), json!({"typ": "JWT", "alg": "RS256", "kid": "k1"}));
    let claims = json_of(parts[1]);
    assert_eq!(claims["sub"], "admin@example.com");
    assert_eq!(
        (&claims["iat"], &claims["exp"], &claims["scope"]),
        (&json!(1_800_000_000), &json!(1_800_000_300), &json!("a b"))
    );
    let key = aws_lc_rs::signature::UnparsedPublicKey::new(
        &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256,
        pair.public_key().as_ref(),
    );
    let signed = format!("{}.{}", parts[0], parts[1]);
    key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();

    let endpoint = "https://id.example.com/t".parse().unwrap();
    let error = login.request(&json!({"key": "no key", "email": "x"}), &endpoint, 0).unwrap_err();
    assert!(error.to_string().contains("PEM"), "{error}");
}

#[test]
fn a_session_keeps_what_paths_need() {
    let config = "format: session\nconfig: {url: /signin, body: {credentials: {name: '{{name}}', secret: '{{secret}}'}}, headers: {X-A: b}, token: data.credentials.token, lifetime: '7200', error_expression: $exists(data.error), keep: {site_id: data.credentials.site.id}, header_name: X-Auth, header_value: 'T {{token}}'}";
    let login = login(config);
    let context = json!({"name": "n", "secret": "s\"x"});
    let (sent, _) = request(&login, &context);
    assert_eq!(sent.body, Some(Body::Json(json!({"credentials": {"name": "n", "secret": "s\"x"}}))));
    let good = answer(200, "{\"credentials\":{\"token\":\"t\",\"site\":{\"id\":\"s1\"}}}");
    let obtained = login.read(&good, &context, &[]).unwrap();
    assert_eq!((obtained.lifetime, &obtained.kept["site_id"]), (Some(7200.0), &json!("s1")));
    let (name, value) = login.header(&obtained.token, &context).unwrap();
    assert_eq!((name.as_str(), value.expose()), ("x-auth", "T t"));
    for bad in [
        "{\"error\":1,\"credentials\":{\"token\":\"t\",\"site\":{\"id\":\"s1\"}}}",
        "{\"credentials\":{\"token\":\"t\"}}",
        "{}",
    ] {
        assert!(login.read(&answer(200, bad), &context, &[]).is_err(), "{bad}");
    }
}

fn consenting(more: &str) -> Login {
    login(&format!(
        "format: oauth2\nconfig: {{token_url: /t, client_id: '{{{{id}}}}', client_secret: '{{{{secret}}}}', refresh_token_field: refresh, extra: {{redirect_uri: '{{{{redirect_uri}}}}'}}, authorize: {{url: 'https://id.example.com/a?x=1', scope: [a, '{{{{scope}}}}'] {more}}}}}"
    ))
}

fn context() -> Value {
    json!({"id": "my:id", "secret": "hunter2 &", "scope": "b", "refresh": "r1", "redirect_uri": "https://k.example.com/c"})
}

fn asked(login: &Login, scopes: &[String]) -> Vec<(String, String)> {
    let base = "https://api.example.com/v1".parse().unwrap();
    let page = login.consent_page(&context(), &base).unwrap();
    let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let challenge = challenge(&verifier);
    // RFC 7636, appendix B.
    assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let asking =
        Asking { state: "s t&", redirect_uri: "https://k.example.com/c", challenge: &challenge, scopes };
    let url = login.asking(&context(), page, &asking).unwrap();
    assert_eq!(url.host_str(), Some("id.example.com"));
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[test]
fn a_person_is_asked_with_what_the_connector_says() {
    let plain = asked(&consenting(""), &[]);
    let expected = [
        ("x", "1"),
        ("response_type", "code"),
        ("client_id", "my:id"),
        ("redirect_uri", "https://k.example.com/c"),
        ("state", "s t&"),
        ("scope", "a b"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    assert_eq!(plain, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let more = ", scope_separator: ',', scope_param: user_scope, pkce: false, params: {prompt: consent}";
    let other = asked(&consenting(more), &["c".to_owned(), "d".to_owned()]);
    let tail: Vec<_> = other[5..].iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(tail, [("user_scope", "c,d"), ("prompt", "consent")]);
}

#[test]
fn a_code_goes_with_its_verifier_and_every_name_once() {
    let code = Secret::new("c1");
    let verifier = Secret::new("v1");
    let code = Code { code: &code, verifier: &verifier, redirect_uri: "https://k.example.com/c" };
    let endpoint = "https://api.example.com/t".parse().unwrap();
    let (sent, _) = consenting("").code_request(&context(), &endpoint, &code).unwrap();
    assert_eq!(
        form(&sent),
        [
            ("grant_type", "authorization_code"),
            ("code", "c1"),
            ("redirect_uri", "https://k.example.com/c"),
            ("code_verifier", "v1"),
            ("client_id", "my:id"),
            ("client_secret", "hunter2 &"),
        ]
    );
    let (sent, _) = consenting(", pkce: false").code_request(&context(), &endpoint, &code).unwrap();
    assert!(form(&sent).iter().all(|(name, _)| *name != "code_verifier"));
}

#[test]
fn an_answer_from_elsewhere_is_known() {
    let base = "https://api.example.com/v1".parse().unwrap();
    for (more, told, is_theirs) in [
        ("", None, true),
        ("", Some("https://id.example.com/tenant/1"), true),
        ("", Some("https://evil.example.com"), false),
        ("", Some("nonsense"), false),
        (", issuer: 'https://iss.example.com/{{scope}}'", Some("https://iss.example.com/b"), true),
        (", issuer: 'https://iss.example.com'", Some("https://iss.example.com/"), false),
        (", issuer: 'https://iss.example.com'", Some("https://id.example.com"), false),
    ] {
        let login = consenting(more);
        let page = login.consent_page(&context(), &base).unwrap();
        assert_eq!(login.is_answer_of(told, &context(), &page).unwrap(), is_theirs, "{more} {told:?}");
    }
}

#[test]
fn refusals_of_a_grant_say_whose_fault_they_are() {
    let secret = ["secret".to_owned()];
    let told =
        |login: &Login, status, body| login.read(&answer(status, body), &context(), &secret).unwrap_err();
    let usual = consenting("");
    assert!(matches!(told(&usual, 400, "{\"error\":\"invalid_grant\"}"), LoginError::Revoked(_)));
    assert!(matches!(told(&usual, 401, "{\"error\":\"invalid_client\"}"), LoginError::Client(_)));
    assert!(matches!(told(&usual, 400, "{\"error\":\"invalid_request\"}"), LoginError::Refused(_)));
    assert!(matches!(told(&usual, 200, "{\"error\":\"invalid_grant\"}"), LoginError::Revoked(_)));
    assert!(matches!(told(&usual, 503, ""), LoginError::Refused(_)));
    let own = login(
        "format: oauth2_refresh_token\nconfig: {token_url: /t, client_id: a, refresh_token_field: r, revoked: 'status = 403'}",
    );
    assert!(matches!(told(&own, 403, "{}"), LoginError::Revoked(_)));
    assert!(matches!(told(&own, 400, "{\"error\":\"invalid_grant\"}"), LoginError::Refused(_)));
}

#[test]
fn what_an_answer_brings_is_kept() {
    let login = consenting(", context: {host: '$substringAfter(data.instance_url, \"https://\")'}");
    let told = "{\"access_token\":\"t\",\"refresh_token\":\"r2\",\"instance_url\":\"https://a.example.com\"}";
    let filled = login.filled(&answer(200, told)).unwrap();
    assert_eq!(Value::Object(filled), json!({"host": "a.example.com"}));
    let obtained = login.read(&answer(200, told), &context(), &[]).unwrap();
    assert_eq!(obtained.refresh_token.unwrap().expose(), "r2");
    assert!(!format!("{login:?}").is_empty());
    let error = login.filled(&answer(200, "{\"access_token\":\"t\"}")).unwrap_err();
    assert!(error.to_string().contains("`host`"), "{error}");
}

#[test]
fn a_session_may_log_in_with_a_form_and_end_under_a_success() {
    let login = login(
        "format: session\nconfig: {url: /l, body_format: form, body: {user: '{{id}}', otp: '{{otp:undefined}}', keep: true}, token: data.t, expired: 'data.code = 7'}",
    );
    let (sent, _) = request(&login, &context());
    assert_eq!(form(&sent), [("user", "my:id"), ("keep", "true")]);
    assert!(login.has_expired(&answer(401, "")));
    assert!(login.has_expired(&answer(200, "{\"code\":7}")));
    assert!(!login.has_expired(&answer(200, "{\"code\":0}")));
    assert!(!login.has_expired(&answer(403, "")));
}

#[test]
fn what_a_grant_lacks_is_told() {
    for (config, words) in [
        ("format: oauth2\nconfig: {token_url: /t, client_id: a}", "`oauth2` needs `authorize`"),
        (
            "format: oauth2_refresh_token\nconfig: {token_url: /t, client_id: a}",
            "`oauth2_refresh_token` needs `refresh_token_field`",
        ),
        (
            "format: oauth2\nconfig: {token_url: /t, client_id: a, authorize: {scope: [a]}}",
            "`authorize` needs `url`",
        ),
        (
            "format: oauth2\nconfig: {token_url: /t, client_id: a, authorize: {url: /a, scopes: [a]}}",
            "did you mean `scope`?",
        ),
        (
            "format: session\nconfig: {url: /t, token: data.t, body: text, body_format: form}",
            "a form needs a `body`",
        ),
    ] {
        let mut problems = Problems::default();
        let node = Node::parse(&"t.yaml".into(), config).unwrap();
        crate::compile::authorization(&node, &mut problems);
        assert!(problems.to_string().contains(words), "{words}: {problems}");
    }
}
