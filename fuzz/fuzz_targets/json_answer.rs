#![no_main]
//! `json_answer` under libFuzzer.

libfuzzer_sys::fuzz_target!(|data: &[u8]| koine_fuzzing::run("json_answer", data));
