#![no_main]
//! `yaml` under libFuzzer.

libfuzzer_sys::fuzz_target!(|data: &[u8]| koine_fuzzing::run("yaml", data));
