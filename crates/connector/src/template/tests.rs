//! Tests of `template`.

use super::{Template, TextTemplate};
use serde_json::{Value, json};

fn render(template: &Value, data: &Value) -> Value {
    Template::compile(template).unwrap().render(data).unwrap()
}

#[test]
fn the_measured_table() {
    for (template, data, wanted) in [
        (json!("{{a}}"), json!({"a": 1}), json!("1")),
        (json!("{{a}}"), json!({"a": null}), Value::Null),
        (json!("x{{a}}y"), json!({"a": null}), json!("xnully")),
        (json!("{{a}}"), json!({}), json!("{{a}}")),
        (json!("{{a:any}}"), json!({"a": {"b": 1}}), json!({"b": 1})),
        (json!("{{a:int}}"), json!({"a": "7"}), json!(7)),
        (json!("{{a:bool}}"), json!({"a": "true"}), json!(true)),
        (json!("{{a:int}}"), json!({"a": "x"}), json!("x")),
        (json!("x{{a:int}}y"), json!({"a": "7"}), json!("x7y")),
        (json!("{{a:null}}"), json!({}), Value::Null),
        (json!({"k": "{{a:undefined}}", "l": 1}), json!({}), json!({"l": 1})),
        (json!("{{a|b}}"), json!({"a": "", "b": "z"}), json!("")),
        (json!("{{a:ignore-empty-str|b}}"), json!({"a": "", "b": "z"}), json!("z")),
        (json!("{{a?:b c}}"), json!({}), json!("b c")),
        (json!("{{a?:1:int}}"), json!({}), json!(1)),
        (json!("{{a.0.b}}"), json!({"a": [{"b": "q"}]}), json!("q")),
        (json!("{{a-b/c}}"), json!({"a-b/c": "q"}), json!("q")),
        (json!("{{ a.b }}"), json!({"a": {"b": "q"}}), json!("q")),
        (json!("{{a}}"), json!({"a": "{{b}}", "b": 1}), json!("{{b}}")),
        (json!("{{$a}} {{a[0]}}"), json!({"a": 1}), json!("{{$a}} {{a[0]}}")),
        (json!("e eq {{a:quoted}}"), json!({"a": "x\" or \"1\\"}), json!(r#"e eq "x\" or \"1\\""#)),
        (json!("e = {{a:single-quoted}}"), json!({"a": "x\\' or '1\n"}), json!(r"e = 'x\\\' or \'1\n'")),
        (json!("{{a:single-quoted}}"), json!({"a": 7}), json!("'7'")),
        (
            json!({"a": {"x": 1}, "$truto_merge": "{{u:json}}"}),
            json!({"u": {"a": {"y": 2}, "b": 3}}),
            json!({"a": {"x": 1, "y": 2}, "b": 3}),
        ),
    ] {
        assert_eq!(render(&template, &data), wanted, "{template}");
    }
    assert_eq!(render(&json!("{{{a}}}"), &json!({"a": 1})), json!("{1}"));
    let error = Template::compile(&json!("{{a:foo}}")).unwrap_err();
    assert!(error.to_string().contains("unsupported type"), "{error}");
}

#[test]
fn merges_go_deep_and_later_ones_win() {
    let template =
        json!({"$truto_merge": ["{{a:json}}", "{{b:any}}", "{{nope:json}}"], "k": {"own": 1}, "n": null});
    let data = json!({"a": {"k": {"x": 1, "y": 1}}, "b": {"k": {"y": 2}, "$truto_merge": 1}});
    let wanted = json!({"k": {"own": 1, "x": 1, "y": 2}, "n": null, "$truto_merge": 1});
    assert_eq!(render(&template, &data), wanted);
}

#[test]
fn roots_are_the_first_names() {
    let template = json!({"a": ["{{id|query.id}}"], "b": "{{body.x}} {{id}} {{$no}}", "c": 1});
    assert_eq!(Template::compile(&template).unwrap().roots(), ["id", "query", "body"]);
    assert_eq!(TextTemplate::compile("/{{a.b}}/{{c?:1}}").unwrap().roots(), ["a", "c"]);
}

#[test]
fn values_are_escaped_and_literals_kept() {
    let escape = |value: &str| match value {
        ".." => Err("climbs".to_owned()),
        value => Ok(value.replace('/', "%2F")),
    };
    let template = TextTemplate::compile("/u/{{id}}").unwrap();
    assert_eq!(template.render(&json!({"id": "a/b"}), &escape).unwrap(), "/u/a%2Fb");
    let error = template.render(&json!({"id": ".."}), &escape).unwrap_err().to_string();
    assert_eq!(error, "{{id}}: climbs");
}

#[test]
fn a_text_template_needs_every_value() {
    let template = TextTemplate::compile("/u/{{id}}").unwrap();
    let keep = |value: &str| Ok(value.to_owned());
    assert_eq!(template.render(&json!({"id": 7}), &keep).unwrap(), "/u/7");
    for data in [json!({}), json!({"id": ""}), json!({"id": null}), json!({"id": [1]}), json!({"id": {}})] {
        assert!(template.render(&data, &keep).is_err());
    }
}

proptest::proptest! {
    #[test]
    fn nothing_makes_it_panic(source in "[{}a|:? .x]{0,40}", value in ".{0,10}") {
        if let Ok(template) = Template::compile(&json!(source)) {
            let _ = template.render(&json!({"a": value}));
        }
    }
}
