//! Dates and their methods.

use serde_json::{Value, json};

use super::{Expr, eval};

#[test]
fn vectors_of_dates() {
    let input = json!({"d": "2024-03-05T10:00:00Z", "l": ["2024-01-31", "bad"]});
    for (source, wanted) in [
        (r#"{"x": $dtFromIso("2024-03-05T10:00:00+02:00")}.x"#, json!("2024-03-05T08:00:00.000+00:00")),
        (r#"$dtFromIso("2024-03-05T10:00:00+02:00").toISO()"#, json!("2024-03-05T08:00:00.000+00:00")),
        (r#"$dtFromIso("2024-03-05T10:00:00+02:00").toUTC().toISO()"#, json!("2024-03-05T08:00:00.000Z")),
        (r#"$dtFromIso("2024-03-05").toISO()"#, json!("2024-03-05T00:00:00.000+00:00")),
        (r#"$dtFromIso(d, "America/New_York").toISO()"#, json!("2024-03-05T05:00:00.000-05:00")),
        (r#"$dtFromFormat("1709632800", "fromSeconds").toUTC().toISO()"#, json!("2024-03-05T10:00:00.000Z")),
        (r#"$dtFromFormat(1709632800, "fromSeconds").toUTC().toISO()"#, json!("2024-03-05T10:00:00.000Z")),
        (
            r#"$dtFromFormat("Tue, 05 Mar 2024 10:00:00 GMT", "RFC2822").toUTC().toISO()"#,
            json!("2024-03-05T10:00:00.000Z"),
        ),
        (
            r#"$dtFromFormat("2024-03-05 10:00:00", "yyyy-MM-dd HH:mm:ss", {"zone": "utc"}).toISO()"#,
            json!("2024-03-05T10:00:00.000Z"),
        ),
        (r#"$dtFromFormat("bad", "MM/dd/yyyy").toISO()"#, Value::Null),
        (r#"$dtFromFormat("bad", "MM/dd/yyyy").isValid"#, json!(false)),
        (r#"$dtFromIso(nope).toISO()"#, Value::Null),
        (r#"$dtFromIso(d).plus({"days": 1}).toISODate()"#, json!("2024-03-06")),
        (r#"$dtFromIso(d).toFormat("dd/MM/yyyy HH:mm")"#, json!("05/03/2024 10:00")),
        (
            r#"$dtFromIso(d).toFormat("EEEE d MMMM yy h:mm a 'at' ZZ")"#,
            json!("Tuesday 5 March 24 10:00 AM at +00:00"),
        ),
        (r#"$dtFromIso(d).diff($dtFromIso("2024-03-04T10:00:00Z"), "hours").hours"#, json!(24)),
        (r#"$dtFromIso(d).diff($dtFromIso("2024-01-05T10:00:00Z"), "months").months"#, json!(2)),
        (r#"$dtFromIso(d).toHTTP()"#, json!("Tue, 05 Mar 2024 10:00:00 GMT")),
        (r#"$dtFromIso(d).toSQL()"#, json!("2024-03-05 10:00:00.000 +00:00")),
        (r#"$dtFromIso(d).toRFC2822()"#, json!("Tue, 05 Mar 2024 10:00:00 +0000")),
        (r#"$dtFromIso(d).year"#, json!(2024)),
        (r#"$dtFromIso(d).monthLong"#, json!("March")),
        (r#"$dtFromIso(d).toMillis()"#, json!(1_709_632_800_000_i64)),
        (r#"$dtFromIso(d).toSeconds()"#, json!(1_709_632_800)),
        (r#"$dtFromIso(d).isValid"#, json!(true)),
        (r#"$dtFromIso(d).startOf("month").toISODate()"#, json!("2024-03-01")),
        (r#"$dtFromIso(d).endOf("week").toISO()"#, json!("2024-03-10T23:59:59.999+00:00")),
        (
            r#"$dtFromIso(d).minus({"months": 1}).setZone("UTC+2").toISO()"#,
            json!("2024-02-05T12:00:00.000+02:00"),
        ),
        (r#"($x := $dtFromIso(d); $x.toISOTime())"#, json!("10:00:00.000+00:00")),
        (r#"l.($dtFromIso($).plus({"months": 1}).toISODate())"#, json!(["2024-02-29", null])),
        (r#"$map(l, function($v) { $dtFromIso($v) })"#, json!(["2024-01-31T00:00:00.000+00:00", null])),
        (
            r#"$dtFromFormat("Mar 5, 2024 3:07 pm", "MMM d, yyyy h:mm a").toISO()"#,
            json!("2024-03-05T15:07:00.000+00:00"),
        ),
        (
            r#"$dtFromFormat("05.03.24 +01:00", "dd.MM.yy ZZ").toISO()"#,
            json!("2024-03-04T23:00:00.000+00:00"),
        ),
        (r#"$dtFromIso("2024-W10-2T24:00").toISO()"#, json!("2024-03-06T00:00:00.000+00:00")),
        (r#"$dtFromIso(d).plus({"years": 100000000}).isValid"#, json!(false)),
    ] {
        assert_eq!(eval(source, &input), Some(wanted), "{source}");
    }
    let error = Expr::compile("$dtFromIso(d).toIOS()", &[]).unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("did you mean `toISO`?"));
    assert!(Expr::compile("d.toISO()", &[]).unwrap().eval(&input).is_err(), "a text has no methods");
}
