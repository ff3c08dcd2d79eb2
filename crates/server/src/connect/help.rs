//! A connector's instructions as a part of a page: for a customer, who has no command line of ours, and harmless.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Parser, Tag, TagEnd, html};

/// What begins so is meant for an operator.
const COMMAND: &str = "koine ";

/// HTML of the instructions. Markup in them is text, pictures are left out, links open beside the page.
pub(super) fn html(markdown: &str) -> String {
    let mut text = String::new();
    html::push_html(&mut text, without_commands(events(markdown)).into_iter());
    text
}

fn events(markdown: &str) -> Vec<Event<'_>> {
    let (mut all, mut skipped) = (Vec::new(), 0_u32);
    for event in Parser::new(markdown) {
        match &event {
            // The page has a title of its own.
            Event::Start(Tag::Heading { level: HeadingLevel::H1, .. } | Tag::Image { .. }) => skipped += 1,
            Event::End(TagEnd::Heading(HeadingLevel::H1) | TagEnd::Image) => {
                skipped = skipped.saturating_sub(1);
                continue;
            }
            _ => {}
        }
        if skipped == 0 {
            all.push(plain(event));
        }
    }
    all
}

fn plain(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Heading { id, classes, attrs, .. }) => {
            Event::Start(Tag::Heading { level: HeadingLevel::H3, id, classes, attrs })
        }
        Event::End(TagEnd::Heading(_)) => Event::End(TagEnd::Heading(HeadingLevel::H3)),
        Event::Start(Tag::Link { dest_url, .. }) => Event::InlineHtml(link(&dest_url)),
        Event::End(TagEnd::Link) => Event::InlineHtml(CowStr::Borrowed("</a>")),
        other => other,
    }
}

/// Only the web: no scripts, no mail, nothing relative to us.
fn link<'a>(address: &str) -> CowStr<'a> {
    match url::Url::parse(address).ok().filter(|url| url.scheme() == "https") {
        Some(url) => {
            let address = url.as_str().replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
            format!(r#"<a href="{address}" target="_blank" rel="noopener noreferrer">"#).into()
        }
        None => CowStr::Borrowed("<a>"),
    }
}

/// Paragraphs, list items and blocks of code that hold a command of ours go.
fn without_commands(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut kept: Vec<Event<'_>> = Vec::new();
    let mut block: Vec<Event<'_>> = Vec::new();
    let mut depth = 0_u32;
    for event in events {
        let opens = matches!(event, Event::Start(Tag::Paragraph | Tag::Item | Tag::CodeBlock(_)));
        let closes = matches!(event, Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock));
        depth += u32::from(opens);
        block.push(event);
        depth -= u32::from(closes);
        if depth == 0 {
            let is_command = block.iter().any(is_command);
            kept.extend(block.drain(..).filter(|_| !is_command));
        }
    }
    kept
}

fn is_command(event: &Event<'_>) -> bool {
    match event {
        Event::Code(text) => text.starts_with(COMMAND),
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => &**language == "sh",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn instructions_run_nothing_here() {
        let text = html(
            "# Title <script>\n\nSee [docs](https://example.com/?a=\"b\"&c) and [not](javascript:alert(1)).\n\n\
             <script>alert(2)</script>\n\n![x](https://example.com/x.png) <img src=x onerror=y>\n\n## Then\n",
        );
        assert!(
            !text.contains("<script") && !text.contains("<img") && !text.contains("javascript:"),
            "{text}"
        );
        assert!(!text.contains("Title") && text.contains("<h3>Then</h3>"), "{text}");
        let link = r#"<a href="https://example.com/?a=%22b%22&amp;c" target="_blank" rel="noopener noreferrer">docs</a>"#;
        assert!(text.contains(link) && text.contains("<a>not</a>"), "{text}");
    }

    #[test]
    fn commands_are_for_operators() {
        let text = html(
            "1. Copy the token.\n2. `koine account add x`\n\n```sh\nkoine serve\n```\n\nAfter `koine matrix`.\n\nEnd.\n",
        );
        assert!(text.contains("Copy the token.") && text.contains("End."), "{text}");
        assert!(!text.contains("koine") && !text.contains("<pre"), "{text}");
    }
}
