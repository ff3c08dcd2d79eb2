//! Commands that need no gateway, run through the binary.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the reason")]

mod connector;
mod database;
mod doctor;
mod jsonata;
mod master_key;
mod oauth_app;
mod package;
mod pipe;
mod postgres;
mod readme;
mod settings;
mod verify;

use koine_testkit::{Ran, Runner};

/// Runs the binary with this on its standard input.
fn koine(args: &[&str], stdin: &str) -> Ran {
    runner().stdin(stdin).run(args)
}

fn runner() -> Runner {
    Runner::new(env!("CARGO_BIN_EXE_koine"))
}
