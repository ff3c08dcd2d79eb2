#![no_main]
//! `cursor` under libFuzzer.

libfuzzer_sys::fuzz_target!(|data: &[u8]| koine_fuzzing::run("cursor", data));
