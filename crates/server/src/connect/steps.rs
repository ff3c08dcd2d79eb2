//! The steps of connecting: enter, choose, fill in, done.

use axum::body::Body;
use axum::extract::{Path, RawQuery};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use koine_engine::{AuthorizationAnswer, Form, Offer, Rejected, Returned, Stands, Step, Trouble, Visit};
use koine_model::{Error, Secret};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::browser::{self, Browser};
use super::ends::{self, broken, foreign, over, unknown};
use super::help;
use super::page::{self, Ask, Choose};
use crate::Site;

/// What the fields of a form begin with; other names are ours.
const FIELD: &str = "field.";

/// `GET /connect-account?link_token=…`: the link's secret for a cookie.
pub(crate) async fn enter(browser: Browser, RawQuery(raw): RawQuery) -> Response {
    let Browser { engine, site, .. } = &browser;
    let mut query = browser::pairs(raw.as_deref().unwrap_or_default().as_bytes());
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let names = some(query.remove("integrations")).unwrap_or_default();
    let names = names.split(',').map(|name| name.trim().to_owned());
    let offer = Offer {
        integration: some(query.remove("integration")),
        integrations: names.filter(|name| !name.is_empty()).collect(),
        no_back: query.remove("no_back").is_some_and(|text| !matches!(text.as_str(), "false" | "0")),
    };
    let secret = query.remove("link_token").unwrap_or_default();
    match engine.open_link(&secret, &offer).await {
        Ok(Some((id, secret))) => {
            let mut response = page::elsewhere(site, &format!("{}/connect-account/{id}", site.base()));
            response.headers_mut().insert(SET_COOKIE, browser::cookie(site, id, &secret));
            response
        }
        Ok(None) => over(site),
        Err(error) => broken(site, &error),
    }
}

/// `GET /connect-account/{visit}`: which vendor.
pub(crate) async fn choose(browser: Browser, Path(id): Path<String>, RawQuery(raw): RawQuery) -> Response {
    let Browser { engine, site, .. } = &browser;
    let visit = match open_visit(&browser, &id).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let mut vendors = match engine.offered(&visit).await {
        Ok(vendors) => vendors,
        Err(error) => return broken(site, &error),
    };
    match vendors.as_slice() {
        [] => return unknown(site),
        [one] => {
            return page::elsewhere(site, &format!("{}/to/{}", here(site, &visit), encoded(&one.name)));
        }
        _ => {}
    }
    let query = browser::pairs(raw.as_deref().unwrap_or_default().as_bytes());
    let searched = query.get("q").map(String::as_str).unwrap_or_default();
    let words = searched.to_lowercase();
    vendors.retain(|vendor| {
        let text = format!("{} {}", vendor.label, vendor.category).to_lowercase();
        words.split_whitespace().all(|word| text.contains(word))
    });
    let count = match vendors.len() {
        1 => "1 product".to_owned(),
        many => format!("{many} products"),
    };
    let page = Choose {
        base: site.base(),
        here: here(site, &visit),
        searched,
        count,
        vendors: vendors.into_iter().map(Into::into).collect(),
        can_close: can_close(site, &visit),
    };
    page::show(site, StatusCode::OK, &page)
}

/// `GET /connect-account/{visit}/to/{integration}`: its form.
pub(crate) async fn form(
    browser: Browser,
    Path((id, integration)): Path<(String, String)>,
    RawQuery(raw): RawQuery,
) -> Response {
    let Browser { engine, site, .. } = &browser;
    let visit = match open_visit(&browser, &id).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let query = browser::pairs(raw.as_deref().unwrap_or_default().as_bytes());
    match engine.form(&visit, &integration, query.get("way").map(String::as_str)).await {
        Ok(Some(form)) => ask(&browser, &visit, &form, None).await,
        Ok(None) => unknown(site),
        Err(error) => broken(site, &error),
    }
}

/// `POST /connect-account/{visit}/to/{integration}`: save what was typed and try it.
pub(crate) async fn submit(
    browser: Browser,
    Path((id, integration)): Path<(String, String)>,
    content: Body,
) -> Response {
    let Browser { engine, site, .. } = &browser;
    let visit = match open_visit(&browser, &id).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let sent = match browser::form(content).await {
        Ok(sent) => sent,
        Err(error) => return broken(site, &error),
    };
    let text = |name: &str| sent.get(name).map(String::as_str).unwrap_or_default();
    if !visit.is_own_form(text("form_key")) {
        return foreign(site);
    }
    let form = match engine.form(&visit, &integration, Some(text("way"))).await {
        Ok(Some(form)) => form,
        Ok(None) => return unknown(site),
        Err(error) => return broken(site, &error),
    };
    let typed: Map<String, Value> = sent
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(FIELD)?.to_owned(), json!(value))))
        .collect();
    match connect(&browser, &visit, &form, typed.clone()).await {
        Ok(Step::Connected) => page::elsewhere(site, &format!("{}/done", here(site, &visit))),
        Ok(Step::Consent(started)) => {
            let mut response = ends::leaving(site, &form.label, &started.url);
            response.headers_mut().insert(SET_COOKIE, browser::consent_cookie(site, &started.browser));
            response
        }
        Err(rejected) if rejected.trouble == Trouble::Over => over(site),
        Err(rejected) => ask(&browser, &visit, &echoed(form, &typed), Some(&rejected)).await,
    }
}

