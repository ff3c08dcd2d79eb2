#![no_main]
//! `query` under libFuzzer.

libfuzzer_sys::fuzz_target!(|data: &[u8]| koine_fuzzing::run("query", data));
