//! Instructions of single stages, counted by callgrind: the same on a busy machine and on an idle one.

use std::collections::BTreeMap;
use std::process::Command;

use super::machine::{binary, build, need, root};

/// Stage, and how often it is done in the shorter run; the longer one does it twice as often. Reading the catalogue, with
/// which every run begins, differs by half a million instructions from one run to the next: the small stages are done
/// often enough for that not to show.
const STAGES: &[(&str, u64)] = &[("catalogue", 1), ("plan", 2000), ("map", 2000), ("call", 1000)];
/// Where the baseline is kept.
const BASELINE: &str = "crates/bench/baseline.json";
/// More than this over the baseline is a failure.
const MOST: f64 = 1.10;

pub(super) fn run(bless: bool) -> Result<(), String> {
    need("valgrind", "valgrind")?;
    build("koine-bench")?;
    let path = root().join(BASELINE);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| "{}".to_owned());
    let baseline: BTreeMap<String, u64> =
        serde_json::from_str(&text).map_err(|error| format!("{BASELINE}: {error}"))?;
    let mut counts = BTreeMap::new();
    let mut worse = Vec::new();
    for (stage, times) in STAGES {
        let count = (count(stage, 2 * times)?.saturating_sub(count(stage, *times)?)) / times;
        let ratio = baseline.get(*stage).map(|base| ratio(count, *base));
        let shown =
            ratio.map_or_else(|| "no baseline".to_owned(), |ratio| format!("{ratio:.3} of the baseline"));
        println!("{stage:<12}{count:>14} instructions   {shown}");
        if ratio.is_some_and(|ratio| ratio > MOST) {
            worse.push(*stage);
        }
        counts.insert((*stage).to_owned(), count);
    }
    if bless {
        let text = serde_json::to_string_pretty(&counts).map_err(|error| error.to_string())?;
        return std::fs::write(&path, text + "\n").map_err(|error| format!("{BASELINE}: {error}"));
    }
    if worse.is_empty() {
        return Ok(());
    }
    Err(format!("more than a tenth over the baseline: {}; --bless takes it as the new one", worse.join(", ")))
}

#[expect(clippy::cast_precision_loss, reason = "a ratio needs no more")]
fn ratio(count: u64, base: u64) -> f64 {
    count as f64 / base as f64
}

/// All instructions of one run.
fn count(stage: &str, times: u64) -> Result<u64, String> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(binary("koine-bench"))
        .args([stage, &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected : "));
    let count =
        collected.and_then(|(_, count)| count.trim().parse().ok()).filter(|_| output.status.success());
    count.ok_or_else(|| format!("koine-bench {stage} {times} under valgrind:\n{text}"))
}
