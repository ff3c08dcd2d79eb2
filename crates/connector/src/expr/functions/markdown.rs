//! `$convertMarkdownToHtml`, for tickets and messages.

use jsonata_core::value::JValue;
use pulldown_cmark::{Event, Options, Parser, html};

use super::values::truthy;
use super::{Entry, LONGEST_TEXT, Outcome, arg, fail, known_options, text};

pub(super) const TABLE: &[Entry] = &[("convertMarkdownToHtml", to_html)];

/// `$convertMarkdownToHtml(markdown, {breaks})`. HTML inside the Markdown stays what it is, as Markdown has it.
fn to_html(args: &[JValue]) -> Outcome {
    let options = arg(args, 1);
    known_options(options, &["breaks"], "$convertMarkdownToHtml has one option, breaks")?;
    let Some(markdown) = arg(args, 0).as_str().filter(|markdown| markdown.len() <= LONGEST_TEXT / 4) else {
        return fail("$convertMarkdownToHtml needs a text of bounded length");
    };
    let breaks = options.get("breaks").is_some_and(truthy);
    let extensions = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events = Parser::new_ext(markdown, extensions).map(|event| match event {
        Event::SoftBreak if breaks => Event::HardBreak,
        event => event,
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    text(out)
}
