//! `koine config`: what is set, and where each value comes from.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::config;
use crate::failure::Failure;
use crate::output::{self, Format};

pub(crate) fn run(format: Format) -> Result<(), Failure> {
    let read = config::read(BTreeMap::new())?;
    let all: Vec<Value> = read
        .in_force
        .iter()
        .map(|one| {
            json!({"setting": one.setting.name, "value": one.value, "from": one.origin.to_string(),
                   "variable": one.setting.variable()})
        })
        .collect();
    output::rows(format, &all, &["setting", "value", "from"]);
    for warning in read.warnings {
        eprintln!("koine: {warning}");
    }
    Ok(())
}
