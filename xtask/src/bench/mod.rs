//! `cargo xtask bench`: what the gateway costs, beside nginx as a raw proxy in front of the same vendor, in turn and
//! under the same load. Machines differ and are shared, so the ratios are the figures.

mod catalogue;
mod instructions;
mod load;
mod machine;
mod peers;

use clap::Args;

use load::Load;
use machine::Running;
use peers::{Gateway, Nginx};

#[derive(Args)]
pub(crate) struct Options {
    /// Seconds of load per measurement.
    #[arg(long, default_value_t = 8)]
    seconds: u32,
    /// Connections at once.
    #[arg(long, default_value_t = 16)]
    connections: u32,
    /// Rounds; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Count instructions of single stages under callgrind instead.
    #[arg(long)]
    instructions: bool,
    /// With --instructions: write the counts as the new baseline.
    #[arg(long, requires = "instructions")]
    bless: bool,
}

pub(crate) fn run(options: &Options) -> Result<(), String> {
    if options.instructions {
        return instructions::run(options.bless);
    }
    machine::build("koine")?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let vendor = Nginx::vendor(folder.path())?;
    let proxy = Nginx::proxy(folder.path(), vendor.port)?;
    let gateway = Gateway::start(folder.path(), vendor.port)?;
    let load = Load { seconds: options.seconds, connections: options.connections };

    println!(
        "{} connections, {} s, {} rounds, median; one user of Okta through each\n",
        options.connections, options.seconds, options.rounds
    );
    let gateway_idle = gateway.running.memory_kib()?;
    let mut rows: Vec<(&str, Vec<Measured>)> = vec![
        ("vendor alone (nginx)", Vec::new()),
        ("nginx as a proxy", Vec::new()),
        ("koine, unified get", Vec::new()),
    ];
    for _ in 0..options.rounds {
        rows[0].1.push(measure(&load, &vendor.url(), None, &vendor.running)?);
        rows[1].1.push(measure(&load, &proxy.url(), None, &proxy.running)?);
        rows[2].1.push(measure(&load, &gateway.url(), Some(&gateway.token), &gateway.running)?);
    }
    let rows: Vec<(&str, Measured)> = rows.into_iter().map(|(name, all)| (name, median(all))).collect();
    print_rows(&rows);
    let starts = peers::starts(folder.path(), options.rounds)?;
    println!(
        "\nkoine: {:.1} MiB resident when idle, {:.1} MiB at most; ready {:.0} ms after its start, nginx {:.0} ms",
        mib(gateway_idle),
        mib(gateway.running.peak_memory_kib()?),
        starts.0,
        starts.1,
    );
    catalogue::run()
}

#[derive(Clone, Copy)]
struct Measured {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_us: f64,
}

/// One load, and what it cost the process that bore it.
fn measure(load: &Load, url: &str, token: Option<&str>, process: &Running) -> Result<Measured, String> {
    let before = process.cpu_us()?;
    let result = load.run(url, token)?;
    let cpu = process.cpu_us()? - before;
    Ok(Measured {
        per_second: result.per_second,
        p50_ms: result.p50_ms,
        p99_ms: result.p99_ms,
        cpu_us: cpu / result.requests,
    })
}

fn median(mut all: Vec<Measured>) -> Measured {
    all.sort_by(|a, b| a.cpu_us.total_cmp(&b.cpu_us));
    all[all.len() / 2]
}

fn print_rows(rows: &[(&str, Measured)]) {
    println!("{:<22}{:>12}{:>10}{:>10}{:>16}", "", "requests/s", "p50 ms", "p99 ms", "CPU µs/request");
    for (name, one) in rows {
        println!(
            "{name:<22}{:>12.0}{:>10.2}{:>10.2}{:>16.1}",
            one.per_second, one.p50_ms, one.p99_ms, one.cpu_us
        );
    }
    let (proxy, koine) = (rows[1].1, rows[2].1);
    println!(
        "\nkoine to nginx: {:.1} times the CPU per request, {:.2} of its requests/s, {:.1} times its p50",
        koine.cpu_us / proxy.cpu_us,
        koine.per_second / proxy.per_second,
        koine.p50_ms / proxy.p50_ms,
    );
}

#[expect(clippy::cast_precision_loss, reason = "memory fits")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
