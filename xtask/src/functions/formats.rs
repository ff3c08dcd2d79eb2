//! What is said of the functions that read and write other formats.

use super::table::{Doc, doc};

pub(super) const URLS: &[Doc] = &[
    doc(
        &["parseUrl"],
        "$parseUrl(text)",
        "`href`, `origin`, `protocol`, `username`, `password`, `host`, `hostname`, `port`, `pathname`, `hash`, `search` and \
         `searchParams`. What is no absolute URL is an error.",
        r#"$parseUrl("https://example.com/users?page=2").searchParams.get("page")"#,
        r#""2""#,
    ),
    doc(
        &["parseQuery"],
        "$parseQuery(text, {ignoreQueryPrefix = false})",
        "The values of a query string, by the rules of the library `qs`: brackets nest, five deep; `a[]`, `a[0]` and a \
         repeated name make lists, of up to 20 items (longer ones become objects by position); 1000 pairs are read. \
         `ignoreQueryPrefix` skips a leading `?`. Nothing gives `{}`.",
        r#"$parseQuery("a[b]=c&d[]=1&d[]=2")"#,
        r#"{"a":{"b":"c"},"d":["1","2"]}"#,
    ),
    doc(
        &["stringifyQuery"],
        r#"$stringifyQuery(object, {arrayFormat = "indices", encode = true})"#,
        "A query string, by the same rules. Lists are written as `arrayFormat` says: `indices`, `brackets`, `repeat` or \
         `comma`. Null is an empty value, an empty list or object is left out, a date is its ISO text, nothing gives `\"\"`.",
        r#"[$stringifyQuery({"a": [1, 2]}), $stringifyQuery({"a": {"b": "x"}, "c": [1, 2]}, {"arrayFormat": "repeat", "encode": false})]"#,
        r#"["a%5B0%5D=1&a%5B1%5D=2","a[b]=x&c=1&c=2"]"#,
    ),
];

pub(super) const FORMATS: &[Doc] = &[
    doc(
        &["convertQueryToSql"],
        "$convertQueryToSql(query, keys = [], rename = {}, types = {}, operators = {}, options = {})",
        "A condition for query languages that look like SQL. A value means equal, a list any of them, an object has a condition \
         for each of `eq`, `ne`, `gt`, `gte`, `lt`, `lte`, `in`, `nin` and `like`; null and nothing are skipped. `keys` chooses the \
         filters, `rename` gives their columns, `operators` other words. `types`, by the filter's own name, says how a value is \
         written: `string` in quotes, `date`, `date|<tokens>` in quotes, `dotnetdate`, or an object that maps values. **What has no type is \
         written as it is**: give one to all that callers send. `options`: `useDoubleQuotes`, `noQuotes`, `noQuotesForDate`, \
         `escapeSingleQuotes`, `useOrForIn`, `conjunction`, `noSpaceBetweenOperator`, `groupComparisonInBrackets`. Safer than \
         mappings from elsewhere may expect: a quote inside a quoted value is doubled; with `escapeSingleQuotes` it gets a \
         backslash, and a backslash another; columns without `rename` must be plain names; a date that cannot be \
         read, an unknown operator and the key `or` are errors.",
        r#"$convertQueryToSql({"name": "O'Hara", "created_at": {"gt": "2024-03-05T10:00:00Z"}}, [], {"name": "Name"}, {"name": "string", "created_at": "date|yyyy-MM-dd"})"#,
        r#""Name = 'O''Hara' AND created_at > '2024-03-05'""#,
    ),
    doc(
        &["xmlToJs"],
        "$xmlToJs(xml, {trim = false, ignoreAttributes = false})",
        "The document as an object: an element has `_attributes`, `_text`, `_cdata` and its elements by name; what is repeated \
         is a list. What is no XML, is nested more than 64 deep, or has a document type is an error.",
        r#"$xmlToJs("<user id='7'><tag>a</tag><tag>b</tag></user>")"#,
        r#"{"user":{"_attributes":{"id":"7"},"tag":[{"_text":"a"},{"_text":"b"}]}}"#,
    ),
    doc(
        &["jsToXml"],
        "$jsToXml(object, {spaces = 4})",
        "XML of an object in the same form, one line for each element, texts and attributes escaped. A key that is no name \
         of an element is an error.",
        r#"$jsToXml({"user": {"_attributes": {"id": 7}, "name": "A & B"}}, {"spaces": 0})"#,
        r#""<user id=\"7\"><name>A &amp; B</name></user>""#,
    ),
    doc(
        &["convertMarkdownToHtml"],
        "$convertMarkdownToHtml(markdown, {breaks = false})",
        "HTML of CommonMark with tables, strikethrough and task lists; `breaks` keeps line ends. HTML inside the Markdown stays, and bare \
         addresses do not become links. What is no text is an error.",
        r#"$convertMarkdownToHtml("a **b**")"#,
        r#""<p>a <strong>b</strong></p>\n""#,
    ),
];
