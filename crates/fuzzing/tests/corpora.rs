//! Every input that a fuzzer ever kept, and the beginnings of each, through its target.

use std::path::{Path, PathBuf};

use koine_fuzzing::{TARGETS, run};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name)
}

#[test]
fn every_corpus_passes() {
    for (name, target) in TARGETS {
        let mut count = 0;
        for entry in
            std::fs::read_dir(folder(name)).unwrap_or_else(|error| panic!("corpus of {name}: {error}"))
        {
            let data = std::fs::read(entry.unwrap().path()).unwrap();
            target(&data);
            for length in [0, data.len() / 2, data.len().saturating_sub(1)] {
                target(&data[..length]);
            }
            count += 1;
        }
        assert!(count >= 5, "the corpus of {name} has {count} inputs");
    }
}

#[test]
fn every_target_has_a_fuzzer_and_every_corpus_a_target() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let names = |folder: &str| {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let targets: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
}

/// The harness can fail: what a target asserts is asserted.
#[test]
#[should_panic(expected = "a target of this name")]
fn an_unknown_target_is_an_error() {
    run("nobody", b"");
}
