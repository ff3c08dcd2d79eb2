//! The pages themselves, and what every one of them is sent with.

use askama::Template;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use koine_engine::{Form, FormField, Rejected, Vendor};
use koine_model::Error;

use crate::{Site, answer};

/// The choice of a vendor.
#[derive(Template)]
#[template(path = "connect/choose.html")]
pub(super) struct Choose<'a> {
    pub base: &'a str,
    pub here: String,
    pub searched: &'a str,
    pub count: String,
    pub vendors: Vec<Choice>,
    pub can_close: bool,
}

/// A vendor of the choice.
pub(super) struct Choice {
    pub name: String,
    pub label: String,
    pub category: String,
}

impl From<Vendor> for Choice {
    fn from(Vendor { name, label, category }: Vendor) -> Self {
        Self { name, label, category }
    }
}

impl Choice {
    fn initial(&self) -> String {
        self.label.chars().next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default()
    }
}

/// The form of one way to connect.
#[derive(Template)]
#[template(path = "connect/form.html")]
pub(super) struct Ask<'a> {
    pub base: &'a str,
    pub here: String,
    pub form: &'a Form,
    pub form_key: &'a str,
    pub problem: Option<&'a Rejected>,
    pub guide: String,
    pub is_reconnect: bool,
    pub can_go_back: bool,
    pub can_close: bool,
}

impl Ask<'_> {
    fn error_of(&self, name: &str) -> Option<&str> {
        let fields = &self.problem?.fields;
        fields.iter().find(|(field, _)| field == name).map(|(_, words)| words.as_str())
    }

    /// `None` for a field that is not asked for.
    fn label_of(&self, name: &str) -> Option<&str> {
        let field = self.form.fields.iter().find(|field| field.name == name);
        field.map(|field| field.label.as_str())
    }

    fn has_hint(&self, field: &FormField) -> bool {
        field.help.is_some() || field.example.is_some() || field.kept
    }

    fn described_by(&self, field: &FormField) -> Option<String> {
        let hint = self.has_hint(field).then(|| format!("hint-{}", field.name));
        let error = self.error_of(&field.name).map(|_| format!("error-{}", field.name));
        let ids: Vec<String> = [hint, error].into_iter().flatten().collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}

/// The end, good or bad.
#[derive(Template)]
#[template(path = "connect/end.html")]
pub(super) struct End<'a> {
    pub base: &'a str,
    pub kind: &'a str,
    pub title: String,
    pub words: String,
    /// What the window that opened this one is told, as JSON.
    pub result: Option<String>,
    pub origins: String,
    /// Where the customer goes on.
    pub next: Option<String>,
}

/// A page of ours.
pub(super) fn show(site: &Site, status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            let mut response = Response::new(html.into());
            *response.status_mut() = status;
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            dressed(site, response)
        }
        Err(error) => answer::failure(&Error::internal(error)),
    }
}

/// Go there instead, with a GET.
pub(super) fn elsewhere(site: &Site, address: &str) -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let address = HeaderValue::from_str(address).expect("addresses of ours are ASCII");
    response.headers_mut().insert(LOCATION, address);
    dressed(site, response)
}

/// Nothing is kept, nothing but our own files runs, and nobody frames it whom the operator did not name.
fn dressed(site: &Site, mut response: Response) -> Response {
    let origins = site.origins();
    let framing = if origins.is_empty() { "'none'" } else { &origins };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors {framing}"
    );
    let policy = HeaderValue::from_str(&policy).expect("origins are ASCII");
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if site.connect_origins.is_empty() {
        // It knows no list of origins. A window without an opener needs none either.
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers.insert(
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        );
    }
    response
}

/// `/connect-account/assets/{file}`.
pub(crate) async fn asset(Path(file): Path<String>) -> Response {
    let (content_type, text) = match file.as_str() {
        "connect.css" => ("text/css; charset=utf-8", include_str!("../../assets/connect.css")),
        "connect.js" => ("text/javascript; charset=utf-8", include_str!("../../assets/connect.js")),
        _ => return answer::failure(&Error::not_found("there is no such file")),
    };
    let mut response = answer::text(content_type, text.to_owned());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
