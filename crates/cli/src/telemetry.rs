//! Where log lines go: stderr.

use std::io::IsTerminal as _;

use koine_settings::LogFormat;
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// Starts logging by this filter; `RUST_LOG` goes before it.
pub(crate) fn start(filter: &str, format: LogFormat) -> Result<(), Failure> {
    let told = std::env::var("RUST_LOG").ok().filter(|text| !text.trim().is_empty());
    let (name, filter) = told.as_deref().map_or(("KOINE_LOG", filter), |told| ("RUST_LOG", told));
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Failure::usage(format!("{name}: `{filter}` is no filter: {error}")))?;
    let builder = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).with_ansi(false).init(),
    }
    Ok(())
}
