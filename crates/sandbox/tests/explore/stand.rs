//! One connector and its vendor, logged in to.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use indexmap::IndexMap;
use koine_connector::authorize::{Authorized, authorize};
use koine_connector::catalogue::{self, Catalogue};
use koine_connector::compiled::{Connector, Login};
use koine_connector::plan::Send;
use koine_model::{Body, Credentials, Request, Response};
use koine_sandbox::{Case, Sandbox, StandIn, Vendor};
use serde_json::{Map, Value};
use url::Url;

/// Where the vendor would be served.
const ORIGIN: &str = "http://sandbox.example";

/// A connector, its vendor at the start, and its cases.
pub(crate) struct Stand {
    pub connector: Arc<Connector>,
    pub cases: IndexMap<String, Case>,
    vendor: Vendor,
}

/// A vendor that has given its credentials, and what an account then holds.
pub(crate) struct Account {
    pub vendor: Vendor,
    pub context: Map<String, Value>,
    pub base_url: Url,
    credentials: Credentials,
    stand_in: StandIn,
}

impl Stand {
    /// From the path of a `sandbox.yaml`.
    pub(crate) fn of(file: &Path) -> Self {
        let folder = file.parent().expect("a folder of its own");
        let name = folder.file_name().expect("a name").to_str().expect("UTF-8");
        let mut files = catalogue::files(folder.parent()).unwrap_or_else(|problems| panic!("{problems}"));
        files.retain(|path, _| path.starts_with("_shared/") || path.starts_with(&format!("{name}/")));
        let catalogue = Catalogue::compile(&files).unwrap_or_else(|problems| panic!("{problems}"));
        let connector = Arc::clone(catalogue.connector(name).expect("it is there"));
        let sandbox = Sandbox::with_people(&files, 1, 3).unwrap_or_else(|problems| panic!("{problems}"));
        let vendor = sandbox.vendor(name).expect("it is there").clone();
        Self { connector, cases: vendor.cases().clone(), vendor }
    }

    /// An account of the kind that the case needs, after its login.
    pub(crate) fn account(&self, case: &Case) -> Account {
        let mut stand_in = self.vendor.stand_in(ORIGIN);
        let kind = self.connector.credentials.values().next().expect("one kind of credentials at least");
        let defaults =
            kind.fields.iter().filter_map(|(name, field)| Some((name.clone(), field.default.clone()?)));
        let mut context: Map<String, Value> = defaults.collect();
        context.extend(stand_in.context.clone());
        context.extend(case.context.clone());
        let base_url = Url::parse(&stand_in.base_url).expect("a URL");
        let mut vendor = self.vendor.clone();
        let whole = Value::Object(context.clone());
        // A token endpoint below the vendor's base URL moves with it.
        let own = self.connector.base_url.render(&whole, &|value| Ok(value.to_owned()));
        stand_in.elsewhere.push((own.expect("a base URL"), stand_in.base_url.clone()));
        let credentials = match authorize(kind, &whole).expect("complete credentials") {
            Authorized::Ready(credentials) => credentials,
            Authorized::Login(login) => log_in(login, &whole, &stand_in, &mut vendor, &mut context),
        };
        Account { vendor, context, base_url, credentials, stand_in }
    }
}

fn log_in(
    login: &Login,
    whole: &Value,
    stand_in: &StandIn,
    vendor: &mut Vendor,
    context: &mut Map<String, Value>,
) -> Credentials {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let endpoint =
        login.endpoint(whole, &Url::parse(&stand_in.base_url).expect("a URL")).expect("an endpoint");
    let (request, credentials) = login.request(whole, &endpoint, now).expect("a request");
    let response = exchange(vendor, stand_in, &request, &credentials, false);
    let obtained = login.read(&response, whole, &[]).unwrap_or_else(|error| panic!("no login: {error}"));
    if !obtained.kept.is_empty() {
        context.insert("session".to_owned(), Value::Object(obtained.kept));
    }
    Credentials { headers: vec![login.header(&obtained.token, whole).expect("a header")], query: Vec::new() }
}

impl Account {
    /// Takes the request to a vendor like the account's; `stale` for an answer from before the last write.
    pub(crate) fn carry(&self, vendor: &mut Vendor, send: &Send, stale: bool) -> Response {
        let none = Credentials::default();
        let credentials = if send.no_auth { &none } else { &self.credentials };
        let response = exchange(vendor, &self.stand_in, &send.request, credentials, stale);
        assert_ne!(response.status, 401, "the sandbox refused the credentials");
        response
    }

    /// What the vendor says to this request about something that it does not have.
    pub(crate) fn not_found(&self, vendor: &Vendor, send: &Send) -> Response {
        let path = path(&self.stand_in, &send.request.url);
        let (status, headers, body) = vendor.not_found(send.request.verb.as_str(), &path);
        Response { status, headers, body }
    }
}

fn exchange(
    vendor: &mut Vendor,
    stand_in: &StandIn,
    request: &Request,
    credentials: &Credentials,
    stale: bool,
) -> Response {
    let (content_type, body) = match &request.body {
        None => (None, String::new()),
        Some(Body::Json(value)) => (Some("application/json"), value.to_string()),
        Some(Body::Raw { content_type, text }) => (Some(content_type.as_str()), text.clone()),
        Some(Body::Form(pairs)) => (
            Some("application/x-www-form-urlencoded"),
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish(),
        ),
    };
    let mut headers = request.headers.clone();
    headers.push(("host".to_owned(), ORIGIN.trim_start_matches("http://").to_owned()));
    headers.extend(credentials.headers.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())));
    if let Some(kind) = content_type.filter(|_| !headers.iter().any(|(name, _)| is_content_type(name))) {
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    let mut url = request.url.clone();
    if !credentials.query.is_empty() {
        url.query_pairs_mut()
            .extend_pairs(credentials.query.iter().map(|(name, value)| (name, value.expose())));
    }
    let path = path(stand_in, &url);
    let (status, headers, body) = vendor.exchange(request.verb.as_str(), &path, &headers, &body, stale);
    Response { status, headers, body }
}

fn is_content_type(name: &str) -> bool {
    name.eq_ignore_ascii_case("content-type")
}

/// Path and query below the vendor's own prefix.
fn path(stand_in: &StandIn, url: &Url) -> String {
    let moved = stand_in
        .elsewhere
        .iter()
        .find_map(|(prefix, to)| Some(format!("{to}{}", url.as_str().strip_prefix(prefix)?)));
    let whole = moved.unwrap_or_else(|| url.to_string());
    let prefix = format!("{ORIGIN}/{}", stand_in.name);
    whole.strip_prefix(&prefix).unwrap_or_else(|| panic!("{whole} is not the vendor's")).to_owned()
}
