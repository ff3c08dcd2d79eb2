//! By theme; what belongs to no function is here.

mod dates;
mod encoding;
mod limits;
mod markdown;
mod query;
mod random;
mod similar;
mod sql;
mod urls;
mod values;
mod xml;

use serde_json::{Value, json};

use super::{Expr, Scope};

fn eval(source: &str, input: &Value) -> Option<Value> {
    Expr::compile(source, &[]).unwrap().eval(input).unwrap()
}

/// Whether an expression that can be compiled ends in an error.
fn fails(source: &str) -> bool {
    Expr::compile(source, &[]).unwrap().eval(&Value::Null).is_err()
}

#[test]
fn digits_beyond_a_double_are_kept() {
    let input: Value = serde_json::from_str(r#"{"id": 3074457345600000001, "n": 7}"#).unwrap();
    assert_eq!(eval("id", &input), Some(json!("3074457345600000001")));
    assert_eq!(eval("n", &input), Some(json!(7)));
}

#[test]
fn unknown_names_fail_when_compiled_with_a_hint() {
    let error = Expr::compile("$frstNonEmpty(a)", &[]).unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("did you mean `$firstNonEmpty`?"));
    let error = Expr::compile("respose.id = 1", &["response", "status"]).unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("did you mean `response`?"));
    assert!(Expr::compile("response[id = 1].name", &["response"]).is_ok());
    assert!(Expr::compile("($x := response; $x.id)", &["response"]).is_ok());
    assert!(Expr::compile("$eval('1')", &[]).is_err());
    assert!(Expr::compile("$map([1], $eval)", &[]).is_err());
    assert!(Expr::compile("$response.id", &["response"]).is_err(), "roots are no variables");
    assert!(Expr::compile("$$.respons.id", &["response"]).is_err());
    assert!(Expr::compile("lowercase(a)", &[]).unwrap_err().hint.unwrap().contains("$lowercase"));
    for fine in [
        "response.users[active].{ 'id': id, 'n': $$.response.n }",
        "$map(response.users, function($u, $i) { $u.id & $i })",
        "$map(response.users, $lowercase)",
        "response@$r.id[$r.x = y]",
        "response#$i.{ 'i': $i }",
        "response.list^(>age).name",
        "response{kind: name}",
        "response ~> |$|{'a': b}|",
        "*.id",
        "$.response",
        "$join(response.names, '-')",
    ] {
        assert!(
            Expr::compile(fine, &["response"]).is_ok(),
            "{fine}: {:?}",
            Expr::compile(fine, &["response"])
        );
    }
    assert!(Expr::compile("a.(", &[]).is_err());
}

#[test]
fn truth_and_shared_use() {
    for (source, wanted) in
        [("nope", false), ("[]", false), ("[0]", false), ("{}", false), ("'false'", true), ("1", true)]
    {
        assert_eq!(Expr::compile(source, &[]).unwrap().test(&json!({})).unwrap(), wanted, "{source}");
    }
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    shared(&Expr::compile("1", &[]).unwrap());
    let root = json!({"a": 1});
    let scope = Scope::new(&root);
    assert_eq!(scope.eval(&Expr::compile("($b := a; $b + 1)", &[]).unwrap()).unwrap(), Some(json!(2)));
    assert_eq!(scope.eval(&Expr::compile("{'a': a}", &[]).unwrap()).unwrap(), Some(json!({"a": 1})));
}
