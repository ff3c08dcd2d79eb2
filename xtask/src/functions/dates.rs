//! What is said of dates and their methods.

use super::table::{Doc, Group, doc};

pub(super) const DATES: &[Doc] = &[
    doc(
        &["dtFromIso"],
        "$dtFromIso(text, zone)",
        "The date of an ISO 8601 text, seen from UTC or from `zone`.",
        r#"$dtFromIso("2024-03-05T10:00:00Z", "America/New_York").toISO()"#,
        r#""2024-03-05T05:00:00.000-05:00""#,
    ),
    doc(
        &["dtFromFormat"],
        "$dtFromFormat(text, format, {zone})",
        "The date of a text in a format of tokens (`yyyy`, `MM`, `dd`, `HH` …), or `ISO`, `RFC2822` or `fromSeconds`.",
        r#"$dtFromFormat("1709632800", "fromSeconds").toUTC().toISO()"#,
        r#""2024-03-05T10:00:00.000Z""#,
    ),
];

/// Methods of dates.
pub(super) const METHODS: Group = Group {
    title: "Methods of dates",
    about: "",
    docs: &[
        doc(
            &["plus", "minus"],
            "plus({unit: n}), minus({unit: n})",
            "The date moved by `years`, `months`, `weeks`, `days`, `hours`, `minutes`, `seconds`, `milliseconds`.",
            r#"$dtFromIso("2024-01-31").plus({"months": 1}).toISODate()"#,
            r#""2024-02-29""#,
        ),
        doc(
            &["set"],
            "set({unit: n})",
            "The date with these fields replaced.",
            r#"$dtFromIso("2024-03-05").set({"day": 1}).toISODate()"#,
            r#""2024-03-01""#,
        ),
        doc(
            &["startOf", "endOf"],
            "startOf(unit), endOf(unit)",
            "The first or last moment of the unit that the date is in.",
            r#"$dtFromIso("2024-03-05").endOf("month").toISO()"#,
            r#""2024-03-31T23:59:59.999+00:00""#,
        ),
        doc(
            &["setZone", "toUTC", "toLocal", "toJSDate"],
            "setZone(zone), toUTC(), toLocal(), toJSDate()",
            "The same moment seen from a zone, or from UTC.",
            r#"$dtFromIso("2024-03-05T10:00:00+02:00").toUTC().toISO()"#,
            r#""2024-03-05T08:00:00.000Z""#,
        ),
        doc(
            &["setLocale", "reconfigure"],
            "setLocale(locale), reconfigure(options)",
            "The date as it is: names are English here.",
            r#"$dtFromIso("2024-03-05").setLocale("fr").toFormat("MMMM")"#,
            r#""March""#,
        ),
        doc(
            &["toFormat"],
            "toFormat(format)",
            "A text of tokens; what is between single quotes is literal.",
            r#"$dtFromIso("2024-03-05T10:00:00Z").toFormat("dd/MM/yyyy HH:mm")"#,
            r#""05/03/2024 10:00""#,
        ),
        doc(
            &["toISO", "toISODate", "toISOTime", "toISOWeekDate", "toJSON", "toString"],
            "toISO(), toISODate(), toISOTime(), toISOWeekDate(), toJSON(), toString()",
            "ISO 8601; `toJSON` and `toString` are `toISO`.",
            r#"$dtFromIso("2024-03-05").toISO()"#,
            r#""2024-03-05T00:00:00.000+00:00""#,
        ),
        doc(
            &["toRFC2822", "toHTTP"],
            "toRFC2822(), toHTTP()",
            "As mail and HTTP headers write dates.",
            r#"$dtFromIso("2024-03-05T10:00:00Z").toHTTP()"#,
            r#""Tue, 05 Mar 2024 10:00:00 GMT""#,
        ),
        doc(
            &["toSQL", "toSQLDate", "toSQLTime"],
            "toSQL(), toSQLDate(), toSQLTime()",
            "As SQL writes dates.",
            r#"$dtFromIso("2024-03-05T10:00:00Z").toSQL()"#,
            r#""2024-03-05 10:00:00.000 +00:00""#,
        ),
        doc(
            &["toMillis", "toSeconds", "toUnixInteger", "valueOf"],
            "toMillis(), toSeconds(), toUnixInteger(), valueOf()",
            "Time since 1970 in milliseconds, seconds, whole seconds; `valueOf` is `toMillis`.",
            r#"$dtFromIso("2024-03-05T10:00:00Z").toUnixInteger()"#,
            "1709632800",
        ),
        doc(
            &["hasSame", "equals"],
            "hasSame(date, unit), equals(date)",
            "Whether both are in the same unit (seen from this date's zone), or the same moment and zone.",
            r#"$dtFromIso("2024-03-05").hasSame($dtFromIso("2024-03-31"), "month")"#,
            "true",
        ),
        doc(
            &["diff"],
            r#"diff(date, units = "milliseconds")"#,
            "An object with how far the other date is back, in each of the units; the last one has the fraction.",
            r#"$dtFromIso("2024-03-05T12:00:00Z").diff($dtFromIso("2024-03-04"), ["days", "hours"])"#,
            r#"{"days":1,"hours":12}"#,
        ),
    ],
};
