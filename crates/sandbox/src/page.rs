//! One page of a list.

use serde_json::{Map, Value, json};

use crate::request::Request;
use crate::spec::{Page, Style};

/// The page's items, the `page` root, and the `Link` header.
pub(crate) struct Cut {
    pub items: Vec<Value>,
    pub root: Value,
    pub link: Option<String>,
}

pub(crate) fn cut(page: &Page, request: &Request, all: &[Value]) -> Cut {
    let number = |name: &str| request.query.get(name).and_then(Value::as_str)?.parse::<u64>().ok();
    let size = page.limit.as_deref().and_then(number).unwrap_or(page.size).clamp(1, page.most);
    let total = all.len() as u64;
    let asked = number(&page.param);
    let offset = match page.style {
        Style::Page => asked.unwrap_or(page.first).saturating_sub(page.first).saturating_mul(size),
        Style::Offset => asked.unwrap_or(page.first).saturating_sub(page.first),
        Style::Cursor => cursor_offset(request.query.get(&page.param)),
    };
    let end = offset.saturating_add(size).min(total);
    let next = (end < total && offset < total).then(|| match page.style {
        Style::Page => json!(offset / size + page.first + 1),
        Style::Offset => json!(end + page.first),
        Style::Cursor => json!(cursor(end)),
    });
    let root = json!({
        "number": offset / size + page.first, "size": size, "total": total, "pages": total.div_ceil(size),
        "offset": offset + page.first, "count": end.saturating_sub(offset), "next": next,
    });
    let link = page.links.then(|| links(page, request, next.as_ref()));
    let at = |value: u64| usize::try_from(value).unwrap_or(usize::MAX).min(all.len());
    let items = if offset < end { all[at(offset)..at(end)].to_vec() } else { Vec::new() };
    Cut { items, root, link }
}

/// Looks like nothing that a caller could make up.
fn cursor(offset: u64) -> String {
    format!("c{offset:08x}")
}

fn cursor_offset(value: Option<&Value>) -> u64 {
    let digits = value.and_then(Value::as_str).and_then(|text| text.strip_prefix('c'));
    digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0)
}

fn links(page: &Page, request: &Request, next: Option<&Value>) -> String {
    let own = format!("<{}>; rel=\"self\"", address(request, &request.query));
    match next {
        None => own,
        Some(next) => {
            let mut query = request.query.clone();
            let text = next.as_str().map_or_else(|| next.to_string(), ToOwned::to_owned);
            query.insert(page.param.clone(), Value::String(text));
            format!("{own}, <{}>; rel=\"next\"", address(request, &query))
        }
    }
}

fn address(request: &Request, query: &Map<String, Value>) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in query {
        match value {
            Value::Array(all) => {
                text.extend_pairs(all.iter().filter_map(Value::as_str).map(|value| (name, value)));
            }
            value => {
                text.append_pair(name, value.as_str().unwrap_or_default());
            }
        }
    }
    let text = text.finish();
    let mark = if text.is_empty() { "" } else { "?" };
    format!("{}{}{mark}{text}", request.origin, request.raw_path)
}
