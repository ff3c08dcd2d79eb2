#![no_main]
//! `expression` under libFuzzer.

libfuzzer_sys::fuzz_target!(|data: &[u8]| koine_fuzzing::run("expression", data));
