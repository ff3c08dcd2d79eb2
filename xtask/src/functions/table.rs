//! What is said of each function. The results of the examples are checked whenever the page is written.

use super::formats;

/// Functions that are documented in one row.
pub(super) struct Doc {
    /// Their names, without `$`.
    pub names: &'static [&'static str],
    /// How they are called.
    pub call: &'static str,
    /// What they give, edge cases included.
    pub gives: &'static str,
    /// An expression that needs no input.
    pub example: &'static str,
    /// What it gives, as JSON; `nothing` for nothing.
    pub result: &'static str,
}

/// A section of the page.
pub(super) struct Group {
    pub title: &'static str,
    pub about: &'static str,
    pub docs: &'static [Doc],
}

pub(super) const fn doc(
    names: &'static [&'static str],
    call: &'static str,
    gives: &'static str,
    example: &'static str,
    result: &'static str,
) -> Doc {
    Doc { names, call, gives, example, result }
}

pub(super) const TABLE: &[Group] = &[
    Group { title: "Empty values and look-ups", about: "", docs: EMPTY },
    Group {
        title: "Lists and objects",
        about: "A value that is no list counts as a list of itself. A `key` may be a path such as `name.first`. A `test` \
                is the name of a property that must be truthy, an object whose properties must be equal, or \
                `[key, value]`.",
        docs: LISTS,
    },
    Group { title: "Text, identifiers, encoding", about: "", docs: TEXT },
    Group {
        title: "URLs",
        about: "`searchParams` of a parsed URL has `size` and the methods `get`, `has`, `getAll`, `keys`, `values`, \
                `entries` and `toString`; `get` of a name that is not there is null.",
        docs: formats::URLS,
    },
    Group { title: "Other formats", about: "", docs: formats::FORMATS },
    Group {
        title: "Dates",
        about: "A date has `year`, `month`, `day`, `hour`, `minute`, `second`, `millisecond`, `weekday`, `zoneName`, \
                `isValid` and more as properties, and the methods of the next section. In a result it becomes its ISO text. Texts that cannot be \
                read, and values that are no texts, give an invalid date: its texts are null, `isValid` is false. \
                Where no zone is said it is UTC. Compare dates by `toMillis()`.",
        docs: super::dates::DATES,
    },
];

const EMPTY: &[Doc] = &[
    doc(
        &["firstNonEmpty"],
        "$firstNonEmpty(value, …)",
        "The first value that is neither null nor nothing. `\"\"`, `[]`, `false` and `0` are values.",
        r#"$firstNonEmpty(nope, null, "", "a")"#,
        r#""""#,
    ),
    doc(
        &["mapValues"],
        "$mapValues(value, mapping, lowerCase = false, default = null)",
        "What `mapping` has for the value, ignoring case; the value itself when it has nothing. Lists and objects are \
         mapped value by value; booleans pass through (wrap them in `$string`). `default` stands in for a missing \
         value only. `lowerCase` says that the mapping's keys are in lower case already.",
        r#"$mapValues(["ADMIN", "x"], {"Admin": "administrator"})"#,
        r#"["administrator","x"]"#,
    ),
    doc(
        &["removeEmpty"],
        "$removeEmpty(value)",
        "The value when it is a text or list that is not empty, else nothing. Of an object only a `length` property is looked at, \
         so that most objects give nothing. Null and nothing are errors.",
        "$removeEmpty([null])",
        "[null]",
    ),
    doc(
        &["removeEmptyItems"],
        "$removeEmptyItems(list)",
        "The list without null, `\"\"`, `0`, `false` and empty lists and objects. What is no list comes back as it is.",
        r#"$removeEmptyItems(["a", "", null, {}, []])"#,
        r#"["a"]"#,
    ),
    doc(
        &["compact"],
        "$compact(list)",
        "The list without null, `\"\"`, `0` and `false`; nothing gives `[]`.",
        r#"$compact([0, 1, false, "", null, {}])"#,
        "[1,{}]",
    ),
    doc(
        &["toNumber"],
        "$toNumber(value)",
        "A number as JavaScript reads it: `\"\"` and null are 0, true is 1; what is no number becomes null in the result.",
        r#"[$toNumber(" 7 "), $toNumber(""), $toNumber("x")]"#,
        "[7,0,null]",
    ),
    doc(
        &["jsonParse"],
        "$jsonParse(text)",
        "The value that the JSON text holds; null for text that is not JSON, and for nothing.",
        r#"$jsonParse("{\"a\": [1]}")"#,
        r#"{"a":[1]}"#,
    ),
];

