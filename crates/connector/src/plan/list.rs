//! Reads: one record, or a page of a list in the vendor's style of walking.

use std::borrow::Cow;

use koine_model::{Body, Request, Response};
use serde_json::{Value, json};
use url::Url;

use super::scope::body_of;
use super::{Failure, Plan, Stage, Step, Success, broken};
use crate::authorize::host_of;
use crate::compiled::{PageStyle, Pagination, RequestSpec, Row};
use crate::expr::Expr;

/// Most empty pages that are read past before the list is called ended.
const MOST_EMPTY_PAGES: u32 = 10;

/// Where a list call stands.
#[derive(Debug, Default)]
pub(super) struct Pages {
    /// The cursor of the page being read, when it is not the caller's.
    cursor: Option<String>,
    /// The values of the first page of a `dynamic` list.
    initial: Option<Value>,
    empty: u32,
}

impl Plan {
    pub(super) fn is_list(&self) -> bool {
        matches!(self.ask.method.as_str(), "list" | "find")
    }

    /// Adds page parameters to a list request, or replaces its URL by the next link.
    pub(super) fn place_on_page(&mut self, spec: &RequestSpec, request: &mut Request) -> Step<()> {
        let Some(pages) = spec.pagination.as_ref().filter(|_| self.is_list()) else { return Ok(()) };
        let cursor = self.pages.cursor.clone().or_else(|| self.ask.cursor.clone());
        self.place_at(pages, cursor, page_size(pages, self.ask.limit), request)
    }

    /// Makes the request one for the page at `cursor`, of `limit` records.
    pub(super) fn place_at(
        &self,
        pages: &Pagination,
        cursor: Option<String>,
        limit: Option<u64>,
        request: &mut Request,
    ) -> Step<()> {
        let is_link = matches!(pages.style, PageStyle::LinkHeader | PageStyle::Cursor { is_link: true, .. });
        if let Some(link) = cursor.as_ref().filter(|_| is_link) {
            request.url = self.checked_link(link)?;
            return Ok(());
        }
        let mut params: Vec<(&str, Value)> = Vec::new();
        if let (Some(param), Some(limit)) = (&pages.limit_param, limit) {
            params.push((param, json!(limit)));
        }
        match (&pages.style, cursor) {
            (PageStyle::Cursor { param, .. }, Some(cursor)) => params.push((param, json!(cursor))),
            (PageStyle::Page { param, first, .. } | PageStyle::Offset { param, first, .. }, cursor) => {
                let number = cursor.and_then(|text| text.parse().ok()).unwrap_or(*first);
                params.push((param, json!(number)));
            }
            (PageStyle::Range { unit, first }, cursor) => {
                let from = cursor.and_then(|text| text.parse().ok()).unwrap_or(*first);
                let to = from.saturating_add(limit.unwrap_or(100) - 1);
                request.headers.push(("range".to_owned(), format!("{unit}={from}-{to}")));
            }
            (PageStyle::LinkHeader | PageStyle::Cursor { .. } | PageStyle::Dynamic { .. }, _) => {}
        }
        place(request, params, pages.in_body);
        Ok(())
    }

