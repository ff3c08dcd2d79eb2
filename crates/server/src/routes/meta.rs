//! `/unified/{model}/{resource}[/{connector}]/meta/{method}` and `/unified/meta/{model}/{connector}`.

use axum::extract::{Path, RawQuery, State};
use axum::http::Method;
use axum::response::Response;
use koine_engine::{Caller, Engine, MetaCall};
use koine_model::Error;
use pulldown_cmark::{CowStr, Event, Parser, Tag, html};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::access::By;
use crate::{answer, body};

/// The method that is to be described. `meta` in its place wins over an id, which an id of that name has to bear.
pub(crate) fn asked(method: &Method, segments: &[String]) -> Option<MetaCall> {
    if method != Method::GET {
        return None;
    }
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (model, resource, connector, method) = match words.as_slice() {
        [model, resource, "meta", method] => (model, resource, None, method),
        [model, resource, connector, "meta", method] => (model, resource, Some(*connector), method),
        _ => return None,
    };
    Some(MetaCall {
        model: (*model).to_owned(),
        resource: (*resource).to_owned(),
        method: (*method).to_owned(),
        connector: connector.map(ToOwned::to_owned),
        account: None,
    })
}

pub(crate) async fn answer(
    engine: &Engine,
    caller: &Caller,
    mut asked: MetaCall,
    query: &Map<String, Value>,
) -> Response {
    let result = async {
        asked.account = account(query.get("integrated_account_id"))?;
        engine.method_meta(caller, &asked).await
    };
    answer::of(result.await)
}

pub(crate) async fn connector(
    State(engine): State<Engine>,
    By(_): By,
    Path((model, name)): Path<(String, String)>,
    RawQuery(raw): RawQuery,
) -> Response {
    let described = body::query(raw.as_deref())
        .and_then(|query| formatted(&engine.connector_meta(&model, &name)?, query.get("format")));
    described.unwrap_or_else(|error| answer::failure(&error))
}

fn account(value: Option<&Value>) -> Result<Option<Uuid>, Error> {
    let Some(value) = value.filter(|value| value.as_str() != Some("")) else { return Ok(None) };
    let id = value.as_str().and_then(|text| Uuid::parse_str(text).ok());
    id.map(Some).ok_or_else(|| Error::invalid("`integrated_account_id` must be a UUID"))
}

fn formatted(meta: &Value, format: Option<&Value>) -> Result<Response, Error> {
    let markdown = meta["instructions"].as_str().unwrap_or_default();
    match format.and_then(Value::as_str).unwrap_or("json") {
        "json" | "" => Ok(answer::json(200, meta)),
        "md" => Ok(answer::text("text/markdown; charset=utf-8", markdown.to_owned())),
        "html" => Ok(answer::text("text/html; charset=utf-8", to_html(markdown))),
        _ => Err(Error::invalid("`format` must be one of json, md, html")),
    }
}

/// Markup inside the Markdown is shown as text, and links lead to the web or nowhere: an operator's connector runs
/// nothing on our origin.
fn to_html(markdown: &str) -> String {
    let safe = |url: CowStr<'_>| {
        let (scheme, _) = url.split_once(':').unwrap_or(("https", ""));
        let is_web = ["https", "http", "mailto"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        CowStr::from(if is_web { url.to_string() } else { "#".to_owned() })
    };
    let events = Parser::new(markdown).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: safe(dest_url), title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Image { link_type, dest_url: safe(dest_url), title, id })
        }
        other => other,
    });
    let mut text = String::new();
    html::push_html(&mut text, events);
    text
}

#[cfg(test)]
mod tests {
    use super::to_html;

    #[test]
    fn markup_in_instructions_is_text() {
        let html = to_html("# Okta\n\n1. Open <script>alert(1)</script>\n\n<img src=x onerror=y>\n");
        assert!(html.starts_with("<h1>Okta</h1>"), "{html}");
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
        for scheme in ["javascript", "JavaScript", "data", "vbscript", "&#106;avascript", "java&#115;cript"] {
            let html = to_html(&format!("[a]({scheme}:alert%281%29) ![b]({scheme}:x) <{scheme}:alert>"));
            let hrefs = html.split("=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
            assert!(hrefs.clone().all(|href| matches!(href, "#" | "b")), "{html}");
        }
        assert!(to_html("[a](https://example.com/?b:c)").contains("https://example.com/?b:c"));
        assert!(to_html("[a](setup.md)").contains("setup.md"));
    }
}
