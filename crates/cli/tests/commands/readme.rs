//! The first thing that people do.

use std::process::Command;

use serde_json::Value;

/// `cargo run` takes the one binary of the workspace's default members, and gives up where there are several.
#[test]
fn what_the_readme_begins_with_runs_koine() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let readme = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    assert!(readme.contains("\ncargo run --release -- demo\n"));

    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(root);
    let told: Value = serde_json::from_slice(&cargo.output().unwrap().stdout).unwrap();
    let is_default =
        |package: &&Value| told["workspace_default_members"].as_array().unwrap().contains(&package["id"]);
    let targets = told["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(is_default)
        .flat_map(|package| package["targets"].as_array().unwrap());
    let is_binary = |target: &&Value| target["kind"].as_array().unwrap().contains(&"bin".into());
    let binaries: Vec<&Value> = targets.filter(is_binary).map(|target| &target["name"]).collect();
    assert_eq!(binaries, ["koine"]);
}
