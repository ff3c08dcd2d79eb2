//! Markdown as HTML.

use serde_json::json;

use super::{Expr, eval, fails};

#[test]
fn markdown_becomes_html() {
    for (markdown, wanted) in [
        ("# T", "<h1>T</h1>\n"),
        ("a\nb", "<p>a\nb</p>\n"),
        ("a **b** _c_ ~~d~~ `e`", "<p>a <strong>b</strong> <em>c</em> <del>d</del> <code>e</code></p>\n"),
        ("* x\n* y", "<ul>\n<li>x</li>\n<li>y</li>\n</ul>\n"),
        ("1. x\n2. y", "<ol>\n<li>x</li>\n<li>y</li>\n</ol>\n"),
        ("[t](https://example.com/?a=1&b=2)", "<p><a href=\"https://example.com/?a=1&amp;b=2\">t</a></p>\n"),
        ("<b>x</b>", "<p><b>x</b></p>\n"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>\n"),
        ("```js\nx < 1\n```", "<pre><code class=\"language-js\">x &lt; 1\n</code></pre>\n"),
        ("> q", "<blockquote>\n<p>q</p>\n</blockquote>\n"),
        ("", ""),
    ] {
        let input = json!({"m": markdown});
        assert_eq!(eval("$convertMarkdownToHtml(m)", &input), Some(json!(wanted)), "{markdown}");
    }
    let input = json!({"m": "a\nb", "table": "|a|\n|-|\n|1|"});
    assert_eq!(
        eval("$convertMarkdownToHtml(m, {'breaks': true})", &input),
        Some(json!("<p>a<br />\nb</p>\n"))
    );
    let table = eval("$replace($convertMarkdownToHtml(table), '\\n', '')", &input).unwrap();
    assert_eq!(
        table.as_str(),
        Some("<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>")
    );
}

#[test]
fn what_is_no_text_or_too_long_is_an_error() {
    for source in [
        "$convertMarkdownToHtml(nope)",
        "$convertMarkdownToHtml(null)",
        "$convertMarkdownToHtml('a', {'gfm': false})",
    ] {
        assert!(fails(source), "{source}");
    }
    let expr = Expr::compile("$convertMarkdownToHtml(m)", &[]).unwrap();
    assert!(expr.eval(&json!({"m": "a\n".repeat(1 << 20)})).is_err());
}