const LISTS: &[Doc] = &[
    doc(
        &["join"],
        r#"$join(list, separator = ",")"#,
        "The items as one text. Null is empty, numbers are fine, nothing gives `\"\"`.",
        r#"$join(["Ada", nope, "Byron"], " ")"#,
        r#""Ada Byron""#,
    ),
    doc(
        &["find"],
        "$find(list, test)",
        "The first item that passes, or nothing.",
        r#"$find([{"n": 1}, {"n": 2}], ["n", 2])"#,
        r#"{"n":2}"#,
    ),
    doc(
        &["lofilter"],
        "$lofilter(list, test)",
        "The items that pass, always as a list; nothing gives `[]`.",
        r#"$lofilter([{"on": true}, {"on": false}], "on")"#,
        r#"[{"on":true}]"#,
    ),
    doc(
        &["groupBy"],
        "$groupBy(list, key)",
        "An object from the key's text to the items that have it; items without it are under `undefined`.",
        r#"$groupBy([{"t": "a", "n": 1}, {"t": "a", "n": 2}], "t")"#,
        r#"{"a":[{"t":"a","n":1},{"t":"a","n":2}]}"#,
    ),
    doc(
        &["keyBy"],
        "$keyBy(list, key)",
        "An object from the key's text to the item; the last one wins.",
        r#"$keyBy([{"id": 1, "v": 1}, {"id": 1, "v": 2}], "id")"#,
        r#"{"1":{"id":1,"v":2}}"#,
    ),
    doc(
        &["orderBy"],
        r#"$orderBy(list, keys, orders)"#,
        "The items sorted by the keys in turn; an order of `desc` turns one round. Items without a key come last, with `desc` first.",
        r#"$orderBy([{"n": 1}, {"n": 3}, {"n": 2}], "n", "desc").n"#,
        "[3,2,1]",
    ),
    doc(
        &["chunk"],
        "$chunk(list, size = 1)",
        "The list cut into lists of this size.",
        "$chunk([1, 2, 3], 2)",
        "[[1,2],[3]]",
    ),
    doc(
        &["distinct"],
        "$distinct(list)",
        "The list with each item once. As JSONata has it, in a time that grows with the length alone.",
        "$distinct([1, 2, 1])",
        "[1,2]",
    ),
    doc(
        &["difference"],
        "$difference(list, other)",
        "The items that the other list does not have.",
        "$difference([1, 2, 3], [2])",
        "[1,3]",
    ),
    doc(
        &["flatten", "flattenDeep", "flattenDepth"],
        "$flatten(list), $flattenDeep(list), $flattenDepth(list, depth = 1)",
        "Lists inside the list opened: one level, all of them, or `depth`.",
        "[[$flatten([1, [2, [3]]])], [$flattenDeep([1, [2, [3]]])]]",
        "[[1,2,[3]],[1,2,3]]",
    ),
    doc(
        &["pick"],
        "$pick(object, keys)",
        "An object with these keys only; nothing gives `{}`.",
        r#"$pick({"a": 1, "b": {"c": 2, "d": 3}}, ["a", "b.c"])"#,
        r#"{"a":1,"b":{"c":2}}"#,
    ),
    doc(
        &["omit"],
        "$omit(object, keys)",
        "The object without these keys; nothing gives `{}`.",
        r#"$omit({"a": 1, "b": {"c": 2, "d": 3}}, ["a", "b.c"])"#,
        r#"{"b":{"d":3}}"#,
    ),
    doc(
        &["values"],
        "$values(object)",
        "The values as a list; nothing gives `[]`.",
        r#"$values({"a": 1, "b": 2})"#,
        "[1,2]",
    ),
    doc(
        &["each"],
        "$each(object, function)",
        "The results of `function(value, key)`; of what is no object, nothing. One result stands alone, none is nothing.",
        r#"$each({"a": 1, "b": 2}, function($v, $k) { $k & $v })"#,
        r#"["a1","b2"]"#,
    ),
    doc(
        &["sift"],
        "$sift(object, function)",
        "The object with the keys that `function(value, key)` keeps; nothing when it keeps none, or for what is no object.",
        r#"$sift({"a": 1, "b": 2}, function($v) { $v > 1 })"#,
        r#"{"b":2}"#,
    ),
];