/// To the end, even if the browser does not wait for it: what was saved has to be tried.
async fn connect(
    browser: &Browser,
    visit: &Visit,
    form: &Form,
    typed: Map<String, Value>,
) -> Result<Step, Rejected> {
    let (engine, visit, cookie) = (browser.engine.clone(), visit.clone(), browser.consent());
    let (connector, way) = (form.connector.clone(), form.way.clone());
    let task = tokio::spawn(async move { engine.connect(&visit, &connector, &way, &typed, cookie).await });
    task.await.unwrap_or_else(|panic| Err(Rejected::broken(&Error::internal(panic))))
}

/// `GET /connect/{integration}/callback`: back from the vendor's page.
pub(crate) async fn callback(
    browser: Browser,
    Path(integration): Path<String>,
    RawQuery(raw): RawQuery,
) -> Response {
    let Browser { engine, site, .. } = &browser;
    let mut query = browser::pairs(raw.as_deref().unwrap_or_default().as_bytes());
    let answer = AuthorizationAnswer {
        connector: integration,
        state: query.remove("state").unwrap_or_default(),
        code: query.remove("code").map(Secret::new),
        error: query.remove("error"),
        error_description: query.remove("error_description"),
        issuer: query.remove("iss"),
        browser: browser.consent(),
    };
    let (engine, address) = (engine.clone(), browser.address);
    // To the end, as a form that was sent.
    let task = tokio::spawn(async move { engine.come_back(answer, address).await });
    let back = task.await.unwrap_or_else(|panic| Err(Rejected::broken(&Error::internal(panic))));
    let Returned { visit, connector, way, result } = match back {
        Ok(back) => back,
        Err(rejected) => return ends::lost(site, &rejected),
    };
    let rejected = match result {
        Ok(()) => return page::elsewhere(site, &format!("{}/done", here(site, &visit))),
        Err(rejected) if rejected.trouble == Trouble::Over => return over(site),
        Err(rejected) => rejected,
    };
    match browser.engine.form(&visit, &connector, Some(&way)).await {
        Ok(Some(form)) => ask(&browser, &visit, &form, Some(&rejected)).await,
        Ok(None) => unknown(site),
        Err(error) => broken(site, &error),
    }
}

/// `GET /connect-account/{visit}/done`: it is connected.
pub(crate) async fn done(browser: Browser, Path(id): Path<String>) -> Response {
    let Browser { engine, site, .. } = &browser;
    let visit = match browser.visit(&id).await {
        Ok(Some(visit)) => visit,
        Ok(None) => return over(site),
        Err(error) => return broken(site, &error),
    };
    let Some((account, integration)) = visit.saved().filter(|_| visit.stands() == Stands::Connected) else {
        return page::elsewhere(site, &here(site, &visit));
    };
    ends::connected(site, &visit, account, integration, engine.label(integration))
}

/// `GET /connect-account/{visit}/close`: the customer gives up.
pub(crate) async fn close(browser: Browser, Path(id): Path<String>) -> Response {
    let site = &browser.site;
    let visit = match open_visit(&browser, &id).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    ends::closed(site, &visit)
}

/// The visit, if it is this browser's and something is left to do; otherwise the page to show instead.
async fn open_visit(browser: &Browser, id: &str) -> Result<Visit, Box<Response>> {
    let site = &browser.site;
    let visit = browser.visit(id).await.map_err(|error| broken(site, &error))?;
    let visit = visit.ok_or_else(|| over(site))?;
    match visit.stands() {
        Stands::Open => Ok(visit),
        Stands::Over => Err(over(site).into()),
        Stands::Connected => Err(page::elsewhere(site, &format!("{}/done", here(site, &visit))).into()),
    }
}

async fn ask(browser: &Browser, visit: &Visit, form: &Form, problem: Option<&Rejected>) -> Response {
    let Browser { engine, site, .. } = browser;
    let is_one_of_many = match engine.offered(visit).await {
        Ok(offered) => offered.len() > 1,
        Err(error) => return broken(site, &error),
    };
    let page = Ask {
        base: site.base(),
        here: here(site, visit),
        form,
        form_key: visit.form_key(),
        problem,
        guide: if form.fields.is_empty() { String::new() } else { help::html(&form.setup) },
        is_reconnect: visit.is_reconnect(),
        can_go_back: !visit.offer().no_back && is_one_of_many,
        can_close: can_close(site, visit),
    };
    let status = match problem.map(|problem| problem.trouble) {
        None => StatusCode::OK,
        Some(Trouble::Broken) => StatusCode::INTERNAL_SERVER_ERROR,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    page::show(site, status, &page)
}

/// What was typed stays, except for secrets.
fn echoed(mut form: Form, typed: &Map<String, Value>) -> Form {
    for field in form.fields.iter_mut().filter(|field| !field.secret) {
        let text = typed.get(&field.name).and_then(Value::as_str);
        field.value = text.unwrap_or_default().to_owned();
    }
    form
}

fn here(site: &Site, visit: &Visit) -> String {
    format!("{}/connect-account/{}", site.base(), visit.id())
}

/// A connector's name in a path.
fn encoded(name: &str) -> percent_encoding::PercentEncode<'_> {
    const KEPT: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
    utf8_percent_encode(name, KEPT)
}

/// There is somebody who would hear of it.
fn can_close(site: &Site, visit: &Visit) -> bool {
    visit.redirect_uri().is_some() || !site.connect_origins.is_empty()
}