    /// What requests of a `dynamic` list see as `pagination`.
    pub(super) fn page_values(&self) -> Option<Cow<'_, Value>> {
        let cursor = self.pages.cursor.as_deref().or(self.ask.cursor.as_deref());
        match cursor {
            Some(text) => serde_json::from_str(text).ok().filter(Value::is_object).map(Cow::Owned),
            None => self.pages.initial.as_ref().map(Cow::Borrowed),
        }
    }

    /// Computes the values of the first page of a `dynamic` list.
    pub(super) fn begin_pages(&mut self, spec: &RequestSpec) -> Step<()> {
        let Some(Pagination { style: PageStyle::Dynamic { initial, .. }, .. }) = &spec.pagination else {
            return Ok(());
        };
        if self.pages.initial.is_none() {
            let limit = spec.pagination.as_ref().and_then(|pages| page_size(pages, self.ask.limit));
            let mut query = self.seen.query().clone();
            query["limit"] = json!(limit);
            let scope = self.scope(false).with("query", query);
            let value = initial.eval(&scope).map_err(|error| broken("pagination", &error))?;
            self.pages.initial = Some(value.unwrap_or_else(|| json!({})));
        }
        Ok(())
    }

    /// A link may only lead to where this account's requests go anyway.
    fn checked_link(&self, link: &str) -> Step<Url> {
        let url = self.base.join(link).map_err(|_| Failure::Input("the cursor is not valid".to_owned()))?;
        if url.scheme() == self.base.scheme() && host_of(&url) == host_of(&self.base) {
            return Ok(url);
        }
        // An emulator or a gateway in front of the vendor may name the vendor's own host in its links.
        Err(Failure::Input(format!("the next link leads to another host, {}", host_of(&url))))
    }

    /// The answer to the main request of a read.
    pub(super) fn page_or_record(&mut self, spec: &RequestSpec, row: &Row, response: Response) -> Step<()> {
        if !self.is_list() {
            // One of a list is looked for to the end of it.
            let Some(record) = self.whole(spec, row.select.as_ref(), &response)? else { return Ok(()) };
            let Some(record) = record.filter(|value| !value.is_null()) else { return Err(Failure::NotFound) };
            self.keep_main(response);
            self.end(Ok(Success::Record(record)), None, None);
            return Ok(());
        }
        let at = self.at_path(spec, &response)?;
        // What the vendor counts as a page, whatever is picked of it.
        let count = at.as_ref().and_then(Value::as_array).map_or(0, Vec::len);
        let picked = self.selected(row.select.as_ref(), &response, at)?;
        let items = match picked {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(one) => vec![one],
        };
        let current = self.pages.cursor.clone().or_else(|| self.ask.cursor.clone());
        let next = match &spec.pagination {
            Some(pages) => {
                let size = page_size(pages, self.ask.limit);
                self.next_cursor(pages, &response, count.max(items.len()), current.as_deref(), size)?
            }
            None => None,
        };
        let looping = next.is_some() && next == current;
        let next = next.filter(|_| !looping);
        if items.is_empty() && next.is_some() && self.pages.empty < MOST_EMPTY_PAGES {
            self.pages.empty += 1;
            self.pages.cursor = next;
            return self.go(Stage::Main).map(|_| ());
        }
        let next = next.filter(|_| !items.is_empty());
        self.keep_main(response);
        self.end(Ok(Success::List { items, next, looping }), None, None);
        Ok(())
    }

    /// Where the vendor says the next page begins, after one of `count` of at most `size`.
    pub(super) fn next_cursor(
        &self,
        pages: &Pagination,
        response: &Response,
        count: usize,
        current: Option<&str>,
        size: Option<u64>,
    ) -> Step<Option<String>> {
        let eval = |what: &str, expr: &Expr| -> Step<Option<Value>> {
            let scope = self.answer_scope(response, body_of(response)?.unwrap_or(Value::Null), false);
            expr.eval(&scope).map_err(|error| broken(what, &error))
        };
        let number = |expr: &Option<Expr>| -> Step<Option<u64>> {
            let value = expr.as_ref().map_or(Ok(None), |expr| eval("pagination", expr))?;
            Ok(value.as_ref().and_then(as_u64))
        };
        let full = size.is_none_or(|limit| count as u64 >= limit);
        Ok(match &pages.style {
            PageStyle::LinkHeader => next_link(response),
            PageStyle::Cursor { path, .. } => {
                let value = eval("cursor_path", path)?;
                value.and_then(|value| match value {
                    Value::String(text) if !text.is_empty() => Some(text),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                })
            }
            PageStyle::Page { first, total, .. } => {
                let page: u64 = current.and_then(|text| text.parse().ok()).unwrap_or(*first);
                let after = page.saturating_add(1);
                let more = match number(total)? {
                    Some(total) => after < total.saturating_add(*first),
                    None => full && count > 0,
                };
                more.then(|| after.to_string())
            }
            PageStyle::Offset { first, total, .. } => {
                let offset: u64 = current.and_then(|text| text.parse().ok()).unwrap_or(*first);
                let after = offset.saturating_add(count as u64);
                let more = match number(total)? {
                    Some(total) => after < total.saturating_add(*first) && count > 0,
                    None => full && count > 0,
                };
                more.then(|| after.to_string())
            }
            PageStyle::Range { first, .. } => {
                let from: u64 = current.and_then(|text| text.parse().ok()).unwrap_or(*first);
                next_range(response, from, count as u64, full)
            }
            PageStyle::Dynamic { next, .. } => {
                let value = eval("pagination", next)?;
                value.filter(Value::is_object).map(|values| values.to_string())
            }
        })
    }
}

