//! Lists that steps and proofs read are read to their end: one page proves no absence.

use koine_model::{Request, Response};
use serde_json::Value;

use super::list::page_size;
use super::{Failure, Plan, Step};
use crate::compiled::{PageStyle, Pagination, RequestSpec};
use crate::expr::Expr;

/// Most pages of one such list.
const MOST_PAGES: u32 = 100;

/// Where the reading of a list stands.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The next page; `None` for the first.
    cursor: Option<String>,
    items: Vec<Value>,
    pages: u32,
}

/// How a step's list is walked; computed pages are the main request's alone.
fn walked(spec: &RequestSpec) -> Option<&Pagination> {
    let pages = spec.pagination.as_ref().filter(|_| spec.reads);
    pages.filter(|pages| !matches!(pages.style, PageStyle::Dynamic { .. }))
}

impl Plan {
    /// Asks for the page that is next.
    pub(super) fn place_on_gathered(&self, spec: &RequestSpec, request: &mut Request) -> Step<()> {
        let Some(pages) = walked(spec) else { return Ok(()) };
        self.place_at(pages, self.gathered.cursor.clone(), size(pages), request)
    }

    /// What `select` picks of an answer, after the pages before it. `None`: there are more, and the same step asks
    /// for the next one.
    ///
    /// A record that moves to a page already read while others are removed is missed; such lists are read again
    /// until the tries are used up, and a membership that shows once is believed.
    pub(super) fn whole(
        &mut self,
        spec: &RequestSpec,
        select: Option<&Expr>,
        response: &Response,
    ) -> Step<Option<Option<Value>>> {
        let at = self.at_path(spec, response)?;
        let (Some(pages), Some(Value::Array(items))) = (walked(spec), &at) else {
            return self.selected(select, response, at).map(Some);
        };
        let current = self.gathered.cursor.clone();
        let next = self.next_cursor(pages, response, items.len(), current.as_deref(), size(pages))?;
        let next = next.filter(|next| current.as_ref() != Some(next) && !items.is_empty());
        self.gathered.items.extend(items.iter().cloned());
        if let Some(next) = next {
            self.gathered.pages += 1;
            if self.gathered.pages >= MOST_PAGES {
                return Err(Failure::Unreachable(format!(
                    "`{}` has more than {MOST_PAGES} pages",
                    spec.name
                )));
            }
            self.gathered.cursor = Some(next);
            self.tries = 0;
            self.delay_ms = 0;
            return Ok(None);
        }
        let all = Value::Array(std::mem::take(&mut self.gathered).items);
        self.selected(select, response, Some(all)).map(Some)
    }
}

/// The largest page, for the fewest requests.
fn size(pages: &Pagination) -> Option<u64> {
    pages.max_limit.or_else(|| page_size(pages, None))
}
