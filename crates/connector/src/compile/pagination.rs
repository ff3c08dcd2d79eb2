//! `pagination`: how lists are walked.

use koine_model::NameMap;

use super::{ANSWER_ROOTS, ASK_ROOTS, one_of};
use crate::compiled::{PageStyle, Pagination};
use crate::problem::Problems;
use crate::reader::Reader;
use crate::yaml::{Data, Node};

/// What the expression for the next page sees.
const DYNAMIC_ROOTS: &[&str] = &[
    "id",
    "query",
    "rawQuery",
    "body",
    "before",
    "context",
    "response",
    "data",
    "status",
    "headers",
    "pagination",
];

pub(super) fn pagination(node: &Node, problems: &mut Problems) -> Option<Pagination> {
    let reader = Reader::new(node, "pagination", problems)?;
    let format = reader.required("format", problems);
    let empty = Node { place: node.place.clone(), data: Data::Map(NameMap::default()) };
    let config = Reader::new(reader.node("config").unwrap_or(&empty), "pagination config", problems)?;
    let style = match format.as_str() {
        "link_header" => PageStyle::LinkHeader,
        "cursor" => PageStyle::Cursor {
            path: config.expr("cursor_path", ANSWER_ROOTS, problems)?,
            param: config.text("cursor_param", problems).unwrap_or("cursor").to_owned(),
            is_link: config.boolean("is_cursor_link", problems).unwrap_or(false),
        },
        "page" => PageStyle::Page {
            param: config.required("page_param", problems),
            first: config.number("first_page", problems).unwrap_or(1),
            total: config.expr("total_pages", ANSWER_ROOTS, problems),
        },
        "offset" => PageStyle::Offset {
            param: config.required("offset_param", problems),
            first: config.number("first_offset", problems).unwrap_or(0),
            total: config.expr("total", ANSWER_ROOTS, problems),
        },
        "range" => PageStyle::Range {
            unit: config.text("range_unit", problems).unwrap_or("items").to_owned(),
            first: config.number("first_offset", problems).unwrap_or(0),
        },
        "dynamic" => PageStyle::Dynamic {
            initial: config.expr("get_initial_pagination_values_expression", ASK_ROOTS, problems)?,
            next: config.expr("get_pagination_values_expression", DYNAMIC_ROOTS, problems)?,
        },
        other => {
            let known = ["link_header", "cursor", "page", "offset", "range", "dynamic"];
            one_of(other, &known, &node.place, problems);
            return None;
        }
    };
    let pagination = Pagination {
        style,
        limit_param: config.text("limit_param", problems).map(ToOwned::to_owned),
        max_limit: config.number("max_limit", problems),
        default_limit: config.number("default_limit", problems),
        in_body: config.boolean("in_body", problems).unwrap_or(false),
    };
    config.finish(problems);
    reader.finish(problems);
    Some(pagination)
}
