//! How a visit ends, and what the window that asked for it is told.

use axum::http::StatusCode;
use axum::response::Response;
use koine_engine::{Rejected, Trouble, Visit};
use koine_model::Error;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::page::{self, End};
use crate::Site;

/// It is connected.
pub(super) fn connected(
    site: &Site,
    visit: &Visit,
    account: Uuid,
    integration: &str,
    label: Option<&str>,
) -> Response {
    let result = json!({"is_truto": true, "result": "success", "integration": integration,
                        "integrated_account_id": account});
    let next = visit.redirect_uri().map(|uri| with(uri, &result));
    let words = match next {
        Some(_) => "You are being sent back.",
        None => "You can close this window.",
    };
    let page = End {
        base: site.base(),
        kind: "good",
        title: format!("{} is connected", label.unwrap_or(integration)),
        words: words.to_owned(),
        result: Some(result.to_string()),
        origins: site.origins(),
        next,
    };
    page::show(site, StatusCode::OK, &page)
}

/// The customer gave up.
pub(super) fn closed(site: &Site, visit: &Visit) -> Response {
    let failed = visit.saved().map(|(account, integration)| {
        json!({"is_truto": true, "result": "error", "error": visit.last_error().unwrap_or_default(),
               "error_type": visit.error_type(), "integration": integration, "integrated_account_id": account})
    });
    let parameters = failed.clone().unwrap_or_else(|| json!({"is_truto": true, "result": "closed"}));
    let next = visit.redirect_uri().map(|uri| with(uri, &parameters));
    let page = End {
        base: site.base(),
        kind: "plain",
        title: "Not connected".to_owned(),
        words: "You can close this window, or open the link again later.".to_owned(),
        result: Some(failed.unwrap_or_else(|| json!("closed")).to_string()),
        origins: site.origins(),
        next,
    };
    page::show(site, StatusCode::OK, &page)
}

/// On the way to the vendor's page. A form may not lead there itself: the policy of the page keeps forms on our origin,
/// and browsers hold redirects to it.
pub(super) fn leaving(site: &Site, label: &str, to: &Url) -> Response {
    let page = End {
        base: site.base(),
        kind: "plain",
        title: format!("Going to {label}"),
        words: format!("Sign in to {label} and allow the connection. You come back here afterwards."),
        result: None,
        origins: String::new(),
        next: Some(to.to_string()),
    };
    page::show(site, StatusCode::OK, &page)
}

/// A browser that came back from a vendor's page, and nobody knows where it belongs.
pub(super) fn lost(site: &Site, rejected: &Rejected) -> Response {
    if rejected.trouble == Trouble::Broken {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        return end(site, status, "Something went wrong", &rejected.message, Some("connection_error"));
    }
    end(site, StatusCode::GONE, "Not connected", &rejected.message, Some("connection_error"))
}

/// The address with the result as further parameters.
fn with(uri: &Url, result: &Value) -> String {
    let mut uri = uri.clone();
    let parameters = result.as_object().into_iter().flatten();
    for (name, value) in parameters {
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        uri.query_pairs_mut().append_pair(name, &text);
    }
    uri.into()
}

fn end(site: &Site, status: StatusCode, title: &str, words: &str, error_type: Option<&str>) -> Response {
    let result = error_type
        .map(|kind| json!({"is_truto": true, "result": "error", "error": title, "error_type": kind}));
    let page = End {
        base: site.base(),
        kind: "bad",
        title: title.to_owned(),
        words: words.to_owned(),
        result: result.map(|result| result.to_string()),
        origins: site.origins(),
        next: None,
    };
    page::show(site, status, &page)
}

/// No such link, or not any more; nobody learns which.
pub(super) fn over(site: &Site) -> Response {
    let words =
        "A link works once, and for seven days. Open it again, or ask for a new one where you got it from.";
    end(site, StatusCode::GONE, "This link cannot be used", words, Some("invalid_token"))
}

pub(super) fn unknown(site: &Site) -> Response {
    let words = "Ask for a new link where you got this one from.";
    end(
        site,
        StatusCode::NOT_FOUND,
        "This product cannot be connected here",
        words,
        Some("invalid_integration"),
    )
}

pub(super) fn foreign(site: &Site) -> Response {
    let words = "Go back, load the page again and send it once more.";
    end(site, StatusCode::FORBIDDEN, "This form did not come from here", words, None)
}

pub(super) fn broken(site: &Site, error: &Error) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response =
        end(site, status, "Something went wrong", "Try again in a few minutes.", Some("connection_error"));
    let cause = error.cause.as_ref().map_or_else(|| error.to_string(), ToString::to_string);
    response.extensions_mut().insert(crate::answer::Logged(cause));
    response
}
