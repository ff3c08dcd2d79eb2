//! The published Python SDK, unmodified: only its base URL points here.

use std::path::Path;

use koine_testkit::python;

use crate::support::Demo;

#[tokio::test]
async fn real_python_sdk_pages_gets_and_removes() {
    let demo = Demo::start().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demo/sdk.py");
    let facts = demo.facts.to_string();
    let output = python(&script, &[&facts], &[]).await.unwrap();
    assert!(output.status.success(), "{}\n{}", output.stdout, output.stderr);
    assert_eq!(output.stdout.trim(), "all as expected");
    assert_eq!(demo.reached("okta", "DELETE", "/api/v1/users/").await, 1);
    assert_eq!(demo.reached("okta", "POST", "/api/v1/users/").await, 2);
    assert_eq!(demo.reached("okta", "DELETE", "/api/v1/groups/").await, 1);
}