/// Into the query, or into the body: of a GraphQL request among its variables.
fn place(request: &mut Request, params: Vec<(&str, Value)>, in_body: bool) {
    if !in_body {
        if !params.is_empty() {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            let is_placed = |name: &str| params.iter().any(|(own, _)| *own == name);
            // A request that writes a page parameter into its query means the first page.
            let own: Vec<(String, String)> = request
                .url
                .query_pairs()
                .filter(|(name, _)| !is_placed(name))
                .map(|(a, b)| (a.into(), b.into()))
                .collect();
            request
                .url
                .query_pairs_mut()
                .clear()
                .extend_pairs(own)
                .extend_pairs(params.iter().map(|(name, value)| (name, text(value))));
        }
        return;
    }
    if let Some(Body::Json(Value::Object(body))) = &mut request.body {
        let inside = if body.contains_key("variables") { body.get_mut("variables") } else { None };
        let into = match inside {
            Some(Value::Object(variables)) => variables,
            _ => body,
        };
        into.extend(params.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
}

/// `Content-Range: items 0-99/250` says where the list ends; `*` does not.
fn next_range(response: &Response, from: u64, count: u64, full: bool) -> Option<String> {
    let total = response.header("content-range").and_then(|text| text.rsplit_once('/'));
    let total = total.and_then(|(_, total)| total.trim().parse::<u64>().ok());
    let after = from.saturating_add(count);
    let more = total.map_or(full, |total| after < total) && count > 0;
    more.then(|| after.to_string())
}

fn as_u64(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

pub(super) fn page_size(pages: &Pagination, wanted: Option<u64>) -> Option<u64> {
    let size = wanted.or(pages.default_limit).or(pages.max_limit)?;
    Some(pages.max_limit.map_or(size, |most| size.min(most)).max(1))
}

/// The URL of the `rel="next"` entry of all Link headers.
fn next_link(response: &Response) -> Option<String> {
    let headers = response.headers.iter().filter(|(name, _)| name == "link");
    headers.flat_map(|(_, value)| split_links(value)).find_map(|(url, params)| {
        let rel = params.split(';').map(str::trim).find_map(|param| param.strip_prefix("rel="))?;
        rel.trim_matches('"').split_ascii_whitespace().any(|word| word == "next").then_some(url)
    })
}

/// `<url>; params, <url>; params`: commas inside the angle brackets do not separate.
fn split_links(value: &str) -> Vec<(String, String)> {
    let mut links = Vec::new();
    let mut rest = value;
    while let Some((_, tail)) = rest.split_once('<') {
        let Some((url, tail)) = tail.split_once('>') else { break };
        let end = tail.find(",").unwrap_or(tail.len());
        links.push((url.to_owned(), tail[..end].trim_start_matches(';').to_owned()));
        rest = &tail[end..];
    }
    links
}
