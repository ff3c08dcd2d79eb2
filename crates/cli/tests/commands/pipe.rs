//! Output that nobody reads to its end.

use std::process::{Command, Stdio};

/// As `koine … | head` does: a reader that leaves. The writer is told so by the next write.
#[test]
fn a_reader_that_leaves_is_no_panic() {
    for args in
        [&["connector", "list"][..], &["connector", "show", "okta", "-o", "json"], &["completions", "bash"]]
    {
        let mut child = Command::new(env!("CARGO_BIN_EXE_koine"))
            .args(args)
            .env_clear()
            .env("KOINE_CONFIG", "/dev/null")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn a_failure_that_nobody_reads_keeps_its_exit_code() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_koine"))
        .args(["connector", "show", "nobody"])
        .env_clear()
        .env("KOINE_CONFIG", "/dev/null")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
}
