#![no_main]
//! `xml_answer` under libFuzzer.

libfuzzer_sys::fuzz_target!(|data: &[u8]| koine_fuzzing::run("xml_answer", data));
