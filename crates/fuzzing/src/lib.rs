//! What the fuzzers run. Each target takes any bytes, does with them what the gateway would, and panics where
//! something that must always hold does not. `fuzz/` runs them under libFuzzer; the tests here run them over the
//! corpora, so that what a fuzzer found once stays found.

mod answers;
mod language;
mod outside;

/// A function that any bytes may be given to.
pub type Target = fn(&[u8]);

/// All targets, by the name of their corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("cursor", outside::cursor),
    ("expression", language::expression),
    ("json_answer", answers::json),
    ("query", outside::query),
    ("template", language::template),
    ("xml_answer", answers::xml),
    ("yaml", language::yaml),
];

/// Runs one target.
///
/// # Panics
/// When there is no such target, and when the target finds something.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(own, _)| *own == name).expect("a target of this name");
    target(data);
}
