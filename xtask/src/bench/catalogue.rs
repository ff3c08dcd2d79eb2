//! What the whole catalogue costs: to load it, and to prove every method of it.

use std::process::{Command, Stdio};
use std::time::Instant;

use super::machine::{binary, need};

/// How often the catalogue is loaded; the median counts.
const LOADS: usize = 5;

/// Prints both figures.
pub(super) fn run() -> Result<(), String> {
    need("time", "time")?;
    let mut loads =
        (0..LOADS).map(|_| measured(&["connector", "list", "-o", "json"])).collect::<Result<Vec<_>, _>>()?;
    loads.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    let load = &loads[LOADS / 2];
    println!(
        "catalogue: all connectors read and compiled in {:.0} ms by a process of {:.1} MiB (`koine connector list`)",
        load.seconds * 1000.0,
        super::mib(load.peak_kib)
    );
    let matrix = measured(&["matrix", "-o", "json"])?;
    println!(
        "matrix: every method of every connector called against its sandbox in {:.0} s (`koine matrix`)",
        matrix.seconds
    );
    Ok(())
}

struct Measured {
    seconds: f64,
    peak_kib: u64,
}

/// Runs a command of `koine` to its end; GNU time says what it took at most.
fn measured(args: &[&str]) -> Result<Measured, String> {
    let started = Instant::now();
    let output = Command::new("time")
        .args(["--quiet", "-f", "%M"])
        .arg(binary("koine"))
        .args(args)
        .env("RUST_LOG", "off")
        .stdout(Stdio::null())
        .output()
        .map_err(|error| format!("time: {error}"))?;
    let seconds = started.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("koine {}: {said}", args.join(" ")));
    }
    let peak_kib = said.lines().last().and_then(|line| line.trim().parse().ok());
    Ok(Measured { seconds, peak_kib: peak_kib.ok_or_else(|| format!("GNU time said: {said}"))? })
}
