//! XML as objects in the compact form, and back.

use serde_json::{Value, json};

use super::{Expr, eval, fails};

#[test]
fn documents_are_read() {
    for (xml, wanted) in [
        (r#"<a b="1">t</a>"#, json!({"a": {"_attributes": {"b": "1"}, "_text": "t"}})),
        ("<a><b>1</b><b>2</b></a>", json!({"a": {"b": [{"_text": "1"}, {"_text": "2"}]}})),
        ("<a/>", json!({"a": {}})),
        ("<a><![CDATA[x<y]]></a>", json!({"a": {"_cdata": "x<y"}})),
        (
            r#"<?xml version="1.0" encoding="utf-8"?><a>x</a>"#,
            json!({"_declaration": {"_attributes": {"version": "1.0", "encoding": "utf-8"}}, "a": {"_text": "x"}}),
        ),
        ("<a>x<b/>y</a>", json!({"a": {"_text": ["x", "y"], "b": {}}})),
        ("<a><!-- c --><b>1</b></a>", json!({"a": {"_comment": " c ", "b": {"_text": "1"}}})),
        (
            r#"<s:E xmlns:s="u"><s:B>x</s:B></s:E>"#,
            json!({"s:E": {"_attributes": {"xmlns:s": "u"}, "s:B": {"_text": "x"}}}),
        ),
        ("<a> x </a>", json!({"a": {"_text": " x "}})),
        ("<a>\n <b> </b>\n</a>", json!({"a": {"b": {}}})),
        ("<a>&lt;&amp;&#233;</a>", json!({"a": {"_text": "<&\u{e9}"}})),
        (r#"<a b="&quot;x&amp;"/>"#, json!({"a": {"_attributes": {"b": "\"x&"}}})),
        ("<a>1<![CDATA[2]]>3</a>", json!({"a": {"_text": ["1", "3"], "_cdata": "2"}})),
        ("<a/><b/>", json!({"a": {}, "b": {}})),
        ("", json!({})),
    ] {
        assert_eq!(eval("$xmlToJs(xml)", &json!({"xml": xml})), Some(wanted), "{xml}");
    }
    let options = "$xmlToJs('<a b=\"1\"> x </a>', {'compact': true, 'trim': true, 'ignoreAttributes': true})";
    assert_eq!(eval(options, &Value::Null), Some(json!({"a": {"_text": "x"}})));
}

#[test]
fn what_is_no_document_or_hostile_is_an_error() {
    let deep = format!("{}{}", "<a>".repeat(5000), "</a>".repeat(5000));
    let bomb = r#"<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>"#;
    let file = r#"<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>"#;
    let read = Expr::compile("$xmlToJs(xml)", &[]).unwrap();
    for xml in [&deep, bomb, file, "<a>&b;</a>", "<a><b></a>", "<a>", "x", "<a b=1/>"] {
        assert!(read.eval(&json!({"xml": xml})).is_err(), "{}", &xml[..xml.len().min(60)]);
    }
    assert!(read.eval(&json!({"xml": format!("<a>{}</a>", " ".repeat(5 << 20))})).is_err(), "too long");
    assert!(fails("$xmlToJs(nope)"));
    assert!(fails("$xmlToJs('<a/>', {'nativeType': true})"));
}

#[test]
fn objects_are_written() {
    for (object, wanted) in [
        (json!({"a": {"_attributes": {"b": "1"}, "_text": "t"}}), "<a b=\"1\">t</a>"),
        (json!({"a": {"b": [{"_text": "1"}, {"_text": "2"}]}}), "<a>\n    <b>1</b>\n    <b>2</b>\n</a>"),
        (json!({"a": {}}), "<a/>"),
        (json!({"a": null}), "<a/>"),
        (json!({"a": "x"}), "<a>x</a>"),
        (
            json!({"a": {"b": "x", "c": true, "d": null}}),
            "<a>\n    <b>x</b>\n    <c>true</c>\n    <d/>\n</a>",
        ),
        (json!({"a": {"_cdata": "x<y"}}), "<a><![CDATA[x<y]]></a>"),
        (json!({"a": {"_cdata": "a]]>b"}}), "<a><![CDATA[a]]]]><![CDATA[>b]]></a>"),
        (
            json!({"_declaration": {"_attributes": {"version": "1.0"}}, "a": {"b": {"_text": "<&>\"'"}}}),
            "<?xml version=\"1.0\"?>\n<a>\n    <b>&lt;&amp;&gt;\"'</b>\n</a>",
        ),
        (json!({"a": ["x", "y"]}), "<a>x</a>\n<a>y</a>"),
        (
            json!({"a": {"b": ["x", {"c": "z"}]}}),
            "<a>\n    <b>x</b>\n    <b>\n        <c>z</c>\n    </b>\n</a>",
        ),
        (json!({"a": {"_comment": " c "}}), "<a>\n    <!-- c -->\n</a>"),
        (json!({"a": {"_text": ["x", "y"]}}), "<a>xy</a>"),
        (json!({"a": {"_text": "x", "b": "y"}}), "<a>x\n    <b>y</b>\n</a>"),
        (json!({"a": {"_text": 5}}), "<a>5</a>"),
        (json!({"a": {"_text": ""}}), "<a></a>"),
        (json!({"a": {"_attributes": {"n": 1, "u": null}}}), "<a n=\"1\"/>"),
        (json!({"a": {"_attributes": {"q": "\"<&>"}}}), "<a q=\"&quot;&lt;&amp;&gt;\"/>"),
        (json!({}), ""),
    ] {
        assert_eq!(eval("$jsToXml(o)", &json!({"o": object})), Some(json!(wanted)), "{object}");
    }
    assert_eq!(
        eval("$jsToXml({'a': {'b': 'x'}}, {'spaces': 0})", &Value::Null),
        Some(json!("<a><b>x</b></a>"))
    );
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let deep = (0..100).fold(json!("x"), |inner, _| json!({"a": inner}));
    let write = Expr::compile("$jsToXml(o)", &[]).unwrap();
    for object in [
        deep,
        json!({"a b": 1}),
        json!({"a": {"><b": 1}}),
        json!({"a": {"_attributes": {"x y": 1}}}),
        json!({"_doctype": "a", "a": {}}),
        json!({"a": {"_comment": "x --> y"}}),
        json!({"a": [["x"]]}),
        json!("a"),
    ] {
        assert!(write.eval(&json!({"o": object})).is_err(), "{object}");
    }
    assert!(fails("$jsToXml(nope)"));
}
