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
    /// Seconds of load per measurement: short, so that what is compared meets the same mood of the machine.
    #[arg(long, default_value_t = 3)]
    seconds: u32,
    /// Connections at once.
    #[arg(long, default_value_t = 16)]
    connections: u32,
    /// Rounds; the median counts, of the figures and of the rounds' ratios.
    #[arg(long, default_value_t = 11)]
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
    if options.rounds == 0 {
        return Err("--rounds must be at least 1".to_owned());
    }
    machine::build("koine")?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let vendor = Nginx::vendor(folder.path())?;
    let proxy = Nginx::proxy(folder.path(), vendor.port)?;
    let gateway = Gateway::start(folder.path(), vendor.port)?;
    let load = Load { seconds: options.seconds, connections: options.connections };

    println!(
        "{} connections, {} rounds of {} s each, median; one user of Okta through each\n",
        options.connections, options.rounds, options.seconds
    );
    let gateway_idle = gateway.running.memory_kib()?;
    let mut rounds = Vec::new();
    for _ in 0..options.rounds {
        rounds.push(Round {
            vendor: measure(&load, &vendor.url(), None, &vendor.running)?,
            proxy: measure(&load, &proxy.url(), None, &proxy.running)?,
            koine: measure(&load, &gateway.url(), Some(&gateway.token), &gateway.running)?,
        });
    }
    print_rows(&rounds);
    print_ratios(&rounds);
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

/// One measurement of each, one right after the other.
struct Round {
    vendor: Measured,
    proxy: Measured,
    koine: Measured,
}

/// The middle of what the rounds gave, and the least and the most of it.
fn middle(rounds: &[Round], figure: impl Fn(&Round) -> f64) -> (f64, f64, f64) {
    let mut all: Vec<f64> = rounds.iter().map(figure).collect();
    all.sort_by(f64::total_cmp);
    (all[all.len() / 2], all[0], all[all.len() - 1])
}

fn print_rows(rounds: &[Round]) {
    println!("{:<22}{:>12}{:>10}{:>10}{:>16}", "", "requests/s", "p50 ms", "p99 ms", "CPU µs/request");
    print_row(rounds, "vendor alone (nginx)", |round| &round.vendor);
    print_row(rounds, "nginx as a proxy", |round| &round.proxy);
    print_row(rounds, "koine, unified get", |round| &round.koine);
}

fn print_row(rounds: &[Round], name: &str, one: fn(&Round) -> &Measured) {
    println!(
        "{name:<22}{:>12.0}{:>10.2}{:>10.2}{:>16.1}",
        middle(rounds, |round| one(round).per_second).0,
        middle(rounds, |round| one(round).p50_ms).0,
        middle(rounds, |round| one(round).p99_ms).0,
        middle(rounds, |round| one(round).cpu_us).0,
    );
}

fn print_ratios(rounds: &[Round]) {
    let ratio =
        |figure: fn(&Measured) -> f64| middle(rounds, |round| figure(&round.koine) / figure(&round.proxy));
    let (cpu, least, most) = ratio(|one| one.cpu_us);
    println!(
        "\nkoine to nginx: {cpu:.1} times the CPU per request ({least:.1} to {most:.1}), {:.2} of its requests/s, {:.1} \
         times its p50",
        ratio(|one| one.per_second).0,
        ratio(|one| one.p50_ms).0,
    );
}

#[expect(clippy::cast_precision_loss, reason = "memory fits")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
