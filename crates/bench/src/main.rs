//! `koine-bench STAGE TIMES` does one stage of a unified get that many times. `cargo xtask bench --instructions` runs
//! it under callgrind with two numbers of times, so that what starting costs cancels out.
#![expect(clippy::print_stderr, reason = "a command talks to its terminal")]

mod stages;
mod vendor;

use std::process::ExitCode;

/// As the gateway has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (stage, times) = (args.next().unwrap_or_default(), args.next().and_then(|text| text.parse().ok()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (Some(times), Ok(runtime)) = (times, runtime) else {
        eprintln!("usage: koine-bench {} TIMES", stages::NAMES.join("|"));
        return ExitCode::FAILURE;
    };
    match runtime.block_on(stages::run(&stage, times)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("koine-bench: {why}");
            ExitCode::FAILURE
        }
    }
}