const TEXT: &[Doc] = &[
    doc(
        &["wrap"],
        "$wrap(value, start, end = start)",
        "The value between two texts.",
        r#"$wrap("a", "<", ">")"#,
        r#""<a>""#,
    ),
    doc(
        &["pad"],
        r#"$pad(text, width, filler = " ")"#,
        "The text filled up to the width, on its left when the width is negative. The width has a limit.",
        r##"$pad("7", -3, "0")"##,
        r#""007""#,
    ),
    doc(
        &["base64encode"],
        "$base64encode(text, urlSafe = false)",
        "Base64 of the text's UTF-8; `urlSafe` uses `-` and `_` and no `=`. Nothing gives `\"\"`.",
        r#"[$base64encode("Zoë:pw"), $base64encode("??>>", true)]"#,
        r#"["Wm/Dqzpwdw==","Pz8-Pg"]"#,
    ),
    doc(
        &["base64decode"],
        "$base64decode(text)",
        "The text. Both alphabets are read, with or without `=`. Nothing is an error.",
        r#"$base64decode("Wm/Dqzpwdw==")"#,
        r#""Zoë:pw""#,
    ),
    doc(
        &["digest"],
        r#"$digest(text, algorithm = "SHA-256", format = "hex")"#,
        "A hash: `SHA-1`, `SHA-256`, `SHA-384` or `SHA-512`; as `hex`, `base64` or `base64-urlSafe`. `MD5` is there too, for \
         the addresses of Gravatar pictures: it protects nothing.",
        r#"$digest("a", "SHA-256", "base64-urlSafe")"#,
        r#""ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs""#,
    ),
    doc(
        &["sign"],
        r#"$sign(text, algorithm, secret, format = "hex")"#,
        "An HMAC with one of the SHA algorithms (`\"\"` is SHA-256) in the same formats, or with `RS256` an RSA signature \
         (RSASSA-PKCS1-v1_5, SHA-256) by an unencrypted PKCS#8 key in PEM. An empty secret is an error.",
        r#"$sign("a", "SHA-256", "k")"#,
        r#""78da91511e675587f5b9df78bedebaf5560da2abb88162ee875dcdf744951d9e""#,
    ),
    doc(
        &["mostSimilar"],
        "$mostSimilar(value, candidates, threshold = 0.8)",
        "The candidate most like the value, by `$diceCoefficient`; the value itself when none reaches the threshold. \
         What is no text is an error.",
        r#"[$mostSimilar("Adminstrator", ["Administrator", "Member"]), $mostSimilar("Guest", ["Member"])]"#,
        r#"["Administrator","Guest"]"#,
    ),
    doc(
        &["diceCoefficient"],
        "$diceCoefficient(text, other)",
        "How alike two texts are, from 0 to 1: their shared pairs of neighbouring letters (Sørensen and Dice). Only Latin letters and \
         digits count, in either case.",
        r#"[$diceCoefficient("night", "nacht"), $diceCoefficient("Read-only", "read only")]"#,
        "[0.25,1]",
    ),
    doc(&["uuid"], "$uuid()", "A random UUID (version 4).", "$length($uuid())", "36"),
];
